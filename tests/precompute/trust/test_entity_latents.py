"""Which latents stand for an entity, and what the fact tables say about it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from precompute.trust.entity_latents import (
    KINDS,
    Kind,
    best_words,
    entity_latents,
    kind_of,
    known_facts,
)

Terms = list[tuple[str, float, float]]  # term, score, precision

CITY = "city: country"


def latents_table(terms: list[Terms], sae_id: str = "sae-8") -> pa.Table:
    """The columns of `latents` that are read."""
    rows = [
        {
            "sae_id": sae_id,
            "latent": latent,
            "top_terms": [
                {"term": t, "score": s, "precision": p, "recall": 0.5, "count": 9}
                for t, s, p in own
            ],
        }
        for latent, own in enumerate(terms)
    ]
    return pa.Table.from_pylist(rows)


def write_table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(line.replace(" | ", "\t") for line in lines) + "\n")
    return path


@pytest.fixture
def kinds(tmp_path: Path) -> tuple[Kind, ...]:
    """Nouns, cities and laureates that share some words."""
    nouns = write_table(tmp_path / "nouns.tsv", "name | category", "rain | weather", "bath | room")
    cities = write_table(
        tmp_path / "cities.tsv", "name | country", "Lyon | France", "Bath | England", "York | UK"
    )
    laureates = write_table(
        tmp_path / "laureates.tsv",
        "name | surname | field | birth_year",
        "Marie Curie | Curie | Physics | 1867",
        "Irene Curie | Curie | Chemistry | 1867",
        "Anne York | York | Physics | 1900",
        "Ann van Rain | van Rain | Physics | 1900",
        "Max Born | Born | Physics | 1882",
    )
    return (
        Kind("noun", nouns, ("category",)),
        Kind("city", cities, ("country",), is_proper=True),
        Kind("laureate", laureates, ("field", "birth decade"), "surname", True),
    )


def test_an_entity_has_the_latent_that_its_word_names_best():
    table = latents_table(
        [
            [("paris", 0.6, 0.4)],
            [("paris", 0.9, 0.4), ("lyon", 0.8, 0.4)],  # lyon is not what it stands for
            [("lyon", 0.49, 0.4)],  # no word names it
            [],
            [("tuesday", 0.7, 0.4)],
            [("of", 0.9, 0.9)],  # in no table
        ]
    )
    found = entity_latents(
        pa.concat_tables([latents_table([[("rome", 1.0, 1.0)]], "x"), table]), "sae-8"
    )
    assert found.latent.tolist() == [1, 4]
    assert found.entity.tolist() == ["paris", "tuesday"]
    assert found.values[CITY].tolist() == ["France", ""]
    assert found.values["noun: category"].tolist() == ["", "weekday"]


def test_thresholds_are_those_asked_for_and_the_lower_latent_wins_a_tie():
    table = latents_table([[("paris", 0.3, 0.6)], [("rome", 0.4, 0.2)], [("paris", 0.3, 0.7)]])
    assert entity_latents(table, "sae-8").latent.tolist() == []
    assert entity_latents(table, "sae-8", min_score=0.3).latent.tolist() == [0, 1]
    assert entity_latents(table, "sae-8", 0.0, min_precision=0.5).entity.tolist() == ["paris"]


def test_the_best_word_of_a_latent_is_its_first_term():
    table = latents_table([[("b", 0.2, 0.1), ("a", 0.1, 0.1)], []])
    other = latents_table([[("c", 0.2, 0.1)]], "sae-4")
    assert best_words(pa.concat_tables([other, table]), "sae-8") == ["b", ""]


def test_a_name_that_may_mean_something_else_is_left_out(kinds):
    known = known_facts(kinds)
    assert known["bath"] == {"noun: category": "room"}  # the city is also a noun
    assert known["york"] == {CITY: "UK"}  # the laureate is also a city
    assert "van rain" not in known  # two words


def test_of_namesakes_only_what_they_share_is_known(kinds):
    known = known_facts(kinds)
    assert known["curie"] == {"laureate: birth decade": "the 1860s"}
    assert known["born"] == {"laureate: field": "Physics", "laureate: birth decade": "the 1880s"}


def test_shuffling_keeps_counts_and_pairs_of_values():
    words = ["paris", "lyon", "rome", "oslo", "tokyo", "cairo", "monday", "tuesday", "red", "horse"]
    found = entity_latents(latents_table([[(word, 0.9, 0.9)] for word in words]), "sae-8")
    shuffled = found.shuffled(0)
    names = (CITY, "city: continent")
    pairs, dealt = (
        Counter(zip(*(of.values[name] for name in names), strict=True)) for of in (found, shuffled)
    )
    assert dealt == pairs
    for name, values in found.values.items():
        assert np.array_equal(values == "", shuffled.values[name] == "")  # kinds stay
    assert Counter(shuffled.entity.tolist()) == Counter(found.entity.tolist())
    assert shuffled.entity.tolist() != found.entity.tolist()
    assert shuffled.values[CITY].tolist() != found.values[CITY].tolist()
    assert found.shuffled(0).entity.tolist() == shuffled.entity.tolist()


def test_every_committed_table_tells_something():
    told = Counter(name for values in known_facts().values() for name in values)
    assert set(told) == {f"{kind.name}: {name}" for kind in KINDS for name in kind.attributes}
    assert min(told.values()) >= 20
    assert {kind_of(name) for name in told} == {kind.name for kind in KINDS}
    assert known_facts()["berlin"] == {
        CITY: "Germany", "city: continent": "Europe", "city: language": "German"
    }  # fmt: skip
    assert known_facts()["einstein"]["laureate: field"] == "Physics"
    assert known_facts()["wrote"] == {"verb: form": "past"}
