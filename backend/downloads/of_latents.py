"""Lists about one latent or meta-latent: its row, parts, members, examples and words."""

from __future__ import annotations

from backend import queries
from backend.downloads import queries as own
from backend.downloads.asked import (
    DECOMPOSED_SAE,
    INDEX,
    MOST_ROWS_TAKEN,
    SAE,
    Asked,
    Download,
    DownloadError,
    Parameter,
    ids,
    with_ids,
)
from backend.downloads.columns import IDS, LABEL, of
from backend.records import Record
from backend.schema import (
    COMPONENTS,
    CONTEXTS,
    EXAMPLES,
    LATENTS,
)
from backend.store import Run
from backend.tables.columns import Column
from backend.tables.types import FLOAT32, INT32, INT64, STRING

WORD_LISTS = ("fires", "promotes", "suppresses", "members")


def _latent(run: Run, asked: Asked) -> list[Record]:
    row = own.latent_row(run, asked["sae"], asked["latent"])
    return [row] if row else []


def _components(run: Run, asked: Asked) -> list[Record]:
    meta_sae_id = queries.meta_sae_of(run, asked["sae"])
    rows = queries.components(run, meta_sae_id or "", asked["latent"])
    return [{**ids(asked), "meta_sae_id": meta_sae_id, **row} for row in rows]


def _members(run: Run, asked: Asked) -> list[Record]:
    rows = own.all_members(run, asked["sae"], asked["latent"], MOST_ROWS_TAKEN + 1)
    if len(rows) > MOST_ROWS_TAKEN:
        raise DownloadError(
            f"More than {MOST_ROWS_TAKEN:,} members: take the whole table, "
            f"table/members.parquet?run={run.name}.",
            400,
        )
    named = {"meta_sae_id": asked["sae"], "meta_latent": asked["latent"]}
    return [{**named, **row} for row in rows]


def _examples(run: Run, asked: Asked) -> list[Record]:
    return with_ids(asked, queries.examples(run, asked["sae"], asked["latent"]))


def _terms(run: Run, asked: Asked) -> list[Record]:
    sae_id, latent = asked["sae"], asked["latent"]
    row = own.latent_row(run, sae_id, latent) or {}
    lists: dict[str, list[Record]] = {
        "fires": [{**term, "term": term["term"]} for term in row.get("top_terms", [])],
        "promotes": _tokens(row.get("promoted", [])),
        "suppresses": _tokens(row.get("suppressed", [])),
        "members": [
            {"term": term["term"], "score": term["weight"], "count": term["n_members"]}
            for term in queries.member_terms(run, sae_id, latent)
        ],
    }
    return [
        {**ids(asked), "list": name, "rank": rank, **entry}
        for name in WORD_LISTS
        for rank, entry in enumerate(lists[name])
    ]


def _tokens(tokens: list[Record]) -> list[Record]:
    return [{"term": token["token"], "score": token["logit"]} for token in tokens]


OF_LATENTS = (
    Download("latent", "one latent: its row of `latents`", (SAE, INDEX), LATENTS.columns, _latent),
    Download(
        "components",
        "the decomposition of a latent, strongest component first",
        (DECOMPOSED_SAE, INDEX),
        (
            *IDS,
            *of(COMPONENTS, "meta_sae_id", "meta_latent"),
            LABEL,
            *of(COMPONENTS, "activation", "cosine", "share", "stability"),
            Column("n_members", INT64, "latents that the meta-latent is a component of"),
        ),
        _components,
    ),
    Download(
        "members",
        "the latents that a meta-latent is a component of, strongest first",
        (Parameter("sae", "a meta-SAE", of="meta"), INDEX),
        (
            *of(COMPONENTS, "meta_sae_id", "meta_latent"),
            *IDS,
            LABEL,
            *of(COMPONENTS, "activation", "cosine", "share", "stability"),
            *of(LATENTS, "count", "n_components"),
        ),
        _members,
    ),
    Download(
        "examples",
        "the stored examples of a latent with their text",
        (SAE, INDEX),
        (
            *IDS,
            *of(EXAMPLES, "group", "rank", "context_id", "position", "activation"),
            *of(CONTEXTS, "title", "source", "text", "token_starts", "token_ends"),
            *of(EXAMPLES, "positions", "activations"),
        ),
        _examples,
    ),
    Download(
        "terms",
        "the words of a latent: it fires on them, promotes or suppresses them; and those that the "
        "members of a meta-latent share",
        (SAE, INDEX),
        (
            *IDS,
            Column("list", STRING, "fires, promotes, suppresses or members"),
            Column("rank", INT32, "0 is the first of its list"),
            Column("term", STRING, "the word or token"),
            Column(
                "score",
                FLOAT32,
                "fires: F1; promotes, suppresses: logit; members: sum of weight x F1",
            ),
            Column("precision", FLOAT32, "fires: of the firings, those on this word"),
            Column("recall", FLOAT32, "fires: of the word's tokens, those it fires on"),
            Column("count", INT64, "fires: firings on the word; members: how many share it"),
        ),
        _terms,
    ),
)
