"""Figures with 95 % intervals, from a bootstrap over whole groups (contexts, entities, words).

Tokens of one context are not independent, so contexts are drawn, each with all its tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

RESAMPLES = 1000
PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """One figure, its 95 % interval, and on how many items (not groups) it rests."""

    value: float
    low: float | None
    high: float | None
    n: int

    def columns(self) -> dict[str, Any]:
        """As the tables of a run name them."""
        return {"value": self.value, "ci_low": self.low, "ci_high": self.high, "n": self.n}


class Groups:
    """Values added up by group once, to be resampled for any figure made of sums.

    Args:
        group: int [n_items], which group each item is of.
        seed: of the resamples; figures of one `Groups` share them, so differences are paired.
    """

    def __init__(self, group: np.ndarray, seed: int) -> None:
        self.group = np.unique(group, return_inverse=True)[1]
        self.n_groups = int(self.group.max(initial=-1)) + 1
        rng = np.random.default_rng(seed)
        drawn = rng.integers(0, max(self.n_groups, 1), (RESAMPLES, self.n_groups))
        self._weights = np.stack([np.bincount(row, minlength=self.n_groups) for row in drawn])

    def sums(self, values: np.ndarray) -> np.ndarray:
        """float64 [1 + RESAMPLES]: the sum of values [n_items], then that of every resample."""
        by_group = np.bincount(self.group, values, minlength=self.n_groups)
        return np.concatenate([[by_group.sum()], self._weights @ by_group])

    def mean(self, values: np.ndarray) -> Estimate:
        """Mean of values [n_items]."""
        return self.ratio(values, np.ones(len(values)))

    def ratio(self, values: np.ndarray, others: np.ndarray) -> Estimate:
        """sum(values) / sum(others), both [n_items]: a ratio of means."""
        return self.figure(lambda first, second: first / second, values, others)

    def figure(self, of_sums: Callable[..., np.ndarray], *values: np.ndarray) -> Estimate:
        """Any figure that is a function of sums, computed for all resamples at once."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = of_sums(*(self.sums(np.asarray(one, np.float64)) for one in values))
        return self._estimate(found)

    def statistic(self, of: Callable[[np.ndarray], float]) -> Estimate:
        """Any other figure, such as a median: computed anew for every resample.

        Args:
            of: gets the numbers of the items that count, each as often as its group was drawn.
        """
        items = np.arange(len(self.group))
        again = (np.repeat(items, own[self.group]) for own in self._weights)
        return self._estimate(np.array([of(items), *map(of, again)]))

    def _estimate(self, found: np.ndarray) -> Estimate:
        """From [1 + RESAMPLES] figures; none if half of them cannot be told."""
        n = len(self.group)
        again = found[1:][np.isfinite(found[1:])]
        if self.n_groups < 2 or len(again) < RESAMPLES // 2:
            return Estimate(float(found[0]), None, None, n)
        low, high = np.percentile(again, PERCENTILES)
        return Estimate(float(found[0]), float(low), float(high), n)


def variance_explained(groups: Groups, x: torch.Tensor, rebuilt: torch.Tensor) -> Estimate:
    """1 - squared errors / squared distances from the mean row, of rows [n_items, d]."""
    error, total = (
        off.pow(2).sum(1).double().cpu().numpy() for off in (rebuilt - x, x - x.mean(0))
    )
    return groups.figure(lambda errors, distances: 1 - errors / distances, error, total)
