"""Intervals of means and ratios from whole groups."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from precompute.experiments.intervals import RESAMPLES, Groups, variance_explained


def test_a_mean_over_groups_of_one_is_the_usual_one():
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    found = Groups(np.arange(400), seed=1).mean(values)
    assert found.value == pytest.approx(values.mean())
    assert found.n == 400
    half = 1.96 * values.std(ddof=1) / 20  # the normal interval of 400 independent values
    assert found.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_equal_values_within_a_group_count_once():
    # ten copies of forty values are no more evidence than the forty
    values = np.random.default_rng(0).normal(0.0, 1.0, 40)
    alone = Groups(np.arange(40), seed=2).mean(values)
    copied = Groups(np.repeat(np.arange(40), 10), seed=2).mean(np.repeat(values, 10))
    assert copied.value == pytest.approx(alone.value)
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high))
    assert copied.n == 400


def test_a_ratio_is_of_sums_and_paired():
    # numerator and denominator move together: their ratio hardly varies although both do
    base = np.random.default_rng(3).lognormal(0.0, 1.0, 200)
    groups = Groups(np.arange(200), seed=4)
    found = groups.ratio(3 * base, base)
    assert (found.value, found.low, found.high) == pytest.approx((3, 3, 3))
    other = groups.ratio(base, np.ones(200))
    assert other.low is not None
    assert other.high is not None
    assert other.low < base.mean() < other.high


def test_one_group_alone_has_no_interval():
    found = Groups(np.zeros(7), seed=0).mean(np.arange(7.0))
    assert (found.value, found.low, found.high, found.n) == (3.0, None, None, 7)


def test_groups_may_have_any_numbers():
    found = Groups(np.array([9, 9, 400, 7]), seed=0)
    assert found.n_groups == 3
    assert found.sums(np.array([1.0, 2.0, 4.0, 8.0]))[0] == 15
    assert len(found.sums(np.ones(4))) == 1 + RESAMPLES


def test_a_statistic_of_a_mean_is_the_mean_with_its_interval():
    values = np.random.default_rng(5).normal(size=60)
    groups = Groups(np.arange(60) // 3, seed=6)
    told, found = groups.mean(values), groups.statistic(lambda items: float(values[items].mean()))
    assert (found.value, found.n) == (pytest.approx(told.value), 60)
    assert (found.low, found.high) == (pytest.approx(told.low), pytest.approx(told.high))


def test_the_median_of_a_sample_lies_within_its_interval():
    values = np.random.default_rng(7).exponential(size=400)
    found = Groups(np.arange(400), seed=8).statistic(lambda items: float(np.median(values[items])))
    half = 1.96 / 20  # a median's standard error is 1 / (2 density sqrt n): 1 / 20, density 1/2
    assert found.value == np.median(values)
    assert (found.low, found.high) == pytest.approx((np.log(2) - half, np.log(2) + half), abs=0.06)


def test_variance_explained_is_one_of_the_rows_and_none_of_their_mean():
    x = torch.from_numpy(np.random.default_rng(9).normal(3.0, 1.0, (90, 4)))
    groups = Groups(np.arange(90) // 9, seed=10)
    for rebuilt, expected in (
        (x, 1.0),
        (x.mean(0).expand_as(x), 0.0),
        (x.mean(0) + 0.5 * (x - x.mean(0)), 0.75),
    ):
        found = variance_explained(groups, x, rebuilt)
        assert (found.value, found.low, found.high) == pytest.approx((expected,) * 3)
