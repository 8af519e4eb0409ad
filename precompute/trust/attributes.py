"""Does some part of a code tell who has an attribute? One part, chosen on other entities.

For every value of an attribute (the country "France" of cities) and every random half of the
entities that have the attribute: choose on one half the part of best AUROC for the value, score
that part on the other half, and swap the halves. A value's figure is the mean over all of these;
chance is 0.5 however many parts there are to choose from, because no part is scored where it was
chosen. Parts are meta-latents, latents of a smaller SAE, clusters, signed principal axes, ...:
whatever has a number for the decoder row of each entity's latent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from precompute.measurements import row
from precompute.trust.entity_latents import EntityLatents

EXPERIMENT = "attributes"
ALL = "all attributes"
MIN_ENTITIES = 5  # with a value, and as many of the kind without it: at least 2 in every half
N_SPLITS = 10
N_RESAMPLES = 2000
MIN_VALUES = 5  # a mean over fewer values gets no interval
CHANCE = 0.5


@dataclass(frozen=True)
class Probe:
    """One attribute, its values that count, and the halves that all methods are scored on.

    Attributes:
        members: int64 [n], indices of the entities that have the attribute.
        values: str [n_values].
        has_value: bool [n, n_values].
        is_first_half: bool [n_splits, n].
    """

    attribute: str
    members: np.ndarray
    values: np.ndarray
    has_value: np.ndarray
    is_first_half: np.ndarray


@dataclass(frozen=True)
class Recovery:
    """AUROC [n_values] of the chosen part for every value, in the order of the probes."""

    attribute: np.ndarray
    value: np.ndarray
    auroc: np.ndarray


@dataclass(frozen=True)
class Mean:
    """A mean over `n` values; the 95 % interval is None for fewer than `MIN_VALUES`."""

    value: float
    interval: tuple[float, float] | None
    n: int


def attribute_probes(
    entities: EntityLatents, seed: int, n_splits: int = N_SPLITS, min_entities: int = MIN_ENTITIES
) -> list[Probe]:
    """The attributes with a value that counts; give the same list to every method.

    Entities are dealt to the halves alternately, value by value, so that no value has more than
    one entity more in one half than in the other.
    """
    rng = np.random.default_rng(seed)
    probes = []
    for attribute, of in entities.values.items():
        members = np.flatnonzero(of != "")
        values, code, count = np.unique(of[members], return_inverse=True, return_counts=True)
        counts = (count >= min_entities) & (len(members) - count >= min_entities)
        if not counts.any():
            continue
        halves = np.zeros((n_splits, len(members)), bool)
        for half in halves:
            value_order = rng.permutation(len(values))[code]
            order = np.lexsort((rng.permutation(len(members)), value_order))
            half[order[::2]] = True
        has_value = code[:, None] == np.flatnonzero(counts)
        probes.append(Probe(attribute, members, values[counts], has_value, halves))
    return probes


def attribute_recovery(scores: np.ndarray, probes: list[Probe]) -> Recovery:
    """Score one method.

    Args:
        scores: float32 [n_entities, n_parts], dense, by index of the entity; more of a part means
            more of a value, so that a direction of two ends is two parts, one a sign.
        probes: from `attribute_probes` of the same entities, or of the same ones shuffled.
    """
    attributes, values, found = [], [], []
    for probe in probes:
        own = scores[probe.members]
        own = own[:, (own != own[0]).any(0)]  # what is equal on all entities tells nothing
        folds = [
            _chosen_auroc(own, probe.has_value, is_first)
            for half in probe.is_first_half
            for is_first in (half, ~half)
        ]
        attributes += [probe.attribute] * len(probe.values)
        values += probe.values.tolist()
        found.append(np.mean(folds, axis=0))
    auroc = np.concatenate(found) if found else np.zeros(0)
    return Recovery(np.array(attributes, np.str_), np.array(values, np.str_), auroc)


def auroc(scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of every part for every value, a tie counting one half.

    From rank sums (Mann and Whitney 1947): (R - p (p + 1) / 2) / (p q), R the sum of the ranks
    of the p positives among all p + q.

    Args:
        scores: [n, n_parts]. positive: bool [n, n_values], neither all nor none of a column.

    Returns:
        float64 [n_values, n_parts].
    """
    ranks = rankdata(scores, axis=0)
    is_positive = positive.T.astype(np.float64)
    n_positive = is_positive.sum(1, keepdims=True)
    pairs = n_positive * (len(scores) - n_positive)
    # sums of half-integers are exact, so that equal areas are equal numbers
    return (is_positive @ ranks - n_positive * (n_positive + 1) / 2) / pairs


