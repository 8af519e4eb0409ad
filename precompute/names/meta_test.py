"""Does a meta-latent's name alone tell its members from other latents? Judged on the other half.

Members and others of this half stand for words that played no part in choosing. Every latent with
words is judged, and every name judges every meta-latent: the mean over the names of all others is
what a shuffled name would score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from precompute.names.choosing import Members, MetaName, columns_at_once
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
    own_figures, sums = np.full((2, 2, members.n_meta), np.nan)  # accuracy and AUC
    sums[:, judged] = 0.0
    thresholds = np.array([name.threshold for name in names])
    here = None if own is None else own[latents]
    shares = profiles.matrix[latents]
    at_once = columns_at_once(len(latents), COLUMNS_AT_ONCE)
    for start in range(0, len(judged), at_once):
        part = judged[start : start + at_once]
        scores = judged_scores([names[i] for i in part], profiles, here, shares)
        by_name = (
            accuracy_matrix(held_out, scores >= thresholds[part])[judged],
            auc_matrix(held_out, ranks_by_column(scores))[judged],
        )
        for way, figures in enumerate(by_name):
            place = np.arange(len(part))
            own_figures[way, part] = figures[start + place, place]
            sums[way, judged] += figures.sum(1)
    if len(judged) > 1:
        others = (sums - own_figures) / (len(judged) - 1)
    else:
        others = np.full_like(sums, np.nan)
    n = np.zeros(members.n_meta, np.int64)
    n[judged] = count[judged]
    return MetaTest(n, *own_figures, *others)
