"""Room for one block after another: comparisons by bits are comparisons of values."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from precompute.room import Room

ALL = torch.from_numpy(np.arange(1 << 16, dtype=np.uint16).view(np.int16)).view(torch.bfloat16)
NUMBERS = ALL[~ALL.isnan()].view(-1, 2)  # every bfloat16 there is, both zeros and infinities


@pytest.mark.parametrize("cut", [0.0, -0.0, 1e-40, 0.3, 1.5, 1e38, float("inf"), -0.3, -1e38])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_every_score_is_compared_by_its_value(cut, dtype):
    scores = NUMBERS.to(dtype)
    above = Room(scores, scores.numel()).above(scores, cut)
    assert torch.equal(above, scores.gt(cut))
    assert above.any() == (cut < float("inf"))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_cut_a_column_and_a_cut_a_row(dtype, sign):
    scores = NUMBERS.to(dtype)
    room = Room(scores, scores.numel())
    for cut in (torch.tensor([0.5, 100.0]), torch.linspace(0, 3, len(scores))[:, None]):
        near = sign * cut.to(dtype)
        assert torch.equal(room.above(scores, near), scores > near)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_smaller_block_uses_the_same_room(dtype):
    generator = torch.Generator().manual_seed(0)
    rows, weights = (torch.randn(8, 8, generator=generator).to(dtype) for _ in range(2))
    bias = torch.arange(8.0).to(dtype)
    room = Room(rows, 64)
    whole = room.product(rows, weights, bias).clone()
    assert torch.equal(whole, torch.addmm(bias, rows, weights))
    part = room.product(rows[:3], weights[:, :5])
    assert torch.equal(part, rows[:3] @ weights[:, :5])
    again = room.product(rows, weights, bias)
    assert torch.equal(again, whole)
    assert part.data_ptr() == again.data_ptr()
