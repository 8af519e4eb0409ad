"""Latents that stand for one entity, and the facts that are known about it.

1. Entities are the single words that key a fact table: cities, first names, nouns, verb forms, ...
2. A latent stands for an entity when the entity is its best term and the term names it (by the
   rule of labels, F1 of at least 0.5); of several such latents the one of highest F1 is taken.
3. Its values are the cells of the table. Terms are in lower case, so that a name cannot be told
   from a word that is written the same: a name that is also a common word is left out, and so is
   a surname that is a word or a name of any other table.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from precompute.corpus.grammar import decade
from precompute.corpus.tables import FACTS_FOLDER, read_table
from precompute.terms import SINGLE_TERM_SCORE

TRUST_FACTS = Path(__file__).with_name("facts")
DECADE = "birth decade"  # the one attribute that no cell holds: it is read from `birth_year`


@dataclass(frozen=True)
class Kind:
    """One fact table: what its rows are, the column of their names, and the attributes read."""

    name: str
    path: Path
    attributes: tuple[str, ...]
    key: str = "name"
    is_proper: bool = False


KINDS = (
    Kind("noun", TRUST_FACTS / "nouns.tsv", ("category",)),
    Kind("verb", TRUST_FACTS / "verb_forms.tsv", ("form",)),
    Kind("animal", FACTS_FOLDER / "animals.tsv", ("group",)),
    Kind("food", FACTS_FOLDER / "foods.tsv", ("kind",)),
    Kind("object", FACTS_FOLDER / "objects.tsv", ("colour", "size", "texture")),
    Kind("element", FACTS_FOLDER / "elements.tsv", ("group", "state")),
    Kind("instrument", FACTS_FOLDER / "instruments.tsv", ("family",)),
    Kind("occupation", FACTS_FOLDER / "occupations.tsv", ("industry", "place")),
    Kind("language", FACTS_FOLDER / "languages.tsv", ("family", "script")),
    Kind("city", TRUST_FACTS / "cities.tsv", ("country", "continent", "language"), is_proper=True),
    Kind("country", FACTS_FOLDER / "countries.tsv", ("continent", "language"), is_proper=True),
    Kind("first name", TRUST_FACTS / "first_names.tsv", ("gender",), is_proper=True),
    Kind("artist", FACTS_FOLDER / "artists.tsv", ("art", "nationality"), "surname", True),
    Kind("scientist", FACTS_FOLDER / "scientists.tsv", ("field", "nationality"), "surname", True),
    Kind("laureate", FACTS_FOLDER / "laureates.tsv", ("field", "country", DECADE), "surname", True),
)


@dataclass(frozen=True)
class EntityLatents:
    """Latents that stand for an entity each, ascending, and what is known about it.

    Attributes:
        latent: int64 [n].
        entity: str [n], the word in lower case; no word and no latent comes twice.
        values: by attribute ("city: country") the values, str [n]; "" where none is known. The
            entities with a value of some attribute of a kind are those of the kind.
    """

    latent: np.ndarray
    entity: np.ndarray
    values: dict[str, np.ndarray]

    def shuffled(self, seed: int) -> EntityLatents:
        """The same latents with the facts of others: the control.

        Words are dealt out anew among all entities; the values of a kind among its entities, all
        attributes of an entity together, so that every count and every pair of values stays.
        """
        rng = np.random.default_rng(seed)
        values = {name: of.copy() for name, of in self.values.items()}
        by_kind = defaultdict(list)
        for name in values:
            by_kind[kind_of(name)].append(name)
        for names in by_kind.values():
            members = np.flatnonzero(np.any([values[name] != "" for name in names], axis=0))
            dealt = rng.permutation(members)
            for name in names:
                values[name][members] = self.values[name][dealt]
        return EntityLatents(self.latent, rng.permutation(self.entity), values)


def kind_of(attribute: str) -> str:
    """The kind of whose entities it is an attribute: city, for "city: country"."""
    return attribute.partition(": ")[0]


def best_words(latents: pa.Table, sae_id: str) -> list[str]:
    """Best term of every latent of an SAE, by latent; "" for one without terms."""
    rows = latents.filter(pc.field("sae_id") == sae_id).sort_by([("latent", "ascending")])
    return [terms[0]["term"] if terms else "" for terms in rows["top_terms"].to_pylist()]


def entity_latents(
    latents: pa.Table,
    sae_id: str,
    min_score: float = SINGLE_TERM_SCORE,
    min_precision: float = 0.0,
    kinds: tuple[Kind, ...] = KINDS,
) -> EntityLatents:
    """Find the latents of an SAE that stand for an entity of the fact tables.

    Args:
        latents: a run's table of that name, of any SAE mixture.
        min_score: least F1 of weighted precision and recall between latent and word.
        min_precision: least share of the latent's word firings that are on the word. Unlike the
            score it counts weak firings in full, which few latents of a narrow model survive.
    """
    rows = latents.filter(pc.field("sae_id") == sae_id).sort_by([("latent", "ascending")])
    facts = known_facts(kinds)
    found: dict[str, tuple[float, int]] = {}
    for latent, terms in enumerate(rows["top_terms"].to_pylist()):
        if not terms or terms[0]["term"] not in facts:
            continue
        best = terms[0]
        if best["score"] >= min_score and best["precision"] >= min_precision:
            own = (best["score"], -latent)  # the lower latent wins a tie
            found[best["term"]] = max(found.get(best["term"], own), own)
    words = sorted(found, key=lambda word: -found[word][1])
    attributes = [f"{kind.name}: {name}" for kind in kinds for name in kind.attributes]
    return EntityLatents(
        latent=np.array([-found[word][1] for word in words], np.int64),
        entity=np.array(words, dtype=np.str_),
        values={
            name: np.array([facts[word].get(name, "") for word in words], dtype=np.str_)
            for name in attributes
        },
    )


@cache
def known_facts(kinds: tuple[Kind, ...] = KINDS) -> dict[str, dict[str, str]]:
    """By word in lower case its values by attribute; see the module docstring for who is left out.

    Of namesakes within a table (two laureates of one surname) only what they share is known.
    """
    tables = {kind.name: _facts_of(kind) for kind in kinds}
    common = {w for kind in kinds if not kind.is_proper for w in tables[kind.name]}
    others = {w for kind in kinds if kind.key != "surname" for w in tables[kind.name]}
    known: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for kind in kinds:
        taken = others if kind.key == "surname" else common if kind.is_proper else set()
        for word, values in tables[kind.name].items():
            if values and word not in taken:
                known[word] |= {f"{kind.name}: {name}": value for name, value in values.items()}
    return dict(known)


def _facts_of(kind: Kind) -> dict[str, dict[str, str]]:
    """Values by attribute of every single word that names a row of the table."""
    found: dict[str, dict[str, str]] = {}
    for row in read_table(kind.path):
        word = str(row[kind.key]).lower()
        if not word.isalpha():
            continue
        values = {
            name: decade(row["birth_year"]) if name == DECADE else str(row[name])
            for name in kind.attributes
        }
        shared = found.setdefault(word, values)
        found[word] = {name: v for name, v in shared.items() if values.get(name) == v}
    return found
