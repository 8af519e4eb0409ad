"""The orthogonality penalty by hand, and against all pairs."""

from __future__ import annotations

import pytest
import torch

from precompute.decomposition import random_directions
from precompute.experiments.resistance.orthogonal import chunked_cosines


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_three_rows_by_hand():
    # cosines: 0.6 between the first two, 0.8 between the last two, 0 between the outer ones;
    # highest squares .36, .64, .64, whose mean is 1.64 / 3
    rows = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    assert float(chunked_cosines(rows, 8, _generator())) == pytest.approx(1.64 / 3)


def test_opposite_rows_cost_as_much_as_equal_ones_and_orthogonal_ones_nothing():
    rows = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    assert float(chunked_cosines(rows, 2, _generator())) == 1
    assert float(chunked_cosines(torch.eye(4), 4, _generator())) == 0
    assert float(chunked_cosines(torch.ones(3, 1), 1, _generator())) == 0  # alone in its chunk


def test_chunks_see_a_part_of_the_pairs():
    rows = random_directions(60, 8, 0)
    squares = (rows @ rows.t()).pow(2).fill_diagonal_(0)
    assert float(chunked_cosines(rows, 60, _generator())) == pytest.approx(
        float(squares.amax(1).mean()), rel=1e-5
    )
    generator = _generator()
    parts = [float(chunked_cosines(rows, 7, generator)) for _ in range(20)]
    assert max(parts) < float(squares.amax(1).mean())
    assert len(set(parts)) == 20  # another draw at every step


def test_descent_turns_rows_apart():
    rows = torch.tensor([[1.0, 0.0], [0.6, 0.8]], requires_grad=True)
    chunked_cosines(rows, 2, _generator()).backward()
    assert rows.grad is not None
    moved = (rows - 0.1 * rows.grad).detach()
    assert float(torch.cosine_similarity(moved[0], moved[1], dim=0)) < 0.6
