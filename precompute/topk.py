"""The k best items of each of many groups, from a stream, exactly.

Method: remember the k-th best priority of every group (its cut); of each new block keep only items
above their group's cut, and merge these few with a lexsort. After a warm-up about one item a row
survives the comparison, so the merge costs little beside the encode that produced the items.
`benchmarks/topk.py` measures that share; `tests/precompute/test_topk.py` compares with a full sort.
"""

from __future__ import annotations

import numpy as np


class StreamingTopK:
    """Keeps, for each group, the `k` items of highest priority; ties go to the smaller item id."""

    def __init__(self, n_groups: int, k: int) -> None:
        self.n_groups, self.k = n_groups, k
        self.cuts = np.full(n_groups, -np.inf, np.float32)
        self._groups = np.empty(0, np.int64)
        self._priorities = np.empty(0, np.float32)
        self._items = np.empty(0, np.int64)

    def update(self, groups: np.ndarray, priorities: np.ndarray, items: np.ndarray) -> None:
        """Offer items: `groups` int [n] below n_groups, `priorities` float32 [n], `items` int64."""
        keep = priorities >= self.cuts[groups]
        if not keep.any():
            return
        groups = np.concatenate([self._groups, groups[keep].astype(np.int64)])
        priorities = np.concatenate([self._priorities, priorities[keep].astype(np.float32)])
        items = np.concatenate([self._items, items[keep]])
        order = np.lexsort((items, -priorities, groups))
        groups, priorities, items = groups[order], priorities[order], items[order]
        rank = rank_within(groups)
        best = rank < self.k
        last = rank == self.k - 1
        self.cuts[groups[last]] = priorities[last]
        self._groups, self._priorities, self._items = groups[best], priorities[best], items[best]

    def result(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Groups, ranks from 0, priorities and items, sorted by group and rank."""
        return self._groups, rank_within(self._groups), self._priorities, self._items


def rank_within(groups: np.ndarray) -> np.ndarray:
    """Position of each entry inside its run of equal, adjacent values."""
    if len(groups) == 0:
        return np.empty(0, np.int64)
    first = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
    lengths = np.diff(np.concatenate([first, [len(groups)]]))
    return np.arange(len(groups)) - np.repeat(first, lengths)
