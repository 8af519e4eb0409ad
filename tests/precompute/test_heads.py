"""Shares of attention's heads in a direction."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from precompute.heads import head_shares


def test_a_share_is_the_heads_part_of_the_squared_length() -> None:
    # two heads of two: 9 + 16 and 0 + 75 of 100; then all in the second, whatever its sign
    rows = torch.tensor([[3.0, 4.0, 0.0, 75**0.5], [0.0, 0.0, -2.0, 0.0]])
    shares = head_shares(rows, 2)
    assert shares.dtype == np.float32
    np.testing.assert_allclose(shares, [[0.25, 0.75], [0.0, 1.0]], atol=1e-7)


def test_shares_add_up_to_one_and_do_not_change_with_the_length() -> None:
    rows = torch.randn(50, 36, generator=torch.Generator().manual_seed(0))
    shares = head_shares(rows, 12)
    assert shares.shape == (50, 12)
    np.testing.assert_allclose(shares.sum(1), 1.0, atol=1e-6)
    np.testing.assert_allclose(head_shares(1e-4 * rows, 12), shares, atol=1e-6)


def test_a_direction_of_zeros_has_no_shares() -> None:
    assert not head_shares(torch.zeros(2, 8), 4).any()


def test_heads_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="10 numbers cannot be 4 heads"):
        head_shares(torch.zeros(2, 10), 4)
