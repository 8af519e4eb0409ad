"""Attribute recovery on codes whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from precompute.trust.attributes import (
    Probe,
    Recovery,
    attribute_probes,
    attribute_recovery,
    attribute_rows,
    auroc,
    mean_over_values,
    strongest_only,
)
from tests.precompute.trust.planted_entities import entities_of

COUNTRY = "city: country"
COUNTRIES = ["France"] * 10 + ["Italy"] * 11 + ["Spain"] * 9 + ["Malta"] * 4


@pytest.fixture
def entities():
    """34 cities in four countries, and 6 nouns that have no country."""
    return entities_of({COUNTRY: COUNTRIES + [""] * 6, "noun: category": [""] * 34 + ["fruit"] * 6})


def test_a_tie_counts_one_half():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 3, (30, 7)).astype(np.float32)  # mostly ties
    positive = rng.uniform(size=(30, 4)) < 0.4
    expected = [[roc_auc_score(own, part) for part in scores.T] for own in positive.T]
    np.testing.assert_allclose(auroc(scores, positive), expected, rtol=1e-12)


def test_values_that_few_entities_have_or_lack_do_not_count(entities):
    (probe,) = attribute_probes(entities, 0)  # all nouns are fruit
    assert probe.attribute == COUNTRY
    assert probe.values.tolist() == ["France", "Italy", "Spain"]  # Malta: 4
    assert probe.members.tolist() == list(range(34))
    assert probe.has_value.sum(0).tolist() == [10, 11, 9]
    lacking = entities_of({COUNTRY: ["France"] * 6 + ["Italy"] * 4})
    assert attribute_probes(lacking, 0) == []


def test_every_half_holds_enough_of_every_value():
    crowd = entities_of({COUNTRY: ["France"] * 5 + ["Italy"] * 5 + list("abcdefg")})
    (probe,) = attribute_probes(crowd, 3, n_splits=200)
    for half in (probe.is_first_half, ~probe.is_first_half):
        with_value = half.astype(int) @ probe.has_value
        assert with_value.min() == 2 and with_value.max() == 3
        assert set(half.sum(1)) <= {8, 9}
    assert len({half.tobytes() for half in probe.is_first_half}) > 190


def test_a_part_that_carries_the_attribute_is_found(entities):
    rng = np.random.default_rng(1)
    codes = (rng.uniform(size=(40, 200)) * (rng.uniform(size=(40, 200)) < 0.1)).astype(np.float32)
    codes[:, 7] = [country == "Italy" for country in entities.values[COUNTRY]]
    found = attribute_recovery(codes, attribute_probes(entities, 0))
    assert found.auroc[found.value == "Italy"] == 1.0
    assert found.auroc[found.value == "France"] < 0.8


def test_only_more_of_a_part_means_more_of_a_value(entities):
    # less of the only part tells Italy exactly, and nobody chooses it
    codes = np.array([[country != "Italy"] for country in entities.values[COUNTRY]], np.float32)
    probes = attribute_probes(entities, 0)
    assert attribute_recovery(codes, probes).auroc.tolist()[1] == 0.5
    assert attribute_recovery(np.hstack([codes, -codes]), probes).auroc.tolist()[1] == 1.0


def test_choosing_among_many_parts_does_not_raise_the_figure():
    rng = np.random.default_rng(2)
    many = {f"city: {i}": rng.permutation(COUNTRIES).tolist() for i in range(30)}
    crowd = entities_of(many)
    codes = rng.normal(size=(34, 500)).astype(np.float32)
    probes = attribute_probes(crowd, 0)
    in_sample = np.concatenate([auroc(codes, probe.has_value).max(1) for probe in probes])
    assert in_sample.mean() > 0.75
    assert attribute_recovery(codes, probes).auroc.mean() == pytest.approx(0.5, abs=0.02)


def test_shuffled_facts_are_not_found():
    crowd = entities_of({f"kind {i}: x": COUNTRIES for i in range(20)})
    codes = (np.array(COUNTRIES)[:, None] == np.unique(COUNTRIES)).astype(np.float32)
    assert attribute_recovery(codes, attribute_probes(crowd, 0)).auroc.min() == 1.0
    found = attribute_recovery(codes, attribute_probes(crowd.shuffled(1), 0))
    assert len(found.auroc) == 60
    assert found.auroc.mean() == pytest.approx(0.5, abs=0.04)


def one_split(n_first: int, has_value: list[int]) -> Probe:
    """A probe of one value and one split: the first `n_first` entities, and the others."""
    n = len(has_value)
    return Probe(
        COUNTRY, np.arange(n), np.array(["France"]), np.array(has_value, bool)[:, None],
        (np.arange(n) < n_first)[None],
    )  # fmt: skip


def test_of_equally_good_parts_the_one_that_differs_more_is_chosen():
    # on the first half both parts are perfect; the second differs more and is right on the other
    # half too, where the first is wrong. Chosen on the other half: the second, which is right here.
    codes = np.array([[1, 3], [1, 3], [0, 0], [0, 0], [0, 2], [0, 2], [1, 0], [1, 0]], np.float32)
    probe = one_split(4, [1, 1, 0, 0, 1, 1, 0, 0])
    assert attribute_recovery(codes, [probe]).auroc.tolist() == [1.0]
    flipped = codes.copy()
    flipped[:4] = flipped[:4, ::-1]  # now the first is chosen there: 0 and 1, in the mean 0.5
    assert attribute_recovery(flipped, [probe]).auroc.tolist() == [0.5]


def test_both_halves_are_scored_by_what_the_other_chose():
    # first half: part 0 is perfect, and on the other half 3 of 4 pairs are right
    # other half: part 1 is perfect, and on the first half 2 of 4 pairs are right
    codes = np.array([[1, 1], [1, 0], [0, 1], [0, 0], [3, 1], [1, 1], [2, 0], [0, 0]], np.float32)
    found = attribute_recovery(codes, [one_split(4, [1, 1, 0, 0, 1, 1, 0, 0])])
    assert found.auroc.tolist() == [(0.75 + 0.5) / 2]


def test_a_code_without_differences_tells_nothing(entities):
    found = attribute_recovery(np.ones((40, 3), np.float32), attribute_probes(entities, 0))
    assert found.auroc.tolist() == [0.5] * 3
    assert len(attribute_recovery(np.ones((40, 3), np.float32), []).auroc) == 0


def test_only_the_largest_of_a_row_stay():
    scores = np.array([[1, 4, -2, 3], [-1, -2, 5, -3]], np.float32)
    assert strongest_only(scores, 2).tolist() == [[0, 4, 0, 3], [0, 0, 5, 0]]


def test_a_mean_has_the_interval_of_a_bootstrap_over_values():
    values = np.random.default_rng(0).normal(0.7, 0.1, 400)
    mean = mean_over_values(values)
    assert mean.interval is not None
    half = 1.96 * values.std() / 20
    np.testing.assert_allclose(mean.interval, [mean.value - half, mean.value + half], atol=2e-3)
    assert mean_over_values(values[:4]).interval is None
    assert mean_over_values(values[:0]).value == 0.5


def test_rows_hold_every_method_the_control_and_the_paired_differences():
    n = 12
    names = np.array([COUNTRY] * 10 + ["city: language"] * 2)
    own = np.linspace(0.5, 0.9, n)
    meta = Recovery(names, np.array([f"v{i}" for i in range(n)]), own)
    other = replace(meta, auroc=own - 0.1)
    control = replace(meta, auroc=np.full(n, 0.5))
    rows = attribute_rows({"meta-SAE": meta, "k-means": other}, "meta-SAE", control)
    found = {(row["subject"], row["setting"], row["metric"]): row for row in rows}
    assert len(found) == len(rows) == 3 * 3 + 1
    assert {row["experiment"] for row in rows} == {"attributes"}
    every = found["meta-SAE", "all attributes", "auroc"]
    assert every["value"] == pytest.approx(0.7) and every["n"] == 12
    assert every["ci_low"] < 0.7 < every["ci_high"]
    assert found["meta-SAE", "city: language", "auroc"]["ci_low"] is None  # two values
    assert found["meta-SAE, shuffled", "all attributes", "auroc"]["value"] == 0.5
    difference = found["k-means", "all attributes", "auroc_difference"]
    for name in ("value", "ci_low", "ci_high"):  # the same for every value
        assert difference[name] == pytest.approx(-0.1)


def test_methods_scored_on_different_values_are_refused():
    meta = Recovery(np.array([COUNTRY]), np.array(["France"]), np.array([0.5]))
    other = replace(meta, value=np.array(["Italy"]))
    with pytest.raises(ValueError, match="k-means and meta-SAE"):
        attribute_rows({"meta-SAE": meta, "k-means": other}, "meta-SAE", meta)
