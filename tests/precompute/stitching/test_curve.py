"""The interpolation curve: its ends are the two SAEs, and every point is the stitched SAE."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from precompute.dictionary import fidelity
from precompute.stitching.curve import Schedule, interpolation, schedule
from precompute.stitching.groups import similar_pairs, swap_groups
from precompute.stitching.splitting import parents
from tests.precompute.stitching.conftest import NOVEL, Planted


@pytest.fixture(scope="module")
def plan(planted: Planted) -> Schedule:
    small, large = planted.small, planted.large
    groups = swap_groups(
        similar_pairs(small.W_dec, large.W_dec, 0.7), small.n_latents, large.n_latents, 10
    )
    is_novel = np.zeros(large.n_latents, bool)
    is_novel[NOVEL] = True
    max_cosine = parents(large.W_dec, small.W_dec)[1]
    return schedule(is_novel, max_cosine, groups, insert_points=3, swap_points=4)


@pytest.fixture(scope="module")
def points(planted: Planted, plan: Schedule):
    firings = (planted.small_firings, planted.large_firings)
    walk = interpolation(planted.x, planted.small, planted.large, firings, plan)
    return [(point, point.error.clone()) for point in walk]


def test_the_schedule_inserts_then_swaps_then_drops_the_rest(plan):
    assert plan.actions == ("start", *["insert"] * 3, *["swap"] * 4, "rest", "bias")
    assert np.bincount(plan.large[NOVEL]).tolist() == [0, 2, 2, 2]
    assert set(plan.large[: NOVEL.start]) == {4, 5, 6, 7}
    # directions 10 and 11 of the smaller SAE have no counterpart in the larger one
    assert plan.small[10:].tolist() == [8, 8]


def test_a_group_moves_in_one_step(plan):
    # copies: each with its original; the two halves of directions 8 and 9 with these
    assert plan.small[:8].tolist() == plan.large[:8].tolist()
    assert plan.large[8] == plan.large[9] == plan.small[8]
    assert plan.large[10] == plan.large[11] == plan.small[9]


def test_the_ends_are_the_two_saes(planted, points):
    for sae, (point, _) in ((planted.small, points[0]), (planted.large, points[-1])):
        own = fidelity(sae, planted.rows)
        assert point.variance_explained == pytest.approx(own.variance_explained, abs=1e-6)
        assert point.l0 == pytest.approx(own.l0)
    start, end = points[0][0], points[-1][0]
    assert (start.n_small, start.n_large) == (12, 0)
    assert (end.n_small, end.n_large) == (0, planted.large.n_latents)


def test_every_point_is_the_stitched_sae(planted, plan, points):
    small_acts, large_acts = planted.small.encode(planted.x), planted.large.encode(planted.x)
    for point, error in points:
        in_small = torch.from_numpy(plan.small > point.step)
        in_large = torch.from_numpy(plan.large <= point.step)
        bias = planted.large.b_dec if point.action == "bias" else planted.small.b_dec
        stitched = bias + (small_acts * in_small) @ planted.small.W_dec
        stitched = stitched + (large_acts * in_large) @ planted.large.W_dec
        np.testing.assert_allclose(error, planted.x - stitched, atol=2e-6)
        active = (small_acts[:, in_small] > 0).sum() + (large_acts[:, in_large] > 0).sum()
        assert point.l0 == pytest.approx(float(active) / len(planted.x))
        assert (point.n_small, point.n_large) == (int(in_small.sum()), int(in_large.sum()))
        assert point.mse == pytest.approx(float(error.pow(2).mean()), rel=1e-5)


def test_novel_latents_lower_the_error_and_identical_saes_change_nothing(planted, points):
    errors = [point.mse for point, _ in points if point.action in ("start", "insert")]
    assert errors == sorted(errors, reverse=True)
    small = planted.small
    groups = swap_groups(similar_pairs(small.W_dec, small.W_dec, 0.7), 12, 12, 10)
    plan = schedule(np.zeros(12, bool), np.ones(12), groups, 3, 3)
    assert plan.actions == ("start", "swap", "swap", "swap", "bias")
    both = (planted.small_firings, planted.small_firings)
    walk = [p.mse for p in interpolation(planted.x, small, small, both, plan)]
    assert walk == pytest.approx([walk[0]] * 5, rel=1e-5)


def test_blocks_of_rows_change_nothing(planted, plan, points, monkeypatch):
    monkeypatch.setattr("precompute.stitching.curve.ROWS_AT_ONCE", 71)
    firings = (planted.small_firings, planted.large_firings)
    walk = interpolation(planted.x, planted.small, planted.large, firings, plan)
    assert [p.mse for p in walk] == pytest.approx([p.mse for p, _ in points], rel=1e-5)
