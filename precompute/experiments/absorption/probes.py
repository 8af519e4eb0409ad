"""Linear probes of a letter or a class: on activations, and on a few latents (k-sparse).

After Chanin et al., "A is for Absorption" (2024), and SAEBench: latents are ordered by the weights
of an L1 probe, and as long as one more raises F1 by more than `SPLIT_GAIN`, the concept is split
over so many. Those latents are its main ones.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

SPLIT_GAIN = 0.03
MOST_LATENTS = 10
L1_COEFFICIENT = 0.01  # beside the mean loss over words, as published
ITERATIONS = 500
PROBE_C = 10.0  # of activations at a mean distance of 1; with 1 small classes are held too short


@dataclass(frozen=True)
class Probe:
    """A unit direction in activation space, its offset, and how well it tells the concept."""

    direction: np.ndarray  # float64 [d_in]
    says: np.ndarray  # bool [n_words]: whether the probe says "this one"
    f1: float  # on test words


@dataclass(frozen=True)
class SparseProbe:
    """Latents of a concept, best first, F1 on test words with the first k, and the main ones."""

    latents: np.ndarray  # int64
    f1: list[float]  # of k = 1, 2, ...
    n_main: int
    says: np.ndarray  # bool [n_words]: whether the probe on the main latents says "this one"

    @property
    def main(self) -> np.ndarray:
        return self.latents[: self.n_main]


def probe(x: np.ndarray, is_concept: np.ndarray, is_test: np.ndarray) -> Probe:
    """A logistic probe on activations [n_words, d_in], fitted to the words not for testing."""
    scale = float(np.linalg.norm(x - x.mean(0), axis=1).mean())
    fitted = _logistic(x[~is_test] / scale, is_concept[~is_test], PROBE_C)
    says = np.asarray(fitted.predict(x / scale), bool)
    direction = fitted.coef_[0] / np.linalg.norm(fitted.coef_[0])
    return Probe(direction, says, float(f1_score(is_concept[is_test], says[is_test])))


def sparse_probe(
    acts: sparse.csr_matrix, is_concept: np.ndarray, is_test: np.ndarray
) -> SparseProbe:
    """k-sparse probes on activations of latents [n_words, n_latents].

    For the choice they are counted in their mean where they fire. Without that, a scale at which
    the penalty hardly counts puts latents of single words first.
    """
    train = ~is_test
    scale = float(acts.data.mean()) if acts.nnz else 1.0
    c = 1 / (L1_COEFFICIENT * train.sum())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        chooser = LogisticRegression(
            C=c, l1_ratio=1.0, solver="liblinear", class_weight="balanced", random_state=0
        ).fit(acts[train] / scale, is_concept[train])
    weights = chooser.coef_[0]
    order = np.argsort(-weights, kind="stable")[:MOST_LATENTS]
    latents = order[weights[order] > 0]
    f1, says = [], [np.zeros(len(is_concept), bool)]
    for k in range(1, len(latents) + 1):
        own = acts[:, latents[:k]].toarray()
        says.append(np.asarray(_logistic(own[train], is_concept[train]).predict(own), bool))
        f1.append(float(f1_score(is_concept[is_test], says[k][is_test])))
    n_main = n_split(f1)
    return SparseProbe(latents, f1, n_main, says[n_main])


def n_split(f1: list[float]) -> int:
    """How many latents a concept is split over: each must raise F1 by more than `SPLIT_GAIN`."""
    n, best = min(1, len(f1)), f1[0] if f1 else 0.0
    while n < len(f1) and f1[n] > best + SPLIT_GAIN:
        best = f1[n]
        n += 1
    return n


def _logistic(x: np.ndarray, is_concept: np.ndarray, c: float = 1.0) -> LogisticRegression:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(C=c, class_weight="balanced", max_iter=ITERATIONS)
        return fitted.fit(x, is_concept)
