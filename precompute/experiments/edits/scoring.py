"""Cause, isolate, disentangle: what an edit of one attribute did to it, and to the others.

For an edit of entity a towards entity b, meant for one attribute:

- cause: the answer about it became b's (1 or 0)
- isolate: share of the other attributes, of those where a and b differ, whose answer stayed a's
- disentangle: (cause + isolate) / 2 (RAVEL's score, Huang et al. 2024)

A perfect edit has 1. No edit at all has 0.5: cause 0, isolate 1. So has one that turns everything
into b's: cause 1, isolate 0.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Replies:
    """What was answered after each edit about each attribute; all [n_edits, n_attributes]."""

    is_asked: np.ndarray
    """bool: both entities' answers are known and differ."""
    is_own: np.ndarray
    """bool: the answer is still the entity's."""
    is_other: np.ndarray
    """bool: the answer is the other's."""
    own: np.ndarray
    """float32: log-probability of the entity's answer in nats; NaN where nothing was asked."""
    other: np.ndarray
    """The same of the other's."""

    @staticmethod
    def nothing(n_edits: int, n_attributes: int) -> Replies:
        """Of no questions, to be filled in."""
        shape = (n_edits, n_attributes)
        flags = (np.zeros(shape, bool) for _ in range(3))
        return Replies(*flags, *(np.full(shape, np.nan, np.float32) for _ in range(2)))

    def take(self, rows: np.ndarray) -> Replies:
        """Those of some edits, int64 [n]."""
        return Replies(*(getattr(self, one.name)[rows] for one in fields(self)))


@dataclass(frozen=True)
class Scores:
    """Of edits that were each meant for one attribute; all [n_edits]."""

    cause: np.ndarray
    isolate: np.ndarray
    n_kept: np.ndarray
    """Other attributes whose answer stayed."""
    n_others: np.ndarray
    """Other attributes that could have changed, at least 1."""

    odds: np.ndarray
    """Log-odds of the other's answer over the own one about the target, in nats."""
    odds_elsewhere: np.ndarray
    """The same about the other attributes, in the mean."""

    @property
    def disentangle(self) -> np.ndarray:
        return (self.cause + self.isolate) / 2


def scores(replies: Replies, target: np.ndarray) -> Scores:
    """The scores of edits whose targets int64 [n_edits] are attributes that were asked about."""
    edit = np.arange(len(target))
    is_another = replies.is_asked.copy()
    is_another[edit, target] = False
    n_others = is_another.sum(1)
    n_kept = (is_another & replies.is_own).sum(1)
    cause = replies.is_other[edit, target].astype(float)
    odds = np.where(replies.is_asked, replies.other - replies.own, 0.0)
    elsewhere = (odds * is_another).sum(1) / n_others
    return Scores(cause, n_kept / n_others, n_kept, n_others, odds[edit, target], elsewhere)
