"""The SAE merged upward from all sizes."""

from __future__ import annotations

import pytest
import torch

from precompute.dictionary import fidelity
from precompute.stitching.frankenstein import merge_upward
from tests.precompute.stitching.conftest import COPIED, N_ROWS, NOVEL, Planted

HALF = N_ROWS // 2


def merge(planted: Planted):
    suite = {"small": planted.small, "large": planted.large}
    firings = {"small": planted.small_firings, "large": planted.large_firings}
    return list(merge_upward(planted.x, suite, firings.__getitem__, HALF))


def test_it_starts_as_the_smallest_sae(planted):
    start = merge(planted)[0]
    own = fidelity(planted.small, planted.rows[HALF:])
    assert (start.n_latents, start.n_joined) == (12, 12)
    assert start.variance_explained == pytest.approx(own.variance_explained, abs=1e-6)
    assert start.l0 == pytest.approx(own.l0)


def test_what_joins_is_what_lowers_the_error_of_the_first_half(planted):
    x, small, large = planted.x, planted.small, planted.large
    first, second = x[:HALF], x[HALF:]
    base = small.decode(small.encode(first))
    acts = large.encode(first)
    joins = []
    for latent in range(large.n_latents):
        added = base + acts[:, latent, None] * large.W_dec[latent]
        joins.append(bool((first - added).pow(2).sum() < (first - base).pow(2).sum()))
    assert all(joins[NOVEL]) and not any(joins[:COPIED])
    end = merge(planted)[1]
    assert end.n_joined == sum(joins)
    kept = large.encode(second) * torch.tensor(joins)
    error = second - small.decode(small.encode(second)) - kept @ large.W_dec
    assert end.mse == pytest.approx(float(error.pow(2).mean()), rel=1e-5)
    assert end.variance_explained > merge(planted)[0].variance_explained
