"""Rows of `measurements` about names: held-out figures of names, of shuffled ones and of others.

Experiment `labels`, subject an SAE or meta-SAE. Settings: `label`, the same by kind (`label,
spelling`), `shuffled labels`, and of meta-SAEs `members' words`, the words of the strongest members
in place of a name. Metrics: `auc` and `balanced_accuracy`, means over the judged latents with 95 %
bootstrap intervals; `share`, of all latents, for each kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from precompute.measurements import row
from precompute.names.latent_test import LatentTest
from precompute.names.meta_test import MetaTest
from precompute.terms import Label

EXPERIMENT = "labels"
LABEL, SHUFFLED, MEMBERS = "label", "shuffled labels", "members' words"
KINDS = ("word", "spelling", "meaning", "none")
RESAMPLES_AT_ONCE = 64
DRAWN_AT_ONCE = 1 << 24  # latents of all resamples together: 256 MB


def label_rows(
    subject: str,
    labels: list[Label],
    test: LatentTest | MetaTest,
    resamples: int,
    seed: int,
    members: MetaTest | None = None,
) -> list[dict[str, Any]]:
    """Every figure about the names of one SAE or meta-SAE.

    Args:
        members: the test of the words of the strongest members as names.
    """
    kinds = np.array([label.kind for label in labels])
    figures = {
        LABEL: (test.auc, test.accuracy),
        SHUFFLED: (test.shuffled_auc, test.shuffled_accuracy),
    }
    if members is not None:
        judged = test.n > 0
        own = (np.where(judged, values, np.nan) for values in (members.auc, members.accuracy))
        figures[MEMBERS] = (next(own), next(own))
    for kind in KINDS:
        is_kind = kinds == kind
        if is_kind.any():
            own = (np.where(is_kind, values, np.nan) for values in (test.auc, test.accuracy))
            figures[f"{LABEL}, {kind}"] = (next(own), next(own))
    rows = [
        _mean_row(subject, setting, metric, values, resamples, seed)
        for setting, pair in figures.items()
        for metric, values in zip(("auc", "balanced_accuracy"), pair, strict=True)
        if np.isfinite(values).any()
    ]
    shares = ((kind, float((kinds == kind).mean())) for kind in KINDS)
    rows += [row(EXPERIMENT, subject, kind, "share", share, len(kinds)) for kind, share in shares]
    return rows


def tested(labels: Iterable[Label], test: LatentTest | MetaTest) -> list[Label]:
    """The labels with what their test found; None where there was none."""
    return [
        Label(
            label.text,
            label.source,
            label.score,
            label.kind,
            accuracy=float(test.accuracy[i]) if test.n[i] else None,
            auc=float(test.auc[i]) if test.n[i] else None,
            tests=int(test.n[i]),
        )
        for i, label in enumerate(labels)
    ]


def _mean_row(
    subject: str, setting: str, metric: str, values: np.ndarray, resamples: int, seed: int
) -> dict[str, Any]:
    """The mean over latents that have a figure, with a percentile bootstrap interval over them."""
    known = values[np.isfinite(values)]
    rng = np.random.default_rng(seed)
    means = []
    at_once = min(RESAMPLES_AT_ONCE, max(1, DRAWN_AT_ONCE // len(known)))
    for start in range(0, resamples, at_once):
        n = min(at_once, resamples - start)
        means.append(known[rng.integers(0, len(known), (n, len(known)))].mean(1))
    low, high = np.quantile(np.concatenate(means), (0.025, 0.975))
    found = row(EXPERIMENT, subject, setting, metric, float(known.mean()), len(known))
    return found | {"ci_low": float(low), "ci_high": float(high)}
