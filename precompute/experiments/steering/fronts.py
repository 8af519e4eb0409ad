"""Effect against damage: what a method reaches at one damage, and who is on the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

LEAST_EFFECT = 0.01
"""Points that raise the targets' probability by less do nothing; they would be on every front,
because nothing costs less than hardly any change."""


def at_damage(damage: np.ndarray, values: np.ndarray, limit: float) -> float:
    """What `values` are where a line first comes to `limit` of damage, interpolated.

    Args:
        damage: float [n], along ascending strengths from 0, where it is 0.
        values: float [n], anything that goes with it.
        limit: above 0, in the unit of `damage`.

    Returns:
        The last value if the line never comes there: the method could have been stronger.
    """
    beyond = np.flatnonzero(damage >= limit)
    if not len(beyond):
        return float(values[-1])
    after = int(beyond[0])
    before = after - 1
    share = (limit - damage[before]) / (damage[after] - damage[before])
    return float(values[before] + share * (values[after] - values[before]))


def on_front(damage: np.ndarray, effect: np.ndarray) -> np.ndarray:
    """bool [n]: points that no other one beats: less damage or more effect, and neither worse."""
    less = (damage[None] <= damage[:, None]) & (effect[None] >= effect[:, None])
    strictly = (damage[None] < damage[:, None]) | (effect[None] > effect[:, None])
    return ~(less & strictly).any(1) & (effect >= LEAST_EFFECT)


def front_shares(points: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Each method's share of the points on the front that all methods' points make together.

    Args:
        points: damages and effects [n_strengths] of each method.

    Returns:
        Shares that add up to 1; all nan where nothing has an effect.
    """
    damage = np.concatenate([damage for damage, _ in points.values()])
    effect = np.concatenate([effect for _, effect in points.values()])
    owner = np.repeat(np.arange(len(points)), [len(damage) for damage, _ in points.values()])
    count = np.bincount(owner[on_front(damage, effect)], minlength=len(points))
    total = count.sum() or np.nan
    return {name: float(n / total) for name, n in zip(points, count, strict=True)}
