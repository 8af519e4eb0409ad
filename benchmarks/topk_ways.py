"""Other exact ways to the k best activations of every latent, which `benchmarks/topk.py` times."""

from __future__ import annotations

import numpy as np
import torch

from precompute.activations import Firings
from precompute.topk import rank_within

K_EXAMPLES = 12


class LatentLoop:
    """The k best activations of each latent, one latent at a time."""

    def __init__(self, n_latents: int) -> None:
        self.best = [np.empty(0, np.float32) for _ in range(n_latents)]

    def update(self, found: Firings) -> None:
        order = np.argsort(found.latents, kind="stable")
        latents, values = found.latents[order], found.activations[order]
        edges = np.flatnonzero(np.diff(latents)) + 1
        for latent, new in zip(
            latents[np.concatenate([[0], edges])], np.split(values, edges), strict=True
        ):
            joined = np.concatenate([self.best[latent], new])
            if len(joined) > K_EXAMPLES:
                joined = np.partition(joined, len(joined) - K_EXAMPLES)[-K_EXAMPLES:]
            self.best[latent] = joined

    def values(self) -> np.ndarray:
        return _padded([np.sort(best)[::-1] for best in self.best])


class DenseTopK:
    """The k best activations of all latents, [k, n_latents]; 0 where a latent has fewer."""

    def __init__(self, n_latents: int, device: torch.device) -> None:
        self.best = torch.zeros(K_EXAMPLES, n_latents, device=device)

    def update(self, acts: torch.Tensor) -> None:
        self.best = torch.cat([self.best, acts]).topk(K_EXAMPLES, dim=0).values

    def values(self) -> np.ndarray:
        return self.best.t().cpu().numpy()


def full_sort(latents: np.ndarray, values: np.ndarray, n_latents: int) -> np.ndarray:
    """The k best of each latent by one sort of all entries, [n_latents, k], 0 for none."""
    order = np.lexsort((-values, latents))
    latents, values = latents[order], values[order]
    rank = rank_within(latents)
    best = np.zeros((n_latents, K_EXAMPLES), np.float32)
    keep = rank < K_EXAMPLES
    best[latents[keep], rank[keep]] = values[keep]
    return best


def _padded(lists: list[np.ndarray]) -> np.ndarray:
    best = np.zeros((len(lists), K_EXAMPLES), np.float32)
    for row, values in enumerate(lists):
        best[row, : len(values)] = values
    return best
