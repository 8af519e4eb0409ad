"""Sums over (latent, term) pairs from a stream, without a dense matrix."""

from __future__ import annotations

import numpy as np

MERGE_ROWS = 1 << 22  # rows held before they are summed up, or as many as are summed up already


class PairSums:
    """For every key the sums of some columns; columns keep their types, so counts stay exact."""

    def __init__(self, *types: type) -> None:
        self.types = types
        self._waiting: list[tuple[np.ndarray, ...]] = []
        self._n_waiting = self._n_merged = 0

    def add(self, keys: np.ndarray, *columns: np.ndarray | int) -> None:
        """Add one row a key, int64 [n]; a column is [n] or the same number for every row."""
        given = (
            np.broadcast_to(np.asarray(column, kind), keys.shape)
            for column, kind in zip(columns, self.types, strict=True)
        )
        rows = _summed((keys, *given))
        self._waiting.append(rows)
        self._n_waiting += len(rows[0])
        if self._n_waiting > self._n_merged + max(MERGE_ROWS, self._n_merged):
            self.result()

    def result(self) -> tuple[np.ndarray, ...]:
        """Keys, ascending and each once, and the sum of every column."""
        if len(self._waiting) != 1:
            empty = (np.empty(0, np.int64), *(np.empty(0, kind) for kind in self.types))
            parts = zip(empty, *self._waiting, strict=True)
            self._waiting = [_summed(tuple(np.concatenate(part) for part in parts))]
        self._n_waiting = self._n_merged = len(self._waiting[0][0])
        return self._waiting[0]


def _summed(rows: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    keys = rows[0]
    order = np.argsort(keys, kind="stable")  # sorted runs merge fast
    keys = keys[order]
    first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)])
    if len(first) == 0:
        return rows
    return (keys[first], *(np.add.reduceat(column[order], first) for column in rows[1:]))
