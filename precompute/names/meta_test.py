"""Does a meta-latent's name alone tell its members from other latents? Judged on the other half.

Members and others of this half stand for words that played no part in choosing. Every latent with
words is judged, and every name judges every meta-latent: the mean over the names of all others is
what a shuffled name would score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from precompute.names.choosing import Members, MetaName
from precompute.names.meta_names import judged_scores
from precompute.names.profiles import Profiles
from precompute.names.ranking import accuracy_matrix, auc_matrix, ranks_by_column

COLUMNS_AT_ONCE = 256


@dataclass(frozen=True)
class MetaTest:
    """Figures by meta-latent, NaN without a test; `shuffled` is the mean over all others' names.

    Shapes: `n` int64 [n_meta] held-out members, 0 without a test; the others float64 [n_meta].
    """

    n: np.ndarray
    accuracy: np.ndarray
    auc: np.ndarray
    shuffled_accuracy: np.ndarray
    shuffled_auc: np.ndarray


def judge_meta_latents(
    names: list[MetaName],
    members: Members,
    profiles: Profiles,
    own: np.ndarray | None,
    min_tests: int,
) -> MetaTest:
    """Judge every meta-latent that has a name and at least `min_tests` held-out members.

    Args:
        own: of `meanings`, of all latents; None without a sentence model.
    """
    latents = np.flatnonzero(~profiles.chooses & profiles.has_words)
    held_out = members.matrix(latents, weighted=False)
    count = np.asarray(held_out.sum(1)).ravel().astype(np.int64)
    has_name = np.array([bool(name.label.text) for name in names], bool)
    judged = np.flatnonzero(has_name & (count >= min_tests) & (count < len(latents)))
    aucs = np.full((members.n_meta, len(judged)), np.nan)
    accuracies = aucs.copy()
    thresholds = np.array([name.threshold for name in names])
    for start in range(0, len(judged), COLUMNS_AT_ONCE):
        part = judged[start : start + COLUMNS_AT_ONCE]
        scores = judged_scores([names[i] for i in part], profiles, own, latents)
        columns = slice(start, start + len(part))
        aucs[:, columns] = auc_matrix(held_out, ranks_by_column(scores))
        accuracies[:, columns] = accuracy_matrix(held_out, scores >= thresholds[part])
    n = np.zeros(members.n_meta, np.int64)
    n[judged] = count[judged]
    accuracy, shuffled_accuracy = _own_and_others(accuracies, judged)
    auc, shuffled_auc = _own_and_others(aucs, judged)
    return MetaTest(n, accuracy, auc, shuffled_accuracy, shuffled_auc)


def _own_and_others(figures: np.ndarray, judged: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By each judged meta-latent's own name, and the mean over those of all others."""
    own, others = np.full((2, len(figures)), np.nan)
    mine = figures[judged, np.arange(len(judged))]
    own[judged] = mine
    if len(judged) > 1:
        others[judged] = (figures[judged].sum(1) - mine) / (len(judged) - 1)
    return own, others
