"""The tree of latent splitting, and whether meta-latents find the parents.

A latent's parent in the next smaller SAE is the latent of highest decoder cosine there, if that
reaches `min_cosine` (the post's split relation). A meta-SAE should find what split: a decomposed
latent's parent should be near one of its meta-latents. `recovery` measures how often it is, and
how often it would be if components were dealt to latents at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from precompute.decomposition import Decomposition
from precompute.geometry import nearest

N_SHUFFLES = 20


@dataclass(frozen=True)
class Recovery:
    """Share of latents with a parent whose parent's nearest meta-latent is a component of theirs.

    `chance` is the same with whole decompositions dealt to other latents, mean over shuffles.
    `n` latents with a parent. `is_recovered` bool [n_latents], False without a parent.
    """

    share: float
    half_width: float
    chance: float
    n: int
    is_recovered: np.ndarray


def parents(larger: torch.Tensor, smaller: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Nearest row of `smaller` for each row of `larger`: int64 and float32 [n_large]."""
    index, cosine = nearest(larger, smaller, 1, same=False)
    return index[:, 0], cosine[:, 0]


def ancestors(chain: list[tuple[np.ndarray, np.ndarray]], min_cosine: float) -> list[np.ndarray]:
    """The ancestor of every latent of the largest SAE in each smaller one, -1 once a link breaks.

    Args:
        chain: `parents` from the largest SAE to the next, from that to the one below, ...
    """
    found: list[np.ndarray] = []
    for parent, cosine in chain:
        linked = np.where(cosine >= min_cosine, parent, -1)
        found.append(linked if not found else np.where(found[-1] >= 0, linked[found[-1]], -1))
    return found


def recovery(
    parent: np.ndarray,
    smaller: torch.Tensor,
    meta_directions: torch.Tensor,
    shown: Decomposition,
    seed: int,
) -> Recovery:
    """Whether each latent's ancestor is among its components.

    Args:
        parent: int64 [n_latents], ancestor in the smaller SAE or -1.
        smaller: decoder rows of the smaller SAE; `meta_directions`: those of the meta-SAE.
        shown: decompositions of the latents.
    """
    n_meta = len(meta_directions)
    wanted_meta, _ = parents(smaller, meta_directions)
    has_parent = np.flatnonzero(parent >= 0)
    wanted = wanted_meta[parent[has_parent]]
    active = shown.keys(n_meta)  # ascending
    is_recovered = np.zeros(len(parent), bool)
    is_recovered[has_parent] = _contains(active, has_parent * n_meta + wanted)
    rng = np.random.default_rng(seed)
    by_chance = [
        _contains(active, rng.permutation(has_parent) * n_meta + wanted).mean()
        if len(wanted)
        else 0.0
        for _ in range(N_SHUFFLES)
    ]
    share = float(is_recovered[has_parent].mean()) if len(wanted) else 0.0
    return Recovery(
        share=share,
        half_width=1.96 * float(np.sqrt(share * (1 - share) / max(len(wanted), 1))),
        chance=float(np.mean(by_chance)),
        n=len(wanted),
        is_recovered=is_recovered,
    )


def _contains(ascending: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """bool [n]: whether each wanted number is among the ascending ones."""
    if not len(ascending):
        return np.zeros(len(wanted), bool)
    place = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    return ascending[place] == wanted


def phi(both: np.ndarray, one: np.ndarray, other: np.ndarray, n: int) -> np.ndarray:
    """Correlation of two latents' firing over n tokens, from counts; 0 when one never fires."""
    both, one, other = (counts.astype(np.float64) for counts in (both, one, other))
    square = one * (n - one) * other * (n - other)
    return (both * n - one * other) / np.sqrt(np.where(square > 0, square, np.inf))
