"""Do meta-latents relate latents as a smaller SAE does (the post's relationship overlap)?

Two latents are related by the meta-SAE when a meta-latent is active on both, and by a smaller SAE
when both exceed a cosine with the same of its latents. The cosine is chosen so that both relations
have as nearly as possible as many pairs; the overlap is the share of the first that is also in the
second. Chance is the same with the latents of the second relation renamed at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

BISECTIONS = 14
# a relation of so many times the wanted pairs, each counted once for every reason, is not spelled
# out: it would need gigabytes, and its cosine is far too low
MOST_TIMES = 20


@dataclass(frozen=True)
class Overlap:
    """Shares of the `n_pairs` pairs that a meta-latent relates; `cosine` of the other relation."""

    shared: float
    chance: float
    cosine: float
    n_pairs: int
    n_other_pairs: int


def relation_overlap(
    latent: np.ndarray, part: np.ndarray, cosines: np.ndarray, seed: int
) -> Overlap:
    """Compare the two relations.

    Args:
        latent, part: int64 [n_entries], the active meta-latents of each latent.
        cosines: float32 [n, n_small], decoder rows against those of the smaller SAE.
    """
    n = len(cosines)
    ones = np.ones(len(latent), np.int32)
    by_meta = _related(sparse.csr_matrix((ones, (latent, part)), shape=(n, int(part.max()) + 1)))
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        members = _members(cosines, middle)
        is_more = _reasons(members) > MOST_TIMES * max(by_meta.nnz, 1) or (
            _related(members).nnz > by_meta.nnz
        )
        low, high = (middle, high) if is_more else (low, middle)
    members = _members(cosines, high)
    by_small = _related(members)
    order = np.random.default_rng(seed).permutation(n)
    total = max(by_meta.nnz, 1)
    return Overlap(
        shared=by_meta.multiply(by_small).nnz / total,
        chance=by_meta.multiply(_related(members[order])).nnz / total,
        cosine=high,
        n_pairs=by_meta.nnz,
        n_other_pairs=by_small.nnz,
    )


def _members(cosines: np.ndarray, cut: float) -> sparse.csr_matrix:
    return sparse.csr_matrix((cosines > cut).astype(np.int32))


def _reasons(members: sparse.csr_matrix) -> int:
    """Pairs, each counted once for every part that relates it."""
    size = np.asarray(members.sum(0), np.int64).ravel()
    return int((size * (size - 1) // 2).sum())


def _related(members: sparse.csr_matrix) -> sparse.csr_matrix:
    """The pairs of rows that share a column, each once: the upper triangle."""
    return sparse.csr_matrix(sparse.triu(members @ members.T, k=1))
