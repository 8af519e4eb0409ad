"""Does the decoder alone tell novel latents? Maximum cosine as a predictor of dMSE's sign."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve


@dataclass(frozen=True)
class Predictor:
    """How well "max cosine below a cut" predicts "novel".

    `false_positive`, `true_positive` [n_points]: the ROC curve; `cut` the cosine at each point.
    `accuracy` at the published cut, `best_cut` and `best_accuracy` at the best one, and
    `majority` of the larger class alone, which any accuracy must beat.
    """

    auc: float
    auc_half_width: float  # of its 95 % interval over latents
    accuracy: float
    best_cut: float
    best_accuracy: float
    majority: float
    false_positive: np.ndarray
    true_positive: np.ndarray
    cut: np.ndarray


def predictor(max_cosine: np.ndarray, is_novel: np.ndarray, cut: float) -> Predictor | None:
    """Score it over latents [n]; None when all are of one kind, so nothing is to be told."""
    n_novel, n = int(is_novel.sum()), len(is_novel)
    if n_novel in (0, n):
        return None
    false_positive, true_positive, cuts = roc_curve(is_novel, -max_cosine)
    right = true_positive * n_novel + (1 - false_positive) * (n - n_novel)
    best = int(np.argmax(right))
    auc = float(roc_auc_score(is_novel, -max_cosine))
    return Predictor(
        auc=auc,
        auc_half_width=1.96 * _auc_error(auc, n_novel, n - n_novel),
        accuracy=float(((max_cosine < cut) == is_novel).mean()),
        best_cut=float(np.clip(-cuts[best], -1.0, 1.0)),
        best_accuracy=float(right[best] / n),
        majority=max(n_novel, n - n_novel) / n,
        false_positive=false_positive,
        true_positive=true_positive,
        cut=-cuts,
    )


def _auc_error(auc: float, n_positive: int, n_negative: int) -> float:
    """Standard error of an AUC (Hanley and McNeil 1982)."""
    both_positive = auc / (2 - auc)
    both_negative = 2 * auc**2 / (1 + auc)
    variance = (
        auc * (1 - auc)
        + (n_positive - 1) * (both_positive - auc**2)
        + (n_negative - 1) * (both_negative - auc**2)
    ) / (n_positive * n_negative)
    return float(np.sqrt(max(variance, 0.0)))
