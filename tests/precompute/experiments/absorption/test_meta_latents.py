"""How well components tell absorbing latents from others."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.experiments.absorption.meta_latents import auroc

IS_OWN = np.repeat([True, False], [12, 20])


def test_an_auroc_is_one_where_all_own_are_higher():
    found = auroc(IS_OWN, np.where(IS_OWN, 2.0, 1.0), seed=0)
    assert (found.value, found.low, found.high, found.n) == (1.0, 1.0, 1.0, 32)


def test_an_auroc_is_the_share_of_pairs_in_the_right_order_within_its_interval():
    values = np.random.default_rng(1).normal(size=32)
    found = auroc(IS_OWN, values, seed=0)
    assert found.value == pytest.approx(
        (values[IS_OWN][:, None] > values[~IS_OWN]).mean()
    )  # its definition
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
