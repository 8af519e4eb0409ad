"""Lists about what a latent is near to: neighbours, ancestors, descendants, other methods."""

from __future__ import annotations

from backend import queries, splitting, stitching, trust
from backend.downloads import queries as own
from backend.downloads.asked import (
    INDEX,
    SAE,
    Asked,
    Download,
    with_ids,
)
from backend.downloads.columns import IDS, LABEL, of
from backend.records import Record
from backend.schema import (
    COFIRING,
    NEIGHBOURS,
    OTHER_DECOMPOSITIONS,
    SAES,
    STITCHING,
)
from backend.store import Run
from backend.tables.columns import Column
from backend.tables.types import FLOAT32, FLOAT64, INT32, STRING

_DEPTH = Column("depth", INT32, "0 is the latent asked about")


def _neighbours(run: Run, asked: Asked) -> list[Record]:
    return with_ids(asked, queries.neighbours(run, asked["sae"], asked["latent"]))


def _cofiring(run: Run, asked: Asked) -> list[Record]:
    return with_ids(asked, own.cofiring(run, asked["sae"], asked["latent"]))


def _novelty(run: Run, asked: Asked) -> list[Record]:
    return with_ids(asked, stitching.novelty(run, asked["sae"], asked["latent"]))


def _ancestors(run: Run, asked: Asked) -> list[Record]:
    chain = trust.ancestors(run, asked["sae"], asked["latent"])
    return [{**row, "depth": place} for place, row in enumerate(chain, start=1)]


def _splitting(run: Run, asked: Asked) -> list[Record]:
    return splitting.descendants(run, asked["sae"], asked["latent"])


def _methods(run: Run, asked: Asked) -> list[Record]:
    return with_ids(asked, trust.other_decompositions(run, asked["sae"], asked["latent"]))


OF_RELATIVES = (
    Download(
        "neighbours",
        "nearest latents by decoder cosine, in its own SAE and in the others",
        (SAE, INDEX),
        (
            *IDS,
            *of(NEIGHBOURS, "other_sae_id"),
            *of(SAES, "kind"),
            *of(NEIGHBOURS, "rank", "other_latent"),
            LABEL,
            *of(NEIGHBOURS, "cosine"),
        ),
        _neighbours,
    ),
    Download(
        "cofiring",
        "latents of the same SAE that fire on the same tokens",
        (SAE, INDEX),
        (
            *IDS,
            *of(COFIRING, "rank", "other_latent"),
            LABEL,
            *of(COFIRING, "together", "fired", "other_fired", "tokens_seen"),
        ),
        _cofiring,
    ),
    Download(
        "novelty",
        "what a latent is against each smaller SAE: novel or a reconstruction",
        (SAE, INDEX),
        (
            *IDS,
            *of(STITCHING, "small_sae_id", "kind", "delta_mse", "ci_low", "ci_high", "fired"),
            *of(STITCHING, "together", "nearest_latent"),
            Column("nearest_label", STRING, "its label"),
            *of(STITCHING, "max_cosine"),
        ),
        _novelty,
    ),
    Download(
        "ancestors",
        "the chain of nearest latents down the smaller SAEs; the last link may be weak",
        (SAE, INDEX),
        (*IDS, LABEL, *of(NEIGHBOURS, "cosine"), _DEPTH),
        _ancestors,
    ),
    Download(
        "splitting",
        f"the tree above a latent in the larger SAEs, at most {splitting.MOST_DESCENDANTS} rows",
        (SAE, INDEX),
        (
            *IDS,
            LABEL,
            _DEPTH,
            Column("parent_sae_id", STRING, "SAE of its parent in the tree"),
            Column("parent", INT32, "latent that is its nearest one there"),
            Column("cosine", FLOAT32, "cosine of both decoder directions"),
            Column("together_share", FLOAT64, "of its firings, those with its parent's"),
            Column("meta_sae_id", STRING, "meta-SAE of its strongest component"),
            Column("meta_latent", INT32, "its strongest component"),
            Column("meta_label", STRING, "label of that"),
        ),
        _splitting,
    ),
    Download(
        "methods",
        "the same decoder row rebuilt by other methods than the meta-SAE",
        (SAE, INDEX),
        (
            *IDS,
            *of(OTHER_DECOMPOSITIONS, "method", "rank", "part_sae_id", "part", "label", "weight"),
            *of(OTHER_DECOMPOSITIONS, "variance_explained"),
        ),
        _methods,
    ),
)
