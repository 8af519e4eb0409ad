"""Two small SAEs on rows made of planted directions, so that every latent's role is known.

The rows are sums of a few of 24 orthonormal directions in d = 32. The smaller SAE reads the first
12. The larger SAE repeats 8 of these, splits two others into close pairs, and reads 6 more
directions that the smaller one lacks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from precompute.activations import Firings, all_firings
from precompute.dictionary import Dictionary

D = 32
N_ROWS = 600
THRESHOLD = 0.2
COPIED = 8  # latents 0 to 7 of the larger SAE are latents 0 to 7 of the smaller one
NOVEL = slice(12, 18)  # of the larger SAE: directions 12 to 17


@dataclass(frozen=True)
class Planted:
    """The pair, its rows [n_rows, d] and every firing on them."""

    small: Dictionary
    large: Dictionary
    rows: np.ndarray
    small_firings: Firings
    large_firings: Firings

    @property
    def x(self) -> torch.Tensor:
        return torch.from_numpy(self.rows)


def tied(directions: torch.Tensor, bias: torch.Tensor) -> Dictionary:
    """A dictionary that reads along its own unit directions [n, d]."""
    rows = directions / directions.norm(dim=1, keepdim=True)
    return Dictionary(rows.t().contiguous(), -rows @ bias, rows, bias, THRESHOLD)


def orthonormal(seed: int) -> torch.Tensor:
    """D orthonormal rows."""
    generator = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(D, D, generator=generator)).Q


@pytest.fixture(scope="session")
def planted() -> Planted:
    axes = orthonormal(0)
    rng = np.random.default_rng(1)
    weights = np.zeros((N_ROWS, D), np.float32)
    for row in weights:
        row[rng.choice(24, 5, replace=False)] = rng.uniform(0.5, 1.5, 5)
    rows = (torch.from_numpy(weights) @ axes).numpy() + 0.1
    bias = torch.full((D,), 0.1)
    halves = [
        axes[8] + 0.5 * axes[18], axes[8] - 0.5 * axes[18],
        axes[9] + 0.5 * axes[19], axes[9] - 0.5 * axes[19],
    ]  # fmt: skip
    small = tied(axes[:12], bias)
    large = tied(torch.cat([axes[:COPIED], torch.stack(halves), axes[NOVEL]]), bias + 0.01)
    return Planted(
        small, large, rows, all_firings(small, rows, "small"), all_firings(large, rows, "large")
    )
