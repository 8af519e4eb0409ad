"""Precision at k on decompositions whose explanations are written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.trust.explained import (
    Explained,
    explained_components,
    explained_rows,
    precision_at,
)
from tests.precompute.trust.planted_entities import decomposition_of, entities_of

COUNTRY = "city: country"
# of 16 cities: 5 in France (31 %), 5 in Italy, 6 in countries of their own
COUNTRIES = ["France"] * 5 + ["Italy"] * 5 + list("abcdef")
NO_WORDS = [""] * 20  # nothing can be explained by spelling


def by_attribute(parts: dict[int, list[tuple[int, float]]], values: dict[str, list[str]]):
    """Which of the components, entity by entity, an attribute explains."""
    found = explained_components(decomposition_of(parts), 4, NO_WORDS, entities_of(values))
    assert not found.by_spelling.any()
    return found.by_attribute.tolist()


def with_part(*latents: int) -> dict[int, list[tuple[int, float]]]:
    return {latent: [(0, 1.0)] for latent in latents}


def test_a_value_that_the_others_share_explains_a_component():
    assert by_attribute(with_part(0, 1, 2, 3), {COUNTRY: COUNTRIES}) == [True] * 4


def test_three_others_are_needed():
    assert by_attribute(with_part(0, 1, 2), {COUNTRY: COUNTRIES}) == [False] * 3


def test_the_share_must_be_twice_that_of_the_kind():
    # three of four others: 75 %, at least 2 x 31 %. The city in Italy has no other from there.
    found = by_attribute(with_part(0, 1, 2, 3, 5), {COUNTRY: COUNTRIES})
    assert found == [True] * 4 + [False]
    # three of five others: 60 %, below 62.5 %
    assert by_attribute(with_part(0, 1, 2, 3, 5, 6), {COUNTRY: COUNTRIES}) == [False] * 6


def test_at_least_half_of_the_others_must_share_it():
    # of 32 cities 5 in France: 16 %. Two of five others are 40 %, more than twice that.
    wide = {COUNTRY: ["France"] * 5 + ["Italy"] * 5 + [f"c{i}" for i in range(22)]}
    parts = with_part(0, 1, 2, 29, 30, 31)
    entities = entities_of(wide)
    found = explained_components(decomposition_of(parts), 1, [""] * 32, entities)
    assert not found.by_attribute.any()
    found = explained_components(
        decomposition_of(with_part(0, 1, 2, 30, 31)), 1, [""] * 32, entities
    )
    assert found.by_attribute.tolist() == [True] * 3 + [False] * 2  # two of four


def test_only_entities_of_the_kind_count_as_others():
    # the same component on four nouns, which have no country
    values = {COUNTRY: [*COUNTRIES, *[""] * 4], "noun: category": [""] * 16 + ["fruit"] * 4}
    found = by_attribute(with_part(0, 1, 2, 3, 16, 17, 18, 19), values)
    assert found == [True] * 4 + [False] * 4  # all nouns are fruit: no more than usual


def test_any_attribute_will_do():
    values = {"city: x": list("abcdefghijklmnop"), COUNTRY: COUNTRIES}
    assert by_attribute(with_part(0, 1, 2, 3), values) == [True] * 4


def by_spelling(words: str, parts: dict[int, list[tuple[int, float]]], own: int) -> bool:
    """Whether spelling explains the only component of latent `own`, the only entity."""
    best = words.split()
    entities = entities_of({COUNTRY: ["France"]}, [best[own]], [own])
    found = explained_components(decomposition_of(parts), 1, best, entities)
    assert not found.by_attribute.any() and len(found.by_spelling) == 1
    return bool(found.by_spelling[0])


def test_words_that_begin_alike_explain_a_component():
    words = "stone stamp stars style rover melon badge camel delta eager"
    # of ten words four begin with "st": three of three others, and 40 % of all
    assert by_spelling(words, with_part(0, 1, 2, 3), 0)
    # two of four others: half, but less than twice 40 %
    assert not by_spelling(words, with_part(0, 1, 2, 4, 5), 0)


def test_words_that_end_alike_explain_a_component():
    words = "walked talked jumped folded rover melon badge camel delta eager"
    assert by_spelling(words, with_part(0, 1, 2, 3), 0)
    assert not by_spelling(words, with_part(4, 1, 2, 3), 4)


def test_numbers_explain_a_number():
    words = "1914 26 7 803 rover melon badge camel delta eager"
    assert by_spelling(words, with_part(0, 1, 2, 3), 0)


def test_the_same_word_again_is_no_other_word():
    words = "stone stone stone stars style rover melon badge camel delta"
    assert not by_spelling(words, with_part(0, 1, 2, 3, 4), 0)  # two words, three are needed


def test_only_the_twenty_strongest_words_are_read():
    letters = "abcdefghijklmnopqrstuvwxyz"
    alike = [f"st{letter}x" for letter in letters[:10]]  # latents 1 to 10
    others = [f"{letter}{end}" for end in ("qw", "zv") for letter in letters]
    words = " ".join(["stone", *alike, *others])  # "st" is rare: 11 of 63 words
    strongest = {0: [(0, 9.0)], **{i: [(0, 2.0 if i > 10 else 1.5)] for i in range(1, 21)}}
    weaker = {i: [(0, 1.0)] for i in range(21, 60)}
    assert by_spelling(words, {**strongest, **weaker}, 0)  # 10 of 20
    pushing = {i: [(0, 3.0)] for i in (21, 22)}
    assert not by_spelling(words, {**strongest, **pushing}, 0)  # 8 of 20


def found_of(rows: list[list[tuple[int, int]]]) -> Explained:
    """Components by entity, each (by attribute, by spelling)."""
    flat = [(e, place, *ways) for e, own in enumerate(rows) for place, ways in enumerate(own)]
    entity, place, attribute, spelling = (np.array(column) for column in zip(*flat, strict=True))
    return Explained(entity, place, attribute.astype(bool), spelling.astype(bool))


def test_precision_is_the_mean_over_entities_with_enough_components():
    found = found_of([[(1, 0), (0, 0), (0, 1)], [(0, 0), (1, 1)], [(0, 1)]])
    first = precision_at(found, 1)
    assert (first.either, first.by_attribute, first.by_spelling, first.n) == pytest.approx(
        (2 / 3, 1 / 3, 1 / 3, 3)
    )
    assert first.half_widths[0] == pytest.approx(1.96 * np.std([1, 0, 1]) / 3**0.5)
    two = precision_at(found, 2)  # halves of both
    assert (two.either, two.by_attribute, two.by_spelling, two.n) == (0.5, 0.5, 0.25, 2)
    assert precision_at(found, 3).either == pytest.approx(2 / 3)
    assert precision_at(found, 4).n == 0


def test_components_come_in_order_of_weight():
    # meta-latent 3 is that of France, 0 is on everything; France weighs more in latents 0 and 1
    parts = {i: [(0, 0.5), (3, 0.9 if i < 2 else 0.1)] for i in range(5)}
    parts |= {i: [(0, 0.5)] for i in range(5, 16)}
    found = explained_components(
        decomposition_of(parts), 4, NO_WORDS, entities_of({COUNTRY: COUNTRIES})
    )
    assert found.entity[:6].tolist() == [0, 0, 1, 1, 2, 2]
    assert found.by_attribute[:6].tolist() == [True, False, True, False, False, True]
    assert precision_at(found, 1).either == pytest.approx(2 / 16)
    assert precision_at(found, 2).either == pytest.approx(0.5)


@pytest.fixture(scope="module")
def planted() -> tuple[Explained, Explained]:
    """60 cities in 12 countries; one component is the country, the other is noise. And shuffled."""
    rng = np.random.default_rng(0)
    countries = [f"c{i % 12}" for i in range(60)]
    parts = {i: [(i % 12, 0.9), (int(rng.integers(12, 24)), 0.4)] for i in range(60)}
    words = [f"{chr(97 + i % 12)}{i}" for i in range(60)]
    entities = entities_of({COUNTRY: countries}, words)
    shown = decomposition_of(parts)
    return (
        explained_components(shown, 24, words, entities),
        explained_components(shown, 24, words, entities.shuffled(0)),
    )


def test_shuffled_facts_and_words_explain_next_to_nothing(planted):
    real, shuffled = (precision_at(found, 1) for found in planted)
    assert (real.by_attribute, real.by_spelling) == (1.0, 1.0)  # words begin by country
    assert shuffled.by_attribute < 0.1 and shuffled.by_spelling < 0.2
    assert precision_at(planted[0], 2).by_attribute == pytest.approx(0.5, abs=0.05)


def test_rows_hold_every_k_and_the_control(planted):
    rows = explained_rows("meta-24", *planted)
    found = {(row["setting"], row["metric"]): row for row in rows}
    assert len(found) == len(rows) == 2 * 4 * 3
    assert {(row["experiment"], row["subject"]) for row in rows} == {("explained", "meta-24")}
    first = found["first 1 components", "precision"]
    assert (first["value"], first["n"]) == (1.0, 60)
    assert found["first 2 components", "by_attribute"]["n"] == 60
    assert found["first 3 components", "precision"]["n"] == 0  # nobody has three
    control = found["first 1 components, shuffled", "by_spelling"]
    assert control["ci_low"] <= control["value"] <= control["ci_high"]
