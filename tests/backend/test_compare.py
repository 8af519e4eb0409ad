"""Comparing latents: every figure of the planted run worked out by hand."""

from __future__ import annotations

import math

import pytest

from backend import compare, queries
from backend.compare_pairs import Together, firing_together, not_comparable
from backend.compared import (
    listed_rows,
    part_overlap,
    part_rows,
    shared_nearest,
    with_one,
    without,
)
from backend.store import Run
from tests.compared import all_pairs, item
from tests.planted import DEAD, META, NO_COMPONENT, PLANTED, SMALL, WIDE

WORDS = list(PLANTED)
EINSTEIN, BERLIN, CURIE, PARIS, PLANCK = (
    WORDS.index(word) for word in ("einstein", "berlin", "curie", "paris", "planck")
)
SCIENTIST = 1
STORED = 0.002  # cosines of neighbours are stored to 0.2 %


def test_einstein_and_planck_share_german_and_scientist(run: Run) -> None:
    rows = part_rows([item(run, WIDE, EINSTEIN), item(run, WIDE, PLANCK)])
    # the sums 0.5 + 0.7 and 0.6 + 0.5 put german first; only einstein begins with e
    assert [row.name for row in rows] == ["german", "scientist", "words in e-"]
    assert rows[0].values == pytest.approx((0.5, 0.7), rel=STORED)
    assert rows[0].shares == pytest.approx((0.25 / 0.97, 0.49 / 0.94))
    assert rows[2].values == (pytest.approx(0.4), None)
    assert rows[0].link is not None
    assert rows[0].link.params == {"run": run.name, "sae": META, "latent": "0"}


def test_a_meta_latent_is_the_only_part_of_itself(run: Run) -> None:
    rows = part_rows([item(run, WIDE, EINSTEIN), item(run, META, SCIENTIST)])
    assert rows[0].name == "scientist"
    assert rows[0].values == (pytest.approx(0.6), 1.0)


def test_part_overlap_is_the_cosine_of_the_weights(run: Run) -> None:
    einstein, planck = item(run, WIDE, EINSTEIN), item(run, WIDE, PLANCK)
    # (0.5, 0.6, 0.4).(0.7, 0.5, 0) = 0.65; squared lengths 0.77 and 0.74
    expected = 0.65 / math.sqrt(0.77 * 0.74)
    assert part_overlap(einstein, planck) == (pytest.approx(expected, abs=1e-6), "")
    assert part_overlap(planck, einstein)[0] == pytest.approx(expected, abs=1e-6)
    assert part_overlap(einstein, einstein)[0] == pytest.approx(1.0)
    assert part_overlap(item(run, WIDE, CURIE), item(run, WIDE, PARIS))[0] == 0.0


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((SMALL, 0), "sae-8 is not decomposed"),
        ((META, 0), "a meta-latent is a part and has none"),
        ((WIDE, NO_COMPONENT), "one has no component"),
    ],
)
def test_a_latent_without_components_has_no_overlap(
    run: Run, place: tuple[str, int], words: str
) -> None:
    assert part_overlap(item(run, WIDE, EINSTEIN), item(run, *place)) == (None, words)


def test_a_pair_that_is_not_listed_takes_its_cosine_from_the_directions(run: Run) -> None:
    (pair,) = all_pairs(run, (WIDE, EINSTEIN), (WIDE, PLANCK))
    assert pair.cosine == pytest.approx(0.85 / math.sqrt(0.97 * 0.94), abs=0.01)
    # scientist is a unit direction, and none of the nearest of planck
    (pair,) = all_pairs(run, (WIDE, PLANCK), (META, SCIENTIST))
    assert pair.cosine == pytest.approx(0.5 / math.sqrt(0.94), abs=0.01)


def test_a_listed_pair_takes_the_stored_cosine_whoever_lists_it(run: Run) -> None:
    # latent 0 lists 1, 2 and 3 at 0.9, 0.7 and 0.5; latent 2 does not list 0
    for places in (((WIDE, 0), (WIDE, 2)), ((WIDE, 2), (WIDE, 0))):
        assert all_pairs(run, *places)[0].cosine == pytest.approx(0.7, rel=STORED)


def test_a_cosine_that_nobody_stored_is_words_and_no_number(run: Run) -> None:
    (pair,) = all_pairs(run, (SMALL, 0), (SMALL, 4))
    assert pair.cosine is None
    assert pair.cosine_words == (
        "not among the nearest of either, and the directions of sae-8 are not stored"
    )


def test_firing_together_from_the_list_of_either(run: Run) -> None:
    # on 8 of 10,000 tokens, 10 each: 8 / 12; by chance 10 x 10 / 10,000 = 0.01, so 800 times
    (pair,) = all_pairs(run, (WIDE, EINSTEIN), (WIDE, BERLIN))
    both = pair.together
    assert both is not None
    assert both == Together(8, 10, 10, 10_000)
    assert both.jaccard == pytest.approx(8 / 12)
    assert both.by_chance == pytest.approx(0.01)
    assert both.lift == pytest.approx(800)
    (back,) = all_pairs(run, (WIDE, BERLIN), (WIDE, EINSTEIN))
    assert back.together == both


def test_counts_of_a_pair_keep_their_order() -> None:
    row = {"rank": 0, "other_latent": 7, "together": 2, "fired": 3, "other_fired": 5}
    lists = {4: [{**row, "tokens_seen": 100}]}
    assert firing_together(lists, 4, 7, 1)[0] == Together(2, 3, 5, 100)
    assert firing_together(lists, 7, 4, 1)[0] == Together(2, 5, 3, 100)


