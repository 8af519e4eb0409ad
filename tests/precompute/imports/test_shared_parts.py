"""Jaccard indices of decompositions, worked out by hand and against random ones."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.imports.shared_parts import decomposition, matched_parts, same_parts


def random_parts(seed: int, n_parts: int = 20) -> dict[int, set[int]]:
    rng = np.random.default_rng(seed)
    return {i: set(rng.choice(n_parts, 4, replace=False).tolist()) for i in range(400)}


def test_the_mean_over_latents_that_both_have():
    ours = {i: {0, 1} for i in range(60)}
    theirs = {i: {0, 1} if i < 30 else {1, 2} for i in range(10, 80)}
    found = same_parts(ours, theirs)
    assert found is not None
    assert found.n == 50
    assert found.value == pytest.approx((20 * 1 + 30 * (1 / 3)) / 50)


def test_other_numbers_for_the_same_parts_are_found_and_chance_is_low():
    ours = random_parts(0)
    rename = np.random.default_rng(1).permutation(20)
    theirs = {i: {int(rename[part]) for part in parts} for i, parts in ours.items()}
    same, matched = same_parts(ours, theirs), matched_parts(ours, theirs)
    assert same is not None
    assert matched is not None
    assert matched.value == 1.0
    assert matched.by_chance < 0.2
    assert same.value < 0.2


def test_unrelated_decompositions_are_no_better_than_chance():
    found = matched_parts(random_parts(0), random_parts(1))
    assert found is not None
    assert found.value == pytest.approx(found.by_chance, abs=0.03)


def test_a_part_that_matches_nothing_is_never_shared():
    ours = {i: {0} for i in range(40)}
    theirs = {i: {0, 7} for i in range(40)}
    found = matched_parts(ours, theirs)
    assert found is not None
    assert found.value == 0.5


def test_few_latents_and_huge_dictionaries_give_no_figure():
    few = {i: {0} for i in range(29)}
    assert same_parts(few, few) is None
    huge = {i: {10**9} for i in range(40)}
    assert matched_parts(huge, huge) is None


def test_pairs_become_sets():
    assert decomposition([(1, 2), (1, 3), (1, 2), (4, 0)]) == {1: {2, 3}, 4: {0}}
    assert decomposition([]) == {}
