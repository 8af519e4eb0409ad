"""Meta-SAEs on a decoder, and what they say about each latent (Leask et al. 2025, section 4).

1. Fit one meta-SAE a seed on the unit decoder rows, as they are (no centring, no scaling), and set
   its threshold over all rows so that exactly k meta-latents are active on average.
2. Write each row w as bias + sum of activation x direction + residual. Shares are projections on
   w, so bias + components + residual = 1.
3. A component is stable in another seed when its meta-latent has a match there (Hungarian
   assignment, cosine >= match_cosine) and the match is active on the same latent.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from precompute.batches import drawn_batches, matrix_batches
from precompute.config import MetaSaeConfig
from precompute.dictionary import Dictionary, exact_threshold
from precompute.sparse import entry_dots, sparse_matrix
from precompute.stitching.groups import similar_pairs
from precompute.training import Fit, Start, fit

ROWS_AT_ONCE = 8192  # 25 MB at d = 768, of which a handful are held
COVARIANCE_ROWS = 1 << 16  # 400 MB in float64 at d = 768
MOST_ASSIGNED = 8192  # meta-latents; half a minute and 1 GB
STAYS_ALONE = 1e-6  # of a sum of cosines; scipy takes no zero
# added to the seed of null rows: a meta-SAE starts at the random numbers of its seed, and rows made
# of the same numbers would be known to it before the first step
NULL_STREAM = 1_000_003


@dataclass(frozen=True)
class Decomposition:
    """Components as parallel arrays [n_components] by latent, and per-latent fidelity [n]."""

    latent: np.ndarray
    meta_latent: np.ndarray
    activation: np.ndarray
    cosine: np.ndarray
    share: np.ndarray
    n_components: np.ndarray
    row_cosine: np.ndarray
    variance_explained: np.ndarray
    bias_share: np.ndarray
    residual_share: np.ndarray

    def keys(self, n_meta: int) -> np.ndarray:
        """One number for each (latent, meta_latent) pair, ascending."""
        return self.latent * n_meta + self.meta_latent


def fit_meta_sae(
    rows: torch.Tensor,
    n_meta: int,
    config: MetaSaeConfig,
    seed: int,
    folder: Path,
    title: str,
    device: torch.device,
    frozen_directions: torch.Tensor | None = None,
    weights: torch.Tensor | None = None,
) -> Dictionary:
    """Train a meta-SAE on `rows` [n, d] and recalibrate its threshold over all of them.

    Args:
        frozen_directions: unit rows [n_meta, d] that the decoder stays at; None: it learns.
        weights: float [n], rows are drawn with replacement in proportion to it; None: every row
            once an epoch.
    """
    settings = Fit(
        n_latents=n_meta,
        k=config.k,
        steps=config.steps,
        batch_size=min(config.batch_size, len(rows)),
        learning_rate=config.learning_rate,
        seed=seed,
        dead_after_steps=config.dead_after_steps,
        bfloat16=config.bfloat16,
    )
    start = Start(
        bias=rows.mean(0),
        directions=random_directions(n_meta, rows.shape[1], seed)
        if frozen_directions is None
        else frozen_directions,
        n_slow=0 if frozen_directions is None else n_meta,
        slow_rate=0.0,
    )
    batches = (
        matrix_batches(rows, settings.batch_size, seed)
        if weights is None
        else drawn_batches(rows, weights, settings.batch_size, seed)
    )
    meta = fit(settings, batches, start, folder, title, device)
    return meta.with_threshold(exact_threshold(meta, rows, config.k))


@torch.no_grad()
def decompose(meta: Dictionary, rows: torch.Tensor) -> Decomposition:
    """Decompose every row of `rows` [n, d]; see the module docstring for the quantities.

    Rows come in blocks and only active meta-latents are touched, so memory grows with n alone.
    """
    mean = rows.mean(0)
    columns: dict[str, list[torch.Tensor]] = {}
    for start in range(0, len(rows), ROWS_AT_ONCE):
        found = _decomposed_block(meta, rows[start : start + ROWS_AT_ONCE], mean)
        found["latent"] += start
        for name, values in found.items():
            columns.setdefault(name, []).append(values)
    return Decomposition(**{name: torch.cat(parts).numpy() for name, parts in columns.items()})


def _decomposed_block(
    meta: Dictionary, rows: torch.Tensor, mean: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The arrays of a `Decomposition` for some rows; `mean` is that of all."""
    index, activation = meta.encoder.active(rows)
    latent = torch.div(index, meta.n_latents, rounding_mode="floor")
    meta_latent = index - latent * meta.n_latents
    shape = (len(rows), meta.n_latents)
    reconstruction = meta.decode(sparse_matrix(latent, meta_latent, activation, shape))
    residual = rows - reconstruction
    square = rows.pow(2).sum(1).clamp_min(1e-12)  # a published row may be all zeros: shares of 0
    projection = entry_dots(rows, meta.W_dec, latent, meta_latent)
    centred_square = (rows - mean).pow(2).sum(1)
    norms = (square * reconstruction.pow(2).sum(1)).sqrt().clamp_min(1e-12)
    return {
        "latent": latent,
        "meta_latent": meta_latent,
        "activation": activation,
        "cosine": projection / square[latent].sqrt(),
        "share": activation * projection / square[latent],
        "n_components": torch.bincount(latent, minlength=len(rows)),
        "row_cosine": (rows * reconstruction).sum(1) / norms,
        "variance_explained": 1 - residual.pow(2).sum(1) / centred_square.clamp_min(1e-12),
        "bias_share": rows @ meta.b_dec / square,
        "residual_share": (residual * rows).sum(1) / square,
    }


