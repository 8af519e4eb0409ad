"""Products of which only a few entries are wanted: above a cut, at given places, or non-zero."""

from __future__ import annotations

import torch

ENCODE_BLOCK_ENTRIES = 8_000_000  # 16 MB of bfloat16: a block of pre-activations stays in L3
GATHER_BLOCK_ENTRIES = 1024  # gathered rows of one piece: 3 MB at d = 384, stays in L2


def candidates(
    inputs: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor, cut: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Flat positions and values of all entries of `inputs @ weights + bias` above `cut`."""
    n_latents = weights.shape[1]
    block_rows = max(1, ENCODE_BLOCK_ENTRIES // n_latents)
    positions, values = [], []
    for start in range(0, len(inputs), block_rows):
        block = torch.addmm(bias, inputs[start : start + block_rows], weights).flatten()
        above = block > cut
        if above.device.type == "cpu":  # numpy scans a mask ten times faster than torch
            found = torch.from_numpy(above.numpy().nonzero()[0])
        else:
            found = above.nonzero().squeeze(1)
        values.append(block[found])
        positions.append(found + start * n_latents)
    return torch.cat(positions), torch.cat(values)


def entry_dots(
    left: torch.Tensor, right: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor
) -> torch.Tensor:
    """<left[rows[i]], right[columns[i]]> for every i, in pieces that stay in cache."""
    size = GATHER_BLOCK_ENTRIES if left.device.type == "cpu" else max(1, len(rows))
    return torch.cat(
        [
            torch.linalg.vecdot(left[rows[i : i + size]], right[columns[i : i + size]])
            for i in range(0, max(1, len(rows)), size)
        ]
    )


def sparse_matrix(
    rows: torch.Tensor, columns: torch.Tensor, values: torch.Tensor, shape: tuple[int, int]
) -> torch.Tensor:
    """CSR matrix from entries sorted by row."""
    counts = torch.bincount(rows, minlength=shape[0])
    crow = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return torch.sparse_csr_tensor(crow, columns, values, shape, check_invariants=False)
