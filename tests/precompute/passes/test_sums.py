"""Sparse sums: in any order, with little memory, always the same."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from precompute.passes import sums
from precompute.passes.sums import KeySums, Rows


def _stream(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(2)
    return [(rng.integers(0, 90, 50), rng.integers(1, 9, 50)) for _ in range(n)]


def _counted(stream: list[tuple[np.ndarray, np.ndarray]]) -> tuple[list[int], list[int], list[int]]:
    count, total = Counter(), Counter()
    for keys, values in stream:
        count.update(keys.tolist())
        for key, value in zip(keys.tolist(), values.tolist(), strict=True):
            total[key] += value
    keys = sorted(count)
    return keys, [count[key] for key in keys], [total[key] for key in keys]


@pytest.mark.parametrize("merge_rows", [1, 60, 1 << 22])
def test_every_key_stands_once_with_its_sums(merge_rows, monkeypatch):
    monkeypatch.setattr(sums, "MERGE_ROWS", merge_rows)
    held, stream = KeySums(np.int64, np.int64), _stream(20)
    for keys, values in stream:
        held.add(keys, 1, values)
    assert tuple(column.tolist() for column in held.result()) == _counted(stream)


def test_rows_beyond_the_limit_are_handed_on_and_nothing_is_lost():
    spilled: list[Rows] = []
    held, stream = KeySums(np.int64, np.int64, most=100, spill=spilled.append), _stream(20)
    for keys, values in stream:
        held.add(keys, 1, values)
    held.flush()
    assert len(spilled) > 3
    for rows in spilled:
        assert len(rows[0]) <= 100
        assert (np.diff(rows[0]) > 0).all()
    together = KeySums(np.int64, np.int64)
    for keys, *columns in spilled:
        together.add(keys, *columns)
    assert tuple(column.tolist() for column in together.result()) == _counted(stream)


def test_nothing_is_handed_on_when_nothing_came():
    spilled: list[Rows] = []
    held = KeySums(np.int64, most=10, spill=spilled.append)
    held.add(np.empty(0, np.int64), 1)
    held.flush()
    assert spilled == []
    assert [column.tolist() for column in held.result()] == [[], []]
