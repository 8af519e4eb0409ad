"""The orthogonality penalty of OrtSAE (arXiv 2509.22033): each row against its nearest other.

Rows are cut into random chunks at every step; within a chunk, the mean over rows i of
max_{j != i} cos(w_i, w_j)^2. The paper takes chunks of 8,192 latents and a weight of 0.25.
"""

from __future__ import annotations

import torch


def chunked_cosines(
    rows: torch.Tensor, chunk_size: int, generator: torch.Generator
) -> torch.Tensor:
    """Mean over unit rows [n, d] of the highest squared cosine with another of its chunk.

    Args:
        chunk_size: rows of a chunk; the last is smaller, and a row alone in it costs nothing.
        generator: draws the chunks, on the CPU.
    """
    order = torch.randperm(len(rows), generator=generator).to(rows.device)
    total = rows.new_zeros(())
    for chunk in order.split(chunk_size):
        own = rows[chunk]
        squares = (own @ own.t()).pow(2)
        alone = torch.eye(len(chunk), dtype=torch.bool, device=rows.device)
        total = total + squares.masked_fill(alone, 0.0).amax(1).sum()
    return total / len(rows)
