"""Named directions in the tables of a run, where they differ from an SAE that was trained."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from precompute.config import RunConfig
from precompute.decomposition import Decomposition
from precompute.dictionary import Dictionary
from precompute.directions import decoder_sha256
from precompute.named.applied import SETTING, applied_path
from precompute.named.section import DirectionsConfig
from precompute.stages import Stages


def directions_of(config: RunConfig, sae_id: str) -> DirectionsConfig | None:
    """The section that an SAE comes from, if it is one of named directions."""
    return next((one for one in config.directions if one.name == sae_id), None)


def directions_columns(section: DirectionsConfig, n_latents: int) -> dict[str, Any]:
    """Columns of `saes` that say what the directions are; nothing of them was trained.

    Variance explained is that of the mean row plus every firing direction times its projection. It
    can be below 0: directions that overlap say the same part of a row twice.
    """
    origin = "; ".join(text for text in (section.source, section.licence) if text)
    return {
        "architecture": f"named directions, each fires on the top {100 * section.firing_share:g} % "
        f"of tokens; {origin}",
        "k": section.firing_share * n_latents,
        "seed": None,
    }


def applied_row(
    config: RunConfig, stages: Stages, sae_id: str, shown: Decomposition
) -> dict[str, Any]:
    """The row of `saes` of the run's meta-SAE on named directions.

    It was trained on the decoder rows of the decomposed SAE and has its variance explained there;
    the directions are rows that it never saw.
    """
    meta = Dictionary.load(stages.meta / "seed-0")
    seen = json.loads((stages.meta / "seed-0" / "figures.json").read_text())["seen"]
    figures = applied_figures(stages, sae_id)
    unseen = next(figure["value"] for figure in figures if figure["setting"] == SETTING)
    n_used = len(set(shown.meta_latent.tolist()))
    return {
        "sae_id": config.meta_ids[sae_id],
        "kind": "meta",
        "parent_sae_id": sae_id,
        "hook_name": f"decoder rows of {sae_id}",
        "architecture": f"batchtopk, trained on rows of {config.decomposed_sae_id}",
        "n_latents": meta.n_latents,
        "k": config.meta.k,
        "seed": config.seed,
        "threshold": meta.lowest_threshold,
        "l0": float(shown.n_components.mean()),
        "variance_explained": seen["variance_explained"],
        "variance_explained_heldout": unseen,
        "dead_fraction": 1 - n_used / meta.n_latents,
        "decoder_sha256": decoder_sha256(meta),
        "decoder_bias": meta.b_dec.tolist(),
    }


def applied_figures(stages: Stages, sae_id: str) -> list[dict[str, Any]]:
    """Rows of `measurements` about the run's meta-SAE on named directions."""
    return json.loads(applied_path(stages, sae_id).read_text(encoding="utf-8"))


def without_copies(neighbours: pa.Table, config: RunConfig) -> pa.Table:
    """`neighbours` in which no latent is told twice of the same meta-latent.

    The run's meta-SAE is in `saes` again for each section that it splits. Those rows keep their
    neighbours, of which the nearest is the same meta-latent, but are nobody's.
    """
    copies = [config.meta_ids[name] for name in config.applied_ids]
    if not copies:
        return neighbours
    other = pc.field("other_sae_id")
    return neighbours.filter(~other.isin(copies) | (other == pc.field("sae_id")))
