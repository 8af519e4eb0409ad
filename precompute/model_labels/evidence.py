"""What a prompt may say about a latent: only what the pages of its run show too.

For a meta-latent that is its strongest members with their labels and words, and one example of
the first of them; for a latent its words, the tokens that it promotes and its strongest examples.
Labels that people or a model wrote are left out, so that one answer never leads to the next.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

WHAT = ("meta", "latents", "both")
MEMBERS, MEMBER_TERMS, MEMBER_TEXTS = 15, 3, 5
TERMS, PROMOTED, TEXTS = 8, 5, 6
CHARACTERS = 70  # of text on each side of a token


@dataclass(frozen=True)
class Evidence:
    """One latent and what is known of it; `members` are (label, words), strongest first."""

    sae_id: str
    latent: int
    count: int
    members: tuple[tuple[str, tuple[str, ...]], ...] = ()
    terms: tuple[str, ...] = ()
    promoted: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.members or self.terms or self.texts)


def sae_rows(folder: Path) -> list[dict[str, Any]]:
    """Rows of `saes`."""
    return pq.read_table(folder / "saes.parquet").to_pylist()


def asked_saes(saes: list[dict[str, Any]], what: str, sae_id: str | None) -> list[dict[str, Any]]:
    """The SAEs whose latents are to be labelled: of the kind in `what`, or the one named."""
    if sae_id is not None:
        return [row for row in saes if row["sae_id"] == sae_id]
    kinds = {"meta": ("meta",), "latents": ("sae",), "both": ("meta", "sae")}[what]
    return [row for row in saes if row["kind"] in kinds]


def run_evidence(folder: Path, asked: list[dict[str, Any]]) -> list[Evidence]:
    """Evidence for every latent of the SAEs `asked` that has any, those that fire most first."""
    needed = sorted({row["parent_sae_id"] or row["sae_id"] for row in asked})
    own = sorted({row["sae_id"] for row in asked})
    facts = _latent_facts(folder, sorted({*needed, *own}))
    texts = _Texts(folder, needed)
    found = []
    for row in asked:
        sae_id = row["sae_id"]
        members = strongest_members(folder, sae_id) if row["kind"] == "meta" else None
        for latent in range(row["n_latents"]):
            if members is None:
                found.append(_latent_evidence(facts, texts, sae_id, latent))
            else:
                strongest = [(row["parent_sae_id"], other) for other in members.get(latent, ())]
                found.append(_meta_evidence(facts, texts, (sae_id, latent), strongest))
    kept = [evidence for evidence in found if evidence.count and not evidence.is_empty]
    return sorted(kept, key=lambda evidence: -evidence.count)  # stable: ties by SAE and index


def _latent_evidence(
    facts: dict[tuple[str, int], dict[str, Any]], texts: _Texts, sae_id: str, latent: int
) -> Evidence:
    fact = facts[sae_id, latent]
    return Evidence(
        sae_id,
        latent,
        fact["count"],
        terms=tuple(fact["terms"]),
        promoted=tuple(fact["promoted"]),
        texts=tuple(texts.of(sae_id, latent, TEXTS)),
    )


def _meta_evidence(
    facts: dict[tuple[str, int], dict[str, Any]],
    texts: _Texts,
    key: tuple[str, int],
    strongest: list[tuple[str, int]],
) -> Evidence:
    shown = [texts.of(*member, 1) for member in strongest[:MEMBER_TEXTS]]
    return Evidence(
        *key,
        facts[key]["count"],
        members=tuple(
            (facts[member]["label"], tuple(facts[member]["terms"][:MEMBER_TERMS]))
            for member in strongest
            if facts[member]["label"] or facts[member]["terms"]
        ),
        promoted=tuple(facts[key]["promoted"]),
        texts=tuple(text for one in shown for text in one),
    )


def _latent_facts(folder: Path, sae_ids: list[str]) -> dict[tuple[str, int], dict[str, Any]]:
    names = ["sae_id", "latent", "label", "count", "top_terms", "promoted"]
    table = pq.read_table(
        folder / "latents.parquet", columns=names, filters=[("sae_id", "in", sae_ids)]
    )
    columns = {
        "sae_id": table["sae_id"],
        "latent": table["latent"],
        "label": table["label"],
        "count": table["count"],
        "terms": _names_alone(table["top_terms"], "term"),
        "promoted": _names_alone(table["promoted"], "token"),
    }
    rows = pa.table(columns).to_pylist()
    return {
        (row["sae_id"], row["latent"]): {
            **row,
            "label": _one_line(row["label"]),
            "terms": [_one_line(term) for term in row["terms"][:TERMS]],
            "promoted": [_one_line(token) for token in row["promoted"][:PROMOTED]],
        }
        for row in rows
    }


def _names_alone(column: pa.ChunkedArray, name: str) -> pa.Array:
    """The lists of a column with one field of their structs: a tenth of the Python objects."""
    lists = column.combine_chunks()
    return pa.ListArray.from_arrays(lists.offsets, lists.values.field(name))


def strongest_members(folder: Path, meta_sae_id: str) -> dict[int, list[int]]:
    """For each meta-latent the `MEMBERS` latents that its prompt shows, heaviest first.

    A test of the labels on members must leave these out: the model has seen them.
    """
    table = pq.read_table(
        folder / "members.parquet",
        columns=["meta_latent", "latent", "activation"],
        filters=[("meta_sae_id", "==", meta_sae_id)],
    )
    rows = zip(*(table[name].to_pylist() for name in table.column_names), strict=True)
    found: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
    for meta_latent, latent, activation in rows:
        found[meta_latent].append((-activation, latent))
    return {
        meta_latent: [latent for _, latent in sorted(weighted)[:MEMBERS]]
        for meta_latent, weighted in found.items()
    }


class _Texts:
    """Strongest shown examples of latents, cut around the token where they fire."""

    def __init__(self, folder: Path, sae_ids: list[str]) -> None:
        table = pq.read_table(
            folder / "examples.parquet",
            columns=["sae_id", "latent", "rank", "context_id", "position"],
            filters=[("group", "==", "top"), ("rank", "<", TEXTS), ("sae_id", "in", sae_ids)],
        )
        self._places: defaultdict[tuple[str, int], list[tuple[int, int, int]]] = defaultdict(list)
        for row in zip(*(table[name].to_pylist() for name in table.column_names), strict=True):
            sae_id, latent, *place = row
            self._places[sae_id, latent].append(tuple(place))
        contexts = pq.read_table(
            folder / "contexts.parquet",
            columns=["context_id", "text", "token_starts", "token_ends"],
        )
        self._contexts = {row["context_id"]: row for row in contexts.to_pylist()}

    def of(self, sae_id: str, latent: int, n: int) -> list[str]:
        """The first `n` examples of a latent."""
        places = sorted(self._places.get((sae_id, latent), ()))[:n]
        return [self._cut(context_id, position) for _, context_id, position in places]

    def _cut(self, context_id: int, position: int) -> str:
        context = self._contexts[context_id]
        text = context["text"]
        start, end = context["token_starts"][position], context["token_ends"][position]
        first, last = max(0, start - CHARACTERS), end + CHARACTERS
        before = ("…" if first else "") + text[first:start]
        after = text[end:last] + ("…" if last < len(text) else "")
        return _one_line(f"{before}[[{text[start:end]}]]{after}")


def _one_line(text: str) -> str:
    return " ".join(text.split())
