"""The order in which training reads its rows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from precompute import batches
from precompute.batches import activation_batches, matrix_batches

N_ROWS, BATCH = 1000, 16
# blocks of 128 rows: 7 whole ones with 8 batches each, and 104 rows with 6
STEPS_AN_EPOCH = 7 * 8 + 6


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SHUFFLE_BLOCK_ROWS", 128)


def _numbered() -> np.ndarray:
    """Row i is (i, -i), so that a batch tells which rows it holds."""
    number = np.arange(N_ROWS, dtype=np.float16)
    return np.stack([number, -number], axis=1)


def _read(start_step: int, n_steps: int, seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    batches = activation_batches(_numbered(), scale, BATCH, seed)(start_step)
    return torch.stack(list(itertools.islice(batches, n_steps)))


def test_an_epoch_holds_no_row_twice_and_leaves_out_less_than_a_batch_a_block():
    for epoch in range(3):
        rows = _read(epoch * STEPS_AN_EPOCH, STEPS_AN_EPOCH)[:, :, 0].flatten()
        assert len(rows.unique()) == len(rows) == STEPS_AN_EPOCH * BATCH
        assert N_ROWS - len(rows) < BATCH


def test_rows_stay_whole_and_are_scaled():
    batches = _read(0, 10, scale=2.5)
    assert batches.dtype == torch.float32
    assert torch.equal(batches[..., 0], -batches[..., 1])
    assert torch.equal(batches, 2.5 * _read(0, 10))


def test_epochs_and_seeds_are_shuffled_differently():
    first, second = _read(0, STEPS_AN_EPOCH), _read(STEPS_AN_EPOCH, STEPS_AN_EPOCH)
    assert not torch.equal(first, second)
    assert not torch.equal(first, _read(0, STEPS_AN_EPOCH, seed=1))
    assert torch.equal(first, _read(0, STEPS_AN_EPOCH))
    in_file_order = (first[:, :, 0].flatten().diff() == 1).float().mean()
    assert in_file_order < 0.05


@pytest.mark.parametrize("start", [0, 1, 7, 8, 61, 62, 63, 130])
def test_a_start_step_skips_exactly_that_many_batches(start):
    whole = _read(0, start + 20)
    assert torch.equal(_read(start, 20), whole[start:])


def test_rows_fewer_than_a_block_still_fill_their_batches():
    batches = activation_batches(_numbered()[:40], 1.0, BATCH, 0)(0)
    rows = torch.stack(list(itertools.islice(batches, 2)))[:, :, 0].flatten()
    assert len(rows.unique()) == 32  # two batches of 16 from 40 rows


@pytest.mark.parametrize("start", [0, 1, 6, 7, 20])
def test_a_matrix_is_read_as_whole_permutations_one_after_another(start):
    rows = torch.arange(100.0)[:, None]
    whole = torch.cat(list(itertools.islice(matrix_batches(rows, BATCH, 0)(0), 25))).flatten()
    for epoch in range(4):  # 25 batches of 16 are 4 epochs of 100
        read = whole[epoch * 100 : (epoch + 1) * 100]
        assert torch.equal(read.sort().values, rows.flatten())
    assert not torch.equal(whole[:100], whole[100:200])
    skipped = torch.cat(list(itertools.islice(matrix_batches(rows, BATCH, 0)(start), 25 - start)))
    assert torch.equal(skipped.flatten(), whole[start * BATCH :])


def test_a_batch_as_large_as_the_matrix_is_one_permutation():
    rows = torch.arange(10.0)[:, None]
    batch = next(matrix_batches(rows, 10, 3)(0))
    assert sorted(batch.flatten().tolist()) == list(range(10))
