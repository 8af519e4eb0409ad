"""Damage and effect of points laid out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.experiments.steering.fronts import at_damage, front_shares, on_front


def test_between_two_strengths_it_is_interpolated():
    damage = np.array([0.0, 0.05, 0.15, 0.6])
    # half-way between 0.05 and 0.15, so half-way between 2 and 4
    assert at_damage(damage, np.array([0.0, 2.0, 4.0, 5.0]), 0.1) == pytest.approx(3)
    # the first strength is compared with the untouched model: a fifth of the way to 2
    assert at_damage(damage, np.array([0.0, 2.0, 4.0, 5.0]), 0.01) == pytest.approx(0.4)
    assert at_damage(damage, np.array([0.0, 2.0, 4.0, 5.0]), 0.15) == pytest.approx(4)


def test_the_first_crossing_counts_and_no_crossing_gives_the_strongest():
    wavering = np.array([0.0, 0.2, 0.05, 0.3])
    assert at_damage(wavering, np.array([0.0, 1.0, 9.0, 9.0]), 0.1) == pytest.approx(0.5)
    assert at_damage(np.array([0.0, -0.01, 0.02]), np.array([0.0, 1.0, 2.0]), 0.1) == 2


# less damage and more effect win: a beats b; c costs more and does more than a; d does nothing
PLANTED = {
    "a": (np.array([0.1, 0.3]), np.array([0.4, 0.7])),
    "b": (np.array([0.1, 0.4]), np.array([0.3, 0.7])),
    "c": (np.array([0.2, 0.9]), np.array([0.5, 0.6])),
    "d": (np.array([0.0, 0.01]), np.array([0.001, -0.2])),
}


def test_the_front_of_planted_points():
    damage = np.concatenate([d for d, _ in PLANTED.values()])
    effect = np.concatenate([e for _, e in PLANTED.values()])
    assert (
        on_front(damage, effect).tolist() == [True, True, False, False, True, False] + [False] * 2
    )
    shares = front_shares(PLANTED)
    assert shares == pytest.approx({"a": 2 / 3, "b": 0, "c": 1 / 3, "d": 0})


def test_equal_points_do_not_beat_each_other():
    point = (np.array([0.1]), np.array([0.5]))
    assert front_shares({"one": point, "other": point}) == {"one": 0.5, "other": 0.5}


def test_where_nothing_has_an_effect_nobody_has_a_share():
    nothing = (np.array([0.1, 0.2]), np.array([0.0, -0.1]))
    assert all(np.isnan(share) for share in front_shares({"a": nothing, "b": nothing}).values())
