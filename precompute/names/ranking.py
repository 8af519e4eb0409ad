"""How well a score tells members from non-members: area under the curve, and the best cut.

AUC = (R - k (k + 1) / 2) / (k (n - k)) with R the sum of the k members' ranks among n latents
(Mann and Whitney 1947); ties share their mean rank, so a label that says nothing has 0.5.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def ranks_by_column(scores: np.ndarray) -> np.ndarray:
    """float32 [n, m]: rank of each row within each column, from 1, ties by their mean."""
    columns = np.ascontiguousarray(scores.T)
    order = np.argsort(columns, axis=1)
    ordered = np.take_along_axis(columns, order, axis=1)
    n = columns.shape[1]
    place = np.arange(n, dtype=np.int32)
    begins = np.ones(ordered.shape, bool)
    begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    ends = np.ones(ordered.shape, bool)
    ends[:, :-1] = begins[:, 1:]
    last = np.minimum.accumulate(np.where(ends, place, n)[:, ::-1], axis=1)[:, ::-1]
    ranks = np.empty(columns.shape, np.float32)
    np.put_along_axis(ranks, order, ((first + last) / 2 + 1).astype(np.float32), axis=1)
    return ranks.T


def auc_matrix(members: Any, ranks: np.ndarray) -> np.ndarray:
    """float64 [n_groups, m]: AUC of every group under every column; NaN for empty or full groups.

    Args:
        members: 0 or 1, [n_groups, n]; who belongs to which group.
        ranks: of `ranks_by_column`, [n, m].
    """
    size = np.asarray(members.sum(1), np.float64)
    others = len(ranks) - size
    total = np.asarray(members @ ranks, np.float64)
    pairs = size * others
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(pairs > 0, (total - size * (size + 1) / 2) / pairs, np.nan)


def best_cut(scores: np.ndarray, is_member: np.ndarray) -> tuple[float, float]:
    """The threshold of highest balanced accuracy for `score >= threshold`, and that accuracy.

    Args:
        scores: float [n].
        is_member: bool [n] with at least one True and one False.
    """
    own = np.sort(scores[is_member])
    # the best cut is at a member's score: below it, others are called until the next member
    cuts, hits = np.unique(own, return_index=True)
    hits = len(own) - hits
    reached = np.bincount(np.searchsorted(cuts, scores, "right"), minlength=len(cuts) + 1)
    called = len(scores) - np.cumsum(reached)[:-1]
    accuracy = (hits / len(own) + 1 - (called - hits) / (len(scores) - len(own))) / 2
    best = len(cuts) - 1 - int(np.argmax(accuracy[::-1]))  # of equal ones the highest
    lower = scores[scores < cuts[best]]
    below = lower.max() if len(lower) else cuts[best]
    return float((cuts[best] + below) / 2), float(accuracy[best])


def accuracy_matrix(members: Any, is_called: np.ndarray) -> np.ndarray:
    """float64 [n_groups, m]: balanced accuracy of every column's calls for every group.

    Args:
        is_called: bool [n, m]: whom a label calls a member.
    """
    size = np.asarray(members.sum(1), np.float64)
    hits = np.asarray(members @ is_called.astype(np.float32), np.float64)
    alarms = is_called.sum(0, dtype=np.float64) - hits
    with np.errstate(divide="ignore", invalid="ignore"):
        return (hits / size + 1 - alarms / (len(is_called) - size)) / 2
