"""Sums over sparse keys from a stream, in bounded memory: what no longer fits is handed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

MERGE_ROWS = 1 << 22  # rows that wait before they are summed up
ROW_BYTES = 100  # a row with its sums, and the copies of it while rows are summed up

Rows: TypeAlias = tuple[np.ndarray, ...]
"""Keys int64, ascending and each once, then columns of sums."""


class KeySums:
    """For every key the sums of some integer columns, whatever the order they came in."""

    def __init__(
        self, *types: type, most: int | None = None, spill: Callable[[Rows], None] | None = None
    ) -> None:
        """Args:
        types: of the columns; a sum stays in its type.
        most: rows held at a time; None holds all.
        spill: gets the rows when there are more; the same key may come again later.
        """
        self.types = types
        self._most, self._spill = most, spill
        self._runs: list[Rows] = []
        self._n_held, self._limit = 0, self._first_limit()

    def add(self, keys: np.ndarray, *columns: np.ndarray | int) -> None:
        """Add one row a key, int64 [n]; a column is [n] or the same number for every row."""
        if len(keys) == 0:
            return
        given = (
            np.broadcast_to(np.asarray(column, kind), keys.shape)
            for column, kind in zip(columns, self.types, strict=True)
        )
        run = summed((keys, *given))
        self._runs.append(run)
        self._n_held += len(run[0])
        if self._n_held <= self._limit:
            return
        n_merged = len(self.result()[0])
        if self._most is not None and self._spill is not None and 2 * n_merged > self._most:
            self.flush()
        elif self._most is None:
            self._limit = max(MERGE_ROWS, 2 * n_merged)  # so that no row is summed up often

    def result(self) -> Rows:
        """All rows that are held."""
        if len(self._runs) != 1:
            empty = (np.empty(0, np.int64), *(np.empty(0, kind) for kind in self.types))
            parts = zip(empty, *self._runs, strict=True)
            self._runs = []
            self._runs = [summed(tuple(np.concatenate(part) for part in parts))]
        self._n_held = len(self._runs[0][0])
        return self._runs[0]

    def flush(self) -> None:
        """Hand on what is held, if anything."""
        rows = self.result()
        self._runs, self._n_held, self._limit = [], 0, self._first_limit()
        if self._spill is not None and len(rows[0]):
            self._spill(rows)

    def _first_limit(self) -> int:
        return MERGE_ROWS if self._most is None else self._most


def summed(rows: Rows) -> Rows:
    """Rows in any order as sorted rows with each key once."""
    keys = rows[0]
    if len(keys) == 0:
        return rows
    order = np.argsort(keys)  # sums of integers: the order of equal keys does not matter
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return (keys[first], *(np.add.reduceat(column[order], first) for column in rows[1:]))
