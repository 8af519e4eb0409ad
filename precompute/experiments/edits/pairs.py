"""Which entities are for fitting, choosing and judging, and which two of them make a pair."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from precompute.experiments.edits.questions import UNKNOWN, FactTable

FITTING_SHARE, CHOOSING_SHARE = 1 / 2, 1 / 6  # the rest is for judging
LEAST_DIFFERENT = 2  # attributes of a pair: one to change, one to stay


@dataclass(frozen=True)
class Pools:
    """Entities int64 of each part; no entity is in two."""

    fitting: np.ndarray
    choosing: np.ndarray
    judging: np.ndarray


@dataclass(frozen=True)
class Pair:
    """Two entities, and the attributes whose known answers differ."""

    entity: int
    """Whose representation is edited."""
    other: int
    """Whose values the edits aim at."""
    attributes: tuple[int, ...]


def pools(n_entities: int, seed: int) -> Pools:
    """All entities, dealt out at random."""
    order = np.random.default_rng(seed).permutation(n_entities)
    first = round(FITTING_SHARE * n_entities)
    second = first + round(CHOOSING_SHARE * n_entities)
    return Pools(order[:first], order[first:second], order[second:])


def drawn_pairs(
    table: FactTable,
    is_known: np.ndarray,
    pool: np.ndarray,
    fitting: np.ndarray,
    least_examples: int,
    most: int,
    seed: int,
) -> tuple[Pair, ...]:
    """Up to `most` ordered pairs of a pool, those with at least two attributes that differ.

    Args:
        is_known: bool [n_entities, n_attributes]: the untouched model answers right.
        fitting: entities, of which at least `least_examples` must have each of the two values.
    """
    usable = is_known & (table.answers != UNKNOWN)
    for attribute in range(len(table.attributes)):
        count = Counter(table.answers[fitting, attribute].tolist())
        usable[:, attribute] &= [
            count[token] >= least_examples for token in table.answers[:, attribute].tolist()
        ]
    ordered = [(a, b) for a in pool.tolist() for b in pool.tolist() if a != b]
    found = []
    for number in np.random.default_rng(seed).permutation(len(ordered)):
        a, b = ordered[number]
        differs = usable[a] & usable[b] & (table.answers[a] != table.answers[b])
        if differs.sum() >= LEAST_DIFFERENT:
            found.append(Pair(a, b, tuple(np.flatnonzero(differs).tolist())))
        if len(found) == most:
            break
    return tuple(found)