def test_a_pair_that_is_not_listed_has_a_bound(run: Run) -> None:
    # both lists are full (2) and end at 4 of 10 and 10 tokens: 4 / 16
    (pair,) = all_pairs(run, (WIDE, EINSTEIN), (WIDE, PLANCK))
    assert pair.together is None
    assert pair.together_words == "Jaccard at most 0.250: not among the 2 nearest of either"


def test_the_list_that_ends_lower_gives_the_bound() -> None:
    # 4 / (10 + 10 - 4) = 0.25 and 1 / (10 + 11 - 1) = 0.05: a pair above that would be listed
    row = {"rank": 0, "other_latent": 9, "fired": 10, "tokens_seen": 100}
    lists = {
        4: [{**row, "together": 4, "other_fired": 10}],
        7: [{**row, "together": 1, "other_fired": 11}],
    }
    assert firing_together(lists, 4, 7, 1)[1].startswith("Jaccard at most 0.050")
    assert firing_together(lists, 7, 4, 1)[1].startswith("Jaccard at most 0.050")


def test_a_list_with_room_bounds_nothing() -> None:
    row = {"rank": 0, "other_latent": 9, "together": 2, "fired": 3, "other_fired": 5}
    lists = {4: [{**row, "tokens_seen": 100}]}
    assert firing_together(lists, 4, 7, 3) == (
        None,
        "not listed, though a list has room: on no token, or on too few to be listed",
    )
    assert firing_together({}, 4, 7, 0) == (None, "not counted in this run")


def test_pairs_are_symmetric_and_a_latent_is_like_itself(run: Run) -> None:
    places = [(WIDE, EINSTEIN), (WIDE, PLANCK), (META, SCIENTIST), (SMALL, 0)]
    there = {(p.first, p.second): p for p in all_pairs(run, *places)}
    back = {(3 - p.second, 3 - p.first): p for p in all_pairs(run, *places[::-1])}
    for key, pair in there.items():
        other = back[key]
        assert pair.cosine == pytest.approx(other.cosine)
        assert pair.overlap == pytest.approx(other.overlap)
        assert pair.n_common == other.n_common
        assert pair.together_words == other.together_words
    (same,) = all_pairs(run, (WIDE, EINSTEIN), (WIDE, EINSTEIN))
    assert same.cosine == 1.0
    assert same.overlap == pytest.approx(1.0)
    assert same.n_common == 3


def test_words_of_both_come_first_then_the_best_of_each() -> None:
    rows = listed_rows([{"a": 0.9, "b": 0.5, "c": 0.4}, {"c": 0.1, "d": 0.8}], most_own=1)
    assert [(row.name, row.values) for row in rows] == [
        ("c", (0.4, 0.1)),
        ("a", (0.9, None)),
        ("d", (None, 0.8)),
    ]


def test_nearest_latents_that_two_share(run: Run) -> None:
    items = [item(run, WIDE, 0), item(run, WIDE, 1)]
    near = shared_nearest(items, [compare.nearest(run, WIDE, latent) for latent in (0, 1)])
    # 0 lists 1, 2, 3 and 1 lists 2, 3, 4 of their own SAE: they share 2 (0.7, 0.9) and 3
    assert near[run.name, WIDE, 2] == pytest.approx((0.7, 0.9), rel=STORED)
    assert near[run.name, WIDE, 3] == pytest.approx((0.5, 0.7), rel=STORED)
    assert (run.name, WIDE, 1) not in near
    assert next(iter(near.values())) == pytest.approx((0.7, 0.9), rel=STORED)


def test_names_and_novelty_of_several_at_once(run: Run) -> None:
    assert compare.names(run, [(WIDE, 0), (META, 1), (WIDE, 28), ("no", 1)]) == {
        (WIDE, 0): "einstein",
        (META, 1): "scientist",
        (WIDE, 28): "latent 28",
    }
    found = compare.novelty(run, WIDE, [9, DEAD, 99])
    assert {latent: rows[0]["kind"] for latent, rows in found.items()} == {9: "novel", 28: "silent"}
    assert found[9][0]["nearest_label"] == "german"


def test_addresses_with_one_latent_more_or_less(run: Run) -> None:
    items = [item(run, WIDE, latent) for latent in (0, 6, 2)]
    assert without(items, 1).params == {"run": "planted", "a": "sae-32/0", "b": "sae-32/2"}
    more = with_one(items, ("other:sae-8", 3), "planted")
    assert more is not None
    assert more.params["d"] == "other:sae-8/3"
    assert with_one(items, (WIDE, 6), "planted") is None
    assert with_one([*items, item(run, WIDE, 4)], (WIDE, 5), "planted") is None


def test_directions_of_other_models_places_or_sizes_are_not_comparable(run: Run) -> None:
    small, meta = (next(s for s in queries.saes(run) if s["sae_id"] == i) for i in (SMALL, META))
    assert not_comparable(run, small, run, small) == ""
    # a meta-latent lives where the SAE that it splits does
    assert not_comparable(run, small, run, {**meta, "hook_name": "decoder of sae-32"}) == ""
    other = {**small, "hook_name": "hidden_states[3]"}
    assert "different places" in not_comparable(run, small, run, other)
    assert "6 and 8 dimensions" in not_comparable(run, small, run, {**small, "d_in": 8})


def test_pairs_to_start_with_are_named_differently(run: Run) -> None:
    found = compare.suggested(run)
    # the best of each strongest component; each has the next latent as its nearest
    assert [row["label"] for row in found[0]] == ["einstein", "berlin"]
    assert all(one["label"] != other["label"] for one, other in found)
