"""Which latents of a larger SAE are novel to a smaller one, for every pair of a suite in one pass.

Adding latent j of the larger SAE to the smaller one changes its squared error by

    dSE_j = sum over tokens of  a_j^2 |w_j|^2 - 2 a_j <r, w_j>

(a_j its activation, w_j its decoder row, r the smaller SAE's residual), so only the tokens on
which it fires count and no latent needs a pass of its own. dMSE_j = dSE_j / (tokens x d); a latent
with dMSE_j < 0 is novel, any other that fires is a reconstruction (Leask et al. 2025, section 3).
Sums are kept for blocks of contexts, which a bootstrap resamples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from tqdm.auto import tqdm

from precompute.dictionary import Dictionary
from precompute.sparse import entry_dots, sparse_matrix

ROWS_AT_ONCE = 4096
LATENTS_AT_ONCE = 2048  # resampled together: 1,000 x 2,048 float64 are 16 MB

Pair = tuple[str, str]  # ids of the smaller and the larger SAE


@dataclass(frozen=True)
class PassSums:
    """What one pass over some blocks of contexts leaves; arrays by SAE id or by pair.

    `fired` int64 [n_latents]: tokens each latent fires on. `squared_error` float64
    [n_large, n_blocks]: dSE of each latent in each block. `together` int64 [n_large]: tokens on
    which the latent and its nearest latent of the smaller SAE both fire. `tokens` int64 [n_blocks].
    """

    tokens: np.ndarray
    fired: dict[str, np.ndarray]
    squared_error: dict[Pair, np.ndarray]
    together: dict[Pair, np.ndarray]


@dataclass(frozen=True)
class DeltaMse:
    """Change of the smaller SAE's MSE an element by each latent [n_large], with a 95 % interval."""

    value: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    fired: np.ndarray

    @property
    def is_novel(self) -> np.ndarray:
        """It lowers the error. A latent that never fired in the sample changes nothing."""
        return self.value < 0


@torch.no_grad()
def pass_sums(
    dictionaries: dict[str, Dictionary],
    nearest: dict[Pair, np.ndarray],
    rows: np.ndarray,
    block_starts: np.ndarray,
    title: str,
) -> PassSums:
    """Sum up dSE for every pair over `rows` [n_rows, d_in].

    Args:
        dictionaries: the SAEs by id.
        nearest: for each pair, the latent of the smaller SAE nearest to each of the larger.
        block_starts: int64 [n_blocks + 1], first row of each block of contexts, and n_rows.
    """
    n_blocks = len(block_starts) - 1
    fired = {i: np.zeros(d.n_latents, np.int64) for i, d in dictionaries.items()}
    error = {p: np.zeros((dictionaries[p[1]].n_latents, n_blocks)) for p in nearest}
    together = {p: np.zeros(dictionaries[p[1]].n_latents, np.int64) for p in nearest}
    square = {
        i: torch.cat([rows.pow(2).sum(1) for rows in d.W_dec.split(ROWS_AT_ONCE)])
        for i, d in dictionaries.items()
    }
    for start, block in _row_blocks(rows, title):
        entries, residual = {}, {}
        for sae_id, sae in dictionaries.items():
            index, acts = sae.encoder.active(block)
            row = torch.div(index, sae.n_latents, rounding_mode="floor")
            latent = index - row * sae.n_latents
            fired[sae_id] += np.bincount(latent.numpy(), minlength=sae.n_latents)
            entries[sae_id] = row, latent, acts, index
            active = sparse_matrix(row, latent, acts, (len(block), sae.n_latents))
            residual[sae_id] = block - sae.decode(active)
        numbers = np.searchsorted(block_starts, np.arange(start, start + len(block)), "right") - 1
        first, n_here = numbers[0], numbers[-1] - numbers[0] + 1
        for pair, nearest_small in nearest.items():
            small, large = pair
            row, latent, acts, _ = entries[large]
            dots = entry_dots(residual[small], dictionaries[large].W_dec, row, latent)
            change = acts.double() * (acts * square[large][latent] - 2 * dots)
            key = latent.numpy() * n_here + numbers[row.numpy()] - first
            here = error[pair][:, first : first + n_here]
            here += np.bincount(key, change.numpy(), minlength=here.size).reshape(here.shape)
            wanted = row * dictionaries[small].n_latents + torch.from_numpy(nearest_small)[latent]
            both = latent[_contains(entries[small][3], wanted)]
            together[pair] += np.bincount(both.numpy(), minlength=len(together[pair]))
    return PassSums(
        tokens=np.diff(block_starts),
        fired=fired,
        squared_error=error,
        together=together,
    )


def delta_mse(sums: PassSums, pair: Pair, d_in: int, n_resamples: int, seed: int) -> DeltaMse:
    """dMSE of every latent of the pair's larger SAE, with a bootstrap interval over blocks."""
    squared_error = sums.squared_error[pair]
    n_latents, n_blocks = squared_error.shape
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=n_resamples)
    sizes = (weights @ sums.tokens)[:, None] * d_in
    low, high = np.zeros((2, n_latents))  # a latent that never fired changes nothing
    fired = np.flatnonzero(sums.fired[pair[1]])
    for start in range(0, len(fired), LATENTS_AT_ONCE):
        part = fired[start : start + LATENTS_AT_ONCE]
        resampled = weights @ squared_error[part].T / sizes
        low[part], high[part] = np.quantile(resampled, (0.025, 0.975), axis=0)
    return DeltaMse(
        value=squared_error.sum(1) / (sums.tokens.sum() * d_in),
        ci_low=low,
        ci_high=high,
        fired=sums.fired[pair[1]],
    )


def joined(parts: list[PassSums]) -> PassSums:
    """Passes over different blocks as one."""
    first = parts[0]
    return PassSums(
        tokens=np.concatenate([part.tokens for part in parts]),
        fired={i: np.sum([part.fired[i] for part in parts], axis=0) for i in first.fired},
        squared_error={
            p: np.concatenate([part.squared_error[p] for part in parts], axis=1)
            for p in first.squared_error
        },
        together={p: np.sum([part.together[p] for part in parts], axis=0) for p in first.together},
    )


def _row_blocks(rows: np.ndarray, title: str) -> Iterator[tuple[int, torch.Tensor]]:
    with tqdm(total=len(rows), desc=title, unit=" tokens", unit_scale=True) as bar:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            block = torch.from_numpy(np.array(rows[start : start + ROWS_AT_ONCE])).float()
            yield start, block
            bar.update(len(block))


def _contains(ascending: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """bool [n]: whether each wanted number is among the ascending ones."""
    if len(ascending) == 0:
        return torch.zeros(len(wanted), dtype=torch.bool)
    place = torch.searchsorted(ascending, wanted).clamp_max(len(ascending) - 1)
    return ascending[place] == wanted
