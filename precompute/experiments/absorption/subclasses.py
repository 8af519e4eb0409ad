"""Do the latents that absorb a class stand for a sub-class of it, as "bird" for "animal"?

An absorbing latent fires on other words of the class too. If it stands for the word's sub-class,
those are of the same sub-class; dealing the sub-classes out anew within the class is the control.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from precompute.experiments.absorption.concepts import CLASS, Asked
from precompute.experiments.findings import Findings
from precompute.experiments.intervals import Groups

SAME = "share of other words of the same sub-class"
ALONE = "fires on no other word of the class"


def same_sub_class(
    asked: Asked, acts: sparse.csr_matrix, is_class: np.ndarray, sub_classes: np.ndarray
) -> np.ndarray:
    """For each fully absorbed word, of the other words of the class on which its absorbing latent
    fires, the share that is of its sub-class; NaN where there are none.

    Args:
        asked: the class at some words.
        acts: activations of all words [n_words, n_latents].
        is_class: bool [n_words], the class' words.
        sub_classes: of all words.
    """
    shares = []
    for word, latent in _absorbed(asked):
        fires = (acts[:, [latent]].toarray()[:, 0] > 0) & is_class
        fires[word] = False
        alike = sub_classes[fires] == sub_classes[word]
        shares.append(float(alike.mean()) if fires.any() else np.nan)
    return np.array(shares, np.float64)


def sub_class_figures(
    findings: Findings,
    name: str,
    sae_id: str,
    asked: list[Asked],
    acts: sparse.csr_matrix,
    labels: np.ndarray,
    sub_classes: np.ndarray,
    seed: int,
) -> None:
    """Means over absorbed words of all classes, and the control."""
    dealt = sub_classes.copy()
    rng = np.random.default_rng(seed)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        dealt[own] = sub_classes[rng.permutation(own)]
    settings = {"absorbing latents": sub_classes, "sub-classes shuffled": dealt}
    for setting, given in settings.items():
        shares = [same_sub_class(one, acts, labels == one.concept.label, given) for one in asked]
        values = np.concatenate(shares)
        seen = np.isfinite(values)
        if not seen.any():
            return
        groups = Groups(np.arange(int(seen.sum())), seed)
        findings.measure(name, sae_id, CLASS.setting(setting), SAME, groups.mean(values[seen]))
        if given is sub_classes:
            alone = Groups(np.arange(len(values)), seed).mean((~seen).astype(float))
            findings.measure(name, sae_id, CLASS.setting(setting), ALONE, alone)


def _absorbed(asked: Asked) -> Iterator[tuple[int, int]]:
    """Words that are fully absorbed, each with its absorbing latent."""
    for place in np.flatnonzero(asked.found.is_full):
        yield int(asked.words[place]), int(asked.found.absorber[place])
