"""What a page of answers shows of each latent: its label, its components, its strongest example.

Looked up for the rows of one page alone, by their keys: the texts of a very large run alone
are still in a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backend.asked import FIGURES
from backend.contexts import texts
from backend.records import Record
from backend.store import Session

EVIDENCE = (
    "context_id", "position", "activation", "text", "token_starts", "token_ends", "title",
)  # fmt: skip
_NAMES = ("label", "label_auc", "tokens_seen")
_MATCH = ("matched_term", "precision", "recall", "lift")
_MATCHES = ("exact", "", "prefix", "substring")
Key = tuple[str, int]


def with_labels(session: Session, rows: Sequence[Record]) -> list[Record]:
    """Rows of `asked` with all figures of `facets`, label, label_auc, tokens_seen, match and
    n_components."""
    if not rows:
        return []
    has_figures = rows[0].keys() >= set(FIGURES)  # hits have but those that the question is about
    wanted = _NAMES if has_figures else (*_NAMES, *FIGURES)
    known = _facts(session, wanted, [row["key"] for row in rows])
    matches = _matches(session, rows)
    none = dict.fromkeys(_MATCH)
    found = []
    for row in rows:
        place, where = row["place"], row["matched_in"]
        match = where if where in ("label", "number") else None
        if match is None and where is not None:
            match = _MATCHES[place - 1]
        row = {key: value for key, value in row.items() if not key.startswith("band_")}
        row |= none | matches.get(row["key"], {}) | known[row["key"]] | {"match": match}
        row["n_components"] = row["parts"]
        if where == "label":
            row["matched_term"] = row["label"]
        found.append(row)
    return found


def _matches(session: Session, rows: Sequence[Record]) -> dict[int, Record]:
    """What a text found some rows by, where there was a text."""
    if rows[0]["matched_in"] is None:
        return {}
    found = session.query(
        f"select key, {', '.join(_MATCH)} from found where key in (select unnest($keys))",
        keys=[row["key"] for row in rows],
    )
    return {row.pop("key"): row for row in found}


def with_evidence(session: Session, rows: Sequence[Record]) -> list[Record]:
    """Rows with components (None when not decomposed) and the strongest example (or Nones)."""
    if not rows:
        return []
    components = _components(session, rows)
    examples = _examples(session, rows)
    of_contexts = texts(session, [example["context_id"] for example in examples.values()])
    none = dict.fromkeys(EVIDENCE)
    return [
        {
            **row,
            **none,
            **(example := examples.get(row["key"], {})),
            **_shown(of_contexts.get(example.get("context_id", -1), {})),
            "components": components.get(_key(row)),
        }
        for row in rows
    ]


def _shown(context: Record) -> Record:
    return {name: context[name] for name in EVIDENCE if name in context}


def _components(session: Session, rows: Sequence[Record]) -> dict[Key, list[Record]]:
    """Components by the widest meta-SAE of each SAE, heaviest first."""
    shown = {
        row["sae_id"]: row["meta_sae_id"]
        for row in session.query(
            "select parent_sae_id as sae_id, arg_max(sae_id, n_latents) as meta_sae_id from saes "
            "where parent_sae_id is not null group by parent_sae_id"
        )
    }
    parents = {meta: sae_id for sae_id, meta in shown.items()}
    metas = sorted({shown[row["sae_id"]] for row in rows if row["sae_id"] in shown})
    if not metas:
        return {}
    found = session.query(
        """
        select b.sae_id as meta_sae_id, p.latent, p.meta_latent, p.activation,
            b.first_key + p.meta_latent as key
        from (select unnest($latents) as latent) w join parts p using (latent)
        join sae_numbers b using (number)
        where list_contains($metas, b.sae_id) order by p.activation desc, p.meta_latent
        """,
        latents=_numbers(rows),
        metas=metas,
    )
    wanted = {_key(row) for row in rows}
    found = [row for row in found if (parents[row["meta_sae_id"]], row["latent"]) in wanted]
    labels = _facts(session, ("label",), sorted({row["key"] for row in found}))
    listed: dict[Key, list[Record]] = {}
    for row in found:
        part = {
            "meta_sae_id": row["meta_sae_id"],
            "meta_latent": row["meta_latent"],
            "label": labels[row["key"]]["label"],
            "activation": row["activation"],
        }
        listed.setdefault((parents[row["meta_sae_id"]], row["latent"]), []).append(part)
    return listed


def _facts(session: Session, columns: Sequence[str], keys: Sequence[int]) -> dict[int, Record]:
    """Columns of `latent_facts` and of `facet_bands` for some latents, by key."""
    of_bands = [f"b.{column}" for column in columns if column in FIGURES]
    listed = ", ".join([*(f"n.{c}" for c in columns if c not in FIGURES), *of_bands])
    bands = "join facet_bands b using (key)" if of_bands else ""
    found = session.query(
        f"""
        select key, {listed}
        from (select unnest($keys) as key) w join latent_facts n using (key) {bands}
        """,
        keys=list(keys),
    )
    return {row.pop("key"): row for row in found}


def _examples(session: Session, rows: Sequence[Record]) -> dict[int, Record]:
    """The strongest example of each row that has one, by the row's key."""
    found = session.query(
        """
        select key, context_id, position, activation
        from (select unnest($keys) as key) w join best_examples using (key)
        """,
        keys=[row["key"] for row in rows],
    )
    return {row.pop("key"): row for row in found}


def _key(row: Record) -> Key:
    return (row["sae_id"], row["latent"])


def _numbers(rows: Iterable[Record]) -> list[int]:
    return sorted({row["latent"] for row in rows})
