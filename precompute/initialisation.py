"""Where SAE training starts: directions that mean something before the first step.

A randomly started wide SAE under-trains its rare latents on a few million tokens. Starting each
latent at the mean activation of one word piece ("word directions") gives every piece a latent of
its own from the first step; the sweep in `precompute/sweep.py` measures what that buys.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from tqdm.auto import tqdm

MIN_PIECE_COUNT = 6  # a mean over fewer activations is mostly one context
SUM_BLOCK_ROWS = 1 << 17
SCALE_ROWS = 1 << 16  # rows that the norm is estimated from


@dataclass(frozen=True)
class RowStatistics:
    """What initialisation needs of the training rows [n_rows, d_in].

    `piece_means` float32 [n_pieces, d_in] for the pieces in `pieces`, most frequent first.
    """

    mean: torch.Tensor
    scale: float
    pieces: np.ndarray
    piece_means: torch.Tensor


def row_statistics(rows: np.ndarray, token_ids: np.ndarray) -> RowStatistics:
    """Mean row, the scale that gives rows a mean norm of sqrt(d_in), and a mean for each piece."""
    n_vocabulary, d_in = int(token_ids.max()) + 1, rows.shape[1]
    sums = torch.zeros(n_vocabulary, d_in, dtype=torch.float64)
    for start in tqdm(range(0, len(rows), SUM_BLOCK_ROWS), desc="word directions", unit=" blocks"):
        block = torch.from_numpy(np.array(rows[start : start + SUM_BLOCK_ROWS])).double()
        ids = torch.from_numpy(token_ids[start : start + len(block)].astype(np.int64))
        sums.index_add_(0, ids, block)
    counts = np.bincount(token_ids, minlength=n_vocabulary)
    order = np.argsort(-counts, kind="stable")
    pieces = order[counts[order] >= MIN_PIECE_COUNT]
    means = sums[pieces] / torch.from_numpy(counts[pieces])[:, None]
    head = torch.from_numpy(np.array(rows[:SCALE_ROWS])).float()
    return RowStatistics(
        mean=(sums.sum(0) / len(rows)).float(),
        scale=float(d_in**0.5 / head.norm(dim=1).mean()),
        pieces=pieces,
        piece_means=means.float(),
    )


def word_directions(statistics: RowStatistics, n: int) -> torch.Tensor:
    """Unit directions [n, d_in] of the n most frequent pieces: their mean less the mean row."""
    return _unit(statistics.piece_means[:n] - statistics.mean)


def sampled_directions(
    statistics: RowStatistics, rows: np.ndarray, n: int, seed: int
) -> torch.Tensor:
    """Unit directions [n, d_in] of randomly chosen rows, less the mean row."""
    chosen = np.sort(np.random.default_rng(seed).integers(0, len(rows), n))
    return _unit(torch.from_numpy(np.array(rows[chosen])).float() - statistics.mean)


def _unit(directions: torch.Tensor) -> torch.Tensor:
    return directions / directions.norm(dim=1, keepdim=True).clamp_min(1e-8)