def matched_meta_latents(meta: Dictionary, other: Dictionary, min_cosine: float) -> np.ndarray:
    """int64 [n_meta]: the meta-latent of `other` matched to each of `meta`, or -1.

    Hungarian assignment of all to all. Its time grows with the third power of their number, so
    above `MOST_ASSIGNED` only pairs of at least `min_cosine` compete, for the highest sum; where
    both can be made, a few in a hundred more find a match that way.
    """
    match = np.full(meta.n_latents, -1, np.int64)
    if max(meta.n_latents, other.n_latents) > MOST_ASSIGNED:
        mine, theirs = _sparse_assignment(meta.W_dec, other.W_dec, min_cosine)
    else:
        cosine = (meta.W_dec @ other.W_dec.t()).numpy()
        mine, theirs = linear_sum_assignment(-cosine)
        good = cosine[mine, theirs] >= min_cosine
        mine, theirs = mine[good], theirs[good]
    match[mine] = theirs
    return match


def _sparse_assignment(
    rows: torch.Tensor, others: torch.Tensor, min_cosine: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of similar unit rows, each row in one pair at most, of the highest sum of cosines."""
    edges = similar_pairs(others, rows, min_cosine)
    n, alone = len(rows), np.arange(len(rows))
    # everyone may also stay alone, at a cost below that of any pair: scipy assigns all or fails
    graph = csr_matrix(
        (
            np.concatenate([edges.cosine.astype(np.float64), np.full(n, STAYS_ALONE)]),
            (
                np.concatenate([edges.large, alone]),
                np.concatenate([edges.small, len(others) + alone]),
            ),
        ),
        shape=(n, len(others) + n),
    )
    mine, theirs = min_weight_full_bipartite_matching(graph, maximize=True)
    paired = theirs < len(others)
    return mine[paired], theirs[paired]


def stability(
    shown: Decomposition, others: list[tuple[Decomposition, np.ndarray]], n_meta: int
) -> np.ndarray:
    """float32 [n_components]: share of the other seeds in which each component is found again.

    Args:
        others: each other seed's decomposition, and the match of the shown meta-latents in it.
    """
    found = np.zeros(len(shown.latent))
    for other, match in others:
        wanted = match[shown.meta_latent]
        keys = shown.latent * n_meta + wanted
        found += (wanted >= 0) & np.isin(keys, other.keys(n_meta))
    return (found / len(others)).astype(np.float32)


def random_directions(n: int, d: int, seed: int) -> torch.Tensor:
    """Unit rows [n, d] in all directions alike: where a meta-SAE of this seed starts."""
    sample = torch.randn(n, d, generator=torch.Generator().manual_seed(seed))
    return sample.div_(sample.norm(dim=1, keepdim=True))


def isotropic_rows(rows: torch.Tensor, seed: int) -> torch.Tensor:
    """Gaussian unit rows of the same shape: what a meta-SAE explains of no structure at all."""
    return random_directions(*rows.shape, seed=NULL_STREAM + seed)


def covariance_matched_rows(rows: torch.Tensor, seed: int) -> torch.Tensor:
    """Gaussian unit rows with the mean and covariance of `rows`: keeps its principal axes only."""
    generator = torch.Generator().manual_seed(NULL_STREAM + seed)
    values, vectors = torch.linalg.eigh(_covariance(rows))
    root = (vectors * values.clamp_min(0).sqrt()).float()
    sample, mean = torch.randn(rows.shape, generator=generator), rows.mean(0)
    for block in sample.split(COVARIANCE_ROWS):
        block.copy_(block @ root.t() + mean)
    return sample.div_(sample.norm(dim=1, keepdim=True))


def _covariance(rows: torch.Tensor) -> torch.Tensor:
    """float64 [d, d], as `torch.cov` but without all rows in float64 at once."""
    mean = rows.mean(0, dtype=torch.float64)
    total = torch.zeros(len(mean), len(mean), dtype=torch.float64)
    for block in rows.split(COVARIANCE_ROWS):
        centred = block.double().t() - mean[:, None]
        total += centred @ centred.t()
    return total / (len(rows) - 1)
