"""Sparse codes of rows over any directions: what a meta-SAE does, without its encoder.

A `Code` says which parts a row is made of. A greedy search finds one for a fixed dictionary, part
by part: gradient pursuit (the inference-time optimisation of Smith, GDM progress update 1) or
matching pursuit with refit, which differ in how the weights follow. All weights are positive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

ROWS_AT_ONCE = 2048
GATHERED_ENTRIES = 1 << 25  # directions of all parts of some rows, side by side: 134 MB
MOST_SWEEPS, SETTLED = 200, 1e-6

Update = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Code:
    """Rows as sums of parts, as parallel arrays sorted by row: row = bias + sum weight x part."""

    row: torch.Tensor  # int64 [n_entries]
    part: torch.Tensor  # int64 [n_entries]
    weight: torch.Tensor  # float32 [n_entries]

    def rebuilt(self, directions: torch.Tensor, bias: torch.Tensor, n_rows: int) -> torch.Tensor:
        """The rows [n_rows, d] that the code stands for."""
        sums = torch.zeros(n_rows, directions.shape[1])
        for start in range(0, len(self.row), 1 << 16):
            piece = slice(start, start + (1 << 16))
            parts = directions[self.part[piece]] * self.weight[piece, None]
            sums.index_add_(0, self.row[piece], parts)
        return sums + bias

    def parts_a_row(self, n_rows: int) -> float:
        return len(self.row) / n_rows

    def parts_of_rows(self, n_rows: int) -> torch.Tensor:
        """int64 [n_rows]: how many parts each has."""
        return torch.bincount(self.row, minlength=n_rows)


def gradient_pursuit(rows: torch.Tensor, directions: torch.Tensor, k: int) -> Code:
    """Non-negative code of each row with at most k parts.

    Args:
        rows: float32 [n_rows, d], bias already subtracted.
        directions: unit rows [n_directions, d].
        k: steps; each adds the direction of the largest inner product with what is left, then
            moves all weights along the gradient by the best step and clips them at 0. On an
            orthonormal dictionary this is exact.
    """
    return pursuits(rows, directions, (k,), along_gradient)[k]


@torch.no_grad()
def pursuits(
    rows: torch.Tensor, directions: torch.Tensor, ks: Sequence[int], update: Update
) -> dict[int, Code]:
    """Codes with at most k parts for each of `ks`, of one greedy search to the largest.

    Args:
        update: what the weights become after a part was added, `along_gradient` or `refitted`.
    """
    most = max(ks)
    at_once = max(1, min(ROWS_AT_ONCE, GATHERED_ENTRIES // (most * directions.shape[1])))
    starts = range(0, max(1, len(rows)), at_once)  # no rows have a code too
    found = [_pursue(rows[i : i + at_once], directions, ks, update) for i in starts]
    codes = {}
    for k in ks:
        part = torch.cat([one[k][0] for one in found])
        weight = torch.cat([one[k][1] for one in found])
        row, slot = (weight > 0).nonzero(as_tuple=True)
        codes[k] = Code(row, part[row, slot], weight[row, slot])
    return codes


def along_gradient(
    rows: torch.Tensor, chosen: torch.Tensor, weight: torch.Tensor, is_used: torch.Tensor
) -> torch.Tensor:
    """One best step along the gradient, clipped at 0 (gradient pursuit).

    Shapes: rows [n, d], chosen [n, k, d], weight and is_used [n, k]; weights [n, k] come back.
    """
    residual = rows - (chosen * weight[:, :, None]).sum(1)
    gradient = torch.linalg.vecdot(chosen, residual[:, None]) * is_used
    change = (chosen * gradient[:, :, None]).sum(1)
    length = change.pow(2).sum(1).clamp_min(1e-12)
    size = torch.linalg.vecdot(change, residual) / length
    return (weight + size[:, None] * gradient).clamp_min(0) * is_used


def refitted(
    rows: torch.Tensor, chosen: torch.Tensor, weight: torch.Tensor, is_used: torch.Tensor
) -> torch.Tensor:
    """The best non-negative weights for these parts (matching pursuit with refit).

    Coordinate descent on the normal equations, one weight of every row at a time: each step is the
    exact minimum for that weight, so the error only falls. It ends when no weight moves.
    """
    gram = chosen @ chosen.transpose(1, 2)
    target = torch.linalg.vecdot(chosen, rows[:, None])
    own = torch.diagonal(gram, dim1=1, dim2=2).clamp_min(1e-12)
    weight = weight.clone()
    for _ in range(MOST_SWEEPS):
        moved = 0.0
        for i in range(weight.shape[1]):
            rest = target[:, i] - (gram[:, i] * weight).sum(1)
            new = (weight[:, i] + rest / own[:, i]).clamp_min(0) * is_used[:, i]
            moved = max(moved, float((new - weight[:, i]).abs().max())) if len(new) else 0.0
            weight[:, i] = new
        if moved <= SETTLED * float(weight.abs().max() if weight.numel() else 0.0):
            break
    return weight


def _pursue(
    rows: torch.Tensor, directions: torch.Tensor, ks: Sequence[int], update: Update
) -> dict[int, tuple[torch.Tensor, torch.Tensor]]:
    """Parts and weights [n_rows, k] for each of `ks`; a weight of 0 is an empty place."""
    n_rows, most = len(rows), max(ks)
    part = rows.new_zeros(n_rows, most, dtype=torch.int64)
    weight = rows.new_zeros(n_rows, most)
    is_used = rows.new_zeros(n_rows, most, dtype=torch.bool)
    found = {}
    for step in range(most):
        so_far = slice(0, step + 1)
        chosen = directions[part[:, so_far]]  # [n_rows, step + 1, d]
        residual = rows - (chosen * weight[:, so_far, None]).sum(1)
        best, index = (residual @ directions.t()).max(1)
        is_new = (best > 0) & ~((part == index[:, None]) & is_used).any(1)
        part[:, step] = torch.where(is_new, index, 0)
        is_used[:, step] = is_new
        chosen[:, step] = directions[part[:, step]]
        weight[:, so_far] = update(rows, chosen, weight[:, so_far], is_used[:, so_far])
        if step + 1 in ks:
            found[step + 1] = part[:, so_far].clone(), weight[:, so_far].clone()
    return found


def variance_explained(rows: torch.Tensor, rebuilt: torch.Tensor) -> float:
    """1 - SSE / sum |row - mean|^2 over `rows` [n, d]."""
    return 1.0 - float((rows - rebuilt).pow(2).sum() / (rows - rows.mean(0)).pow(2).sum())


def variance_interval(
    rows: torch.Tensor, rebuilt: torch.Tensor, resamples: int, seed: int
) -> tuple[float, float]:
    """95 % bootstrap interval of `variance_explained` over the rows."""
    error = (rows - rebuilt).pow(2).sum(1).double().numpy()
    total = (rows - rows.mean(0)).pow(2).sum(1).double().numpy()
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(resamples):
        drawn = rng.integers(0, len(error), len(error))
        values.append(1.0 - error[drawn].sum() / total[drawn].sum())
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
