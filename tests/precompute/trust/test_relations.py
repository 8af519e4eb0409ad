"""Relation overlap against pairs listed one by one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from precompute.trust.relations import relation_overlap

N, N_META, N_SMALL = 60, 9, 7


def entries(seed: int) -> tuple[np.ndarray, np.ndarray]:
    active = np.random.default_rng(seed).random((N, N_META)) < 0.15
    latent, part = active.nonzero()
    return latent, part


def pairs_of(active: np.ndarray) -> set[tuple[int, int]]:
    return {(i, j) for i, j in combinations(range(N), 2) if (active[i] & active[j]).any()}


def test_overlap_is_the_share_of_common_pairs():
    latent, part = entries(0)
    cosines = np.random.default_rng(1).random((N, N_SMALL)).astype(np.float32)
    found = relation_overlap(latent, part, cosines, seed=0)
    active = np.zeros((N, N_META), bool)
    active[latent, part] = True
    by_meta, by_small = pairs_of(active), pairs_of(cosines > found.cosine)
    assert (found.n_pairs, found.n_other_pairs) == (len(by_meta), len(by_small))
    assert found.shared == pytest.approx(len(by_meta & by_small) / len(by_meta))
    # the cosine is the lowest (to the width of the search) that relates no more pairs than the meta
    assert len(by_small) <= len(by_meta)
    assert len(pairs_of(cosines > found.cosine - 2**-13)) >= len(by_meta)


def test_a_smaller_sae_that_knows_the_meta_latents_overlaps_whole_and_chance_does_not():
    latent, part = entries(0)
    cosines = np.zeros((N, N_META), np.float32)
    cosines[latent, part] = 0.9
    found = relation_overlap(latent, part, cosines, seed=0)
    assert found.shared == 1.0
    density = found.n_pairs / (N * (N - 1) / 2)
    # renaming the latents leaves as many pairs in common as the density says, give or take 3 sd
    spread = 3 * np.sqrt(density * (1 - density) / found.n_pairs)
    assert found.chance == pytest.approx(density, abs=spread)


def test_unrelated_dictionaries_overlap_by_chance():
    latent, part = entries(0)
    cosines = np.random.default_rng(1).random((N, N_SMALL)).astype(np.float32)
    found = relation_overlap(latent, part, cosines, seed=0)
    assert found.shared == pytest.approx(found.chance, abs=0.1)