def strongest_only(scores: np.ndarray, k: int) -> np.ndarray:
    """`scores` [n, n_parts] with all but the k largest positive ones of a row set to zero.

    A dense score ranks all entities and a sparse one only those it is active on, which alone
    raises the AUROC: even random directions, dense, exceed a sparse code that tells much more.
    Compare dense with dense, and a dense method with a sparse one through this.
    """
    kept = np.argpartition(scores, -k, axis=1)[:, -k:]
    result = np.zeros_like(scores)
    largest = np.take_along_axis(scores, kept, axis=1).clip(min=0)
    np.put_along_axis(result, kept, largest, axis=1)
    return result


def mean_over_values(values: np.ndarray, seed: int = 0) -> Mean:
    """Mean of `values` [n] with a percentile bootstrap interval over them."""
    if len(values) < MIN_VALUES:
        return Mean(float(np.mean(values)) if len(values) else CHANCE, None, len(values))
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (N_RESAMPLES, len(values)))].mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Mean(float(values.mean()), (float(low), float(high)), len(values))


def attribute_rows(
    results: Mapping[str, Recovery], reference: str, shuffled: Recovery
) -> list[dict[str, Any]]:
    """Measurements: AUROC of every method, over all attributes and by attribute.

    `auroc_difference` is the mean of a method's AUROC less the reference's over the same values,
    with the interval of the paired differences: intervals of two means overlap long before that.

    Args:
        results: by name of the method, all from the same probes.
        reference: name of the method that the others are compared with.
        shuffled: the reference on probes of shuffled entities.

    Raises:
        ValueError: the results do not rest on the same values.
    """
    own = results[reference]
    rows = []
    for method, found in (*results.items(), (f"{reference}, shuffled", shuffled)):
        rows.append(_row(method, ALL, "auroc", found.auroc))
        for attribute in dict.fromkeys(found.attribute.tolist()):
            values = found.auroc[found.attribute == attribute]
            rows.append(_row(method, attribute, "auroc", values))
    for method, found in results.items():
        if not np.array_equal((found.attribute, found.value), (own.attribute, own.value)):
            raise ValueError(f"{method} and {reference} were scored on different values")
        if method != reference:
            rows.append(_row(method, ALL, "auroc_difference", found.auroc - own.auroc))
    return rows


def _chosen_auroc(scores: np.ndarray, has_value: np.ndarray, choose_on: np.ndarray) -> np.ndarray:
    """AUROC [n_values] on the other half of the part that is best on the half `choose_on`."""
    result = np.full(has_value.shape[1], CHANCE)
    if not scores.shape[1]:
        return result
    chosen, best = _best_parts(scores[choose_on], has_value[choose_on])
    on_others = auroc(scores[np.ix_(~choose_on, chosen)], has_value[~choose_on]).diagonal()
    # below chance on its own half the best part is one that is equal on all entities
    return np.where(best > CHANCE, on_others, result)


def _best_parts(scores: np.ndarray, has_value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Part of best AUROC for every value, of several the one of largest mean difference."""
    areas = auroc(scores, has_value)
    best = areas.max(1)
    positive = has_value.T.astype(np.float64)
    n_positive = positive.sum(1, keepdims=True)
    total = positive @ scores
    difference = total / n_positive - (scores.sum(0) - total) / (len(scores) - n_positive)
    return np.where(areas == best[:, None], difference, -np.inf).argmax(1), best


def _row(subject: str, setting: str, metric: str, values: np.ndarray) -> dict[str, Any]:
    mean = mean_over_values(values)
    low, high = mean.interval or (None, None)
    found = row(EXPERIMENT, subject, setting, metric, mean.value, mean.n)
    return found | {"ci_low": low, "ci_high": high}
