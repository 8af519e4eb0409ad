"""Which latents of an SAE fire on the same tokens: exact counts within a sample.

With the sample as a sparse matrix X [tokens, latents] of ones, X' X counts the tokens on which two
latents both fire; J = together / (fired + other fired - together) is their Jaccard index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import pyarrow as pa
from scipy import sparse

from backend.tables.evidence import COFIRING
from precompute.activations import Firings
from precompute.latent_tables import as_table
from precompute.topk import rank_within

MIN_TOGETHER = 3  # tokens; fewer are chance
BLOCK_PRODUCTS = 1 << 25  # entries of X' X before equal places are summed up: below 1 GB a block


class FiringRecord:
    """Which latents fire on the first tokens of a pass, noted while others read the pass."""

    def __init__(self, most_tokens: int) -> None:
        self.most_tokens = most_tokens
        self._latents = [np.empty(0, np.int32)]
        self._counts = [np.empty(0, np.int64)]
        self._seen = 0

    def watch(self, blocks: Iterable[tuple[int, Firings]]) -> Iterator[tuple[int, Firings]]:
        """The same blocks; what fires on the tokens still wanted is noted."""
        for n_rows, firing in blocks:
            n_kept = min(n_rows, self.most_tokens - self._seen)
            n_firings = int(np.searchsorted(firing.rows, n_kept))
            self._latents.append(firing.latents[:n_firings].astype(np.int32))
            self._counts.append(np.bincount(firing.rows[:n_firings], minlength=n_kept)[:n_kept])
            self._seen += n_kept
            yield n_rows, firing

    def matrix(self, n_latents: int) -> sparse.csr_array:
        """Ones [n_tokens, n_latents] where a latent fires."""
        ends = np.concatenate([[0], *self._counts]).cumsum()
        latents = np.concatenate(self._latents)
        ones = np.ones(len(latents), np.int32)
        return sparse.csr_array((ones, latents, ends), shape=(self._seen, n_latents))


def cofiring_table(sae_id: str, fires: sparse.csr_array, n_others: int) -> pa.Table:
    """Rows of `cofiring`: for each latent the `n_others` of highest Jaccard index.

    Of equal indices the smaller latent comes first; a latent is not its own neighbour.
    """
    n_tokens, n_latents = len(fires.indptr) - 1, len(np.atleast_1d(fires.sum(0)))
    fired = np.bincount(fires.indices, minlength=n_latents)
    found = [_best(*block, fired, n_others) for block in _together(fires)]
    latent, other, together = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return as_table(
        COFIRING.arrow,
        {
            "sae_id": pa.repeat(sae_id, len(latent)),
            "latent": latent,
            "rank": rank_within(latent),
            "other_latent": other,
            "together": together,
            "fired": fired[latent],
            "other_fired": fired[other],
            "tokens_seen": np.full(len(latent), n_tokens),
        },
    )


def _together(fires: sparse.csr_array) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Latent, other latent and tokens together, for blocks of latents, by latent."""
    by_latent = fires.T.tocsr()
    by_latent.sort_indices()
    # products a latent asks for: active latents of all the tokens that it fires on
    products = by_latent @ np.diff(fires.indptr).astype(np.int64)
    block = np.cumsum(products) // BLOCK_PRODUCTS
    edges = np.flatnonzero(np.diff(block, prepend=-1, append=block[-1] + 1))
    for start, end in pairwise(edges.tolist()):
        counts = (by_latent[start:end] @ fires).tocoo()
        yield counts.row + start, counts.col, counts.data


def _best(
    latent: np.ndarray, other: np.ndarray, together: np.ndarray, fired: np.ndarray, n_others: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    kept = (together >= MIN_TOGETHER) & (latent != other)
    latent, other, together = (a[kept].astype(np.int64) for a in (latent, other, together))
    jaccard = together / (fired[latent] + fired[other] - together)
    order = np.lexsort((other, -jaccard, latent))
    order = order[rank_within(latent[order]) < n_others]
    return latent[order], other[order], together[order]
