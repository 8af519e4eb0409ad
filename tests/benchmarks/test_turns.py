"""Turns and ratios: who goes first, and what an interval rests on."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.turns import ratio, take_turns


def test_each_candidate_goes_first_in_every_other_round():
    calls: list[tuple[str, int]] = []

    def candidate(name: str, number: int) -> float:
        calls.append((name, number))
        return float(number)

    names = ("a", "b")
    figures = take_turns({n: lambda number, n=n: candidate(n, number) for n in names}, 3)
    assert calls == [("a", 0), ("b", 0), ("b", 1), ("a", 1), ("a", 2), ("b", 2)]
    assert figures["a"].tolist() == figures["b"].tolist() == [0, 1, 2]


def test_a_ratio_of_proportional_figures_has_no_width_and_noise_gives_it_one():
    baseline = np.array([1.0, 5.0, 2.0, 9.0, 3.0])  # rounds are resampled whole, so 2:1 in each
    exact = ratio(2 * baseline, baseline)
    assert (exact.value, exact.low, exact.high, exact.n) == (2, 2, 2, 5)
    noisy = ratio(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.ones(5))
    assert noisy.low < noisy.value == 3 < noisy.high
    assert noisy.low >= 1 and noisy.high <= 5


def test_the_statistic_is_the_callers():
    found = ratio(np.array([1.0, 1.0, 4.0]), np.ones(3), lambda values: float(values.sum()))
    assert found.value == pytest.approx(2)
