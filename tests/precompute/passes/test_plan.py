"""Shards cover every row once, whatever an earlier attempt with other settings left."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.passes.plan import (
    MOST_BLOCKS,
    SHARD_WORK,
    Shard,
    cover,
    rows_of_a_shard,
)

N_ROWS = 17 * 20 + 5  # the last block is short


def _covered(shards: list[Shard]) -> np.ndarray:
    times = np.zeros(N_ROWS, int)
    for shard in shards:
        times[shard.first : shard.last] += 1
    return times


@pytest.mark.parametrize("shard_rows", [17, 3 * 17, 1 << 40])
@pytest.mark.parametrize(
    "there",
    [
        [],
        [(0, 17)],
        [(0, 34), (17 * 5, 17 * 7), (17 * 19, N_ROWS)],
        [(0, 51), (34, 68)],  # the same rows twice
        [(0, N_ROWS)],
    ],
    ids=["nothing", "the first", "three", "overlapping", "everything"],
)
def test_every_row_is_in_one_shard(there, shard_rows, small_blocks):  # noqa: ARG001 - sets blocks
    found = [Shard("train", *rows) for rows in there]
    plan = cover("train", N_ROWS, found, shard_rows)
    assert (_covered([*plan.found, *plan.missing]) == 1).all()
    assert set(plan.found) <= set(found)
    assert all(shard.n_rows <= shard_rows for shard in plan.missing)
    assert all(shard.first % 17 == 0 for shard in plan.missing)


def test_shards_of_other_blocks_or_splits_or_beyond_the_text_are_made_again(
    small_blocks,  # noqa: ARG001 - sets blocks
):
    odd = [
        Shard("train", 5, 17),
        Shard("train", 0, 20),
        Shard("train", 17, N_ROWS + 17),
        Shard("heldout", 0, 17),
        Shard("train", 34, 34),
    ]
    plan = cover("train", N_ROWS, odd, 1 << 40)
    assert plan == ([], [Shard("train", 0, N_ROWS)])


def test_a_name_says_which_rows_a_shard_holds():
    shard = Shard("heldout", 32768, 65536)
    assert Shard.named(shard.name) == shard
    assert sorted([Shard("a", 9, 10).name, Shard("a", 10, 11).name])[0] == Shard("a", 9, 10).name
    assert [Shard.named(name) for name in ("scale", "train", "train-x-y", "train-1")] == [None] * 4


def test_wide_saes_and_little_work_make_small_shards():
    block = 1 << 15
    much = 1e18
    assert rows_of_a_shard(384 * 768, much, 2) == MOST_BLOCKS * block
    # 384 * 1e6 multiply-adds a row: 1e13 of them are less than a block of 32,768 rows
    assert block > SHARD_WORK / (384 * 1e6)
    assert rows_of_a_shard(384 * 1e6, much, 2) == block
    # 64 blocks for 2 workers, who get 8 shards each: 4 blocks a shard
    assert rows_of_a_shard(10.0, 10.0 * 64 * block, 2) == 4 * block
