"""Products of which only a few entries are wanted: above a cut, at given places, or non-zero."""

from __future__ import annotations

from collections.abc import Iterator

import torch

ENCODE_BLOCK_ENTRIES = 8_000_000  # 16 MB of bfloat16: a block of pre-activations stays in L3
LEAST_BLOCK_ROWS = 256  # a wide dictionary is cut into pieces rather than take fewer rows at once
GATHER_BLOCK_ENTRIES = 1024  # gathered rows of one piece: 3 MB at d = 384, stays in L2


def candidates(
    inputs: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor, cut: float | torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """All entries of `inputs @ weights + bias` above `cut`, one for all or one a latent.

    Returns:
        Flat positions (row * n_latents + latent), ascending, and values.
    """
    n_latents = weights.shape[1]
    positions, values = [], []
    for rows, latents in _blocks(len(inputs), n_latents):
        block = torch.addmm(bias[latents], inputs[rows], weights[:, latents])
        above = (block > (cut[latents] if isinstance(cut, torch.Tensor) else cut)).flatten()
        if above.device.type == "cpu":  # numpy scans a mask ten times faster than torch
            found = torch.from_numpy(above.numpy().nonzero()[0])
        else:
            found = above.nonzero().squeeze(1)
        values.append(block.flatten()[found])
        positions.append(_in_all(found, rows, latents, n_latents))
    return _ascending(torch.cat(positions), torch.cat(values), n_latents)


def strongest(
    inputs: torch.Tensor,
    weights: torch.Tensor,
    bias: torch.Tensor,
    k: int,
    cut: float | torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The `k` highest entries of each row of `inputs @ weights + bias`, those above `cut`.

    Returns:
        Flat positions (row * n_latents + latent), ascending, and values.
    """
    n_latents = weights.shape[1]
    best: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
    for rows, latents in _blocks(len(inputs), n_latents):
        block = torch.addmm(bias[latents], inputs[rows], weights[:, latents])
        block = torch.where(
            block > (cut[latents] if isinstance(cut, torch.Tensor) else cut), block, -torch.inf
        )
        top, place = block.topk(min(k, block.shape[1]))
        place = place + latents.start
        if rows.start in best:  # a wide dictionary comes in pieces
            top = torch.cat([best[rows.start][0], top], 1)
            place = torch.cat([best[rows.start][1], place], 1)
            top, chosen = top.topk(min(k, top.shape[1]))
            place = place.gather(1, chosen)
        best[rows.start] = top, place
    positions, values = [], []
    for first, (top, place) in best.items():
        row = torch.arange(first, first + len(top), device=top.device)[:, None]
        found = torch.isfinite(top)
        positions.append((row * n_latents + place)[found])
        values.append(top[found])
    flat, order = torch.cat(positions).sort()
    return flat, torch.cat(values)[order]


def _blocks(n_rows: int, n_latents: int) -> Iterator[tuple[slice, slice]]:
    """Rows and latents of blocks that stay in cache: whole rows, or pieces of wide ones.

    Rows come in groups of `LEAST_BLOCK_ROWS` at least: the weights are read once a group.
    """
    n_wide = max(LEAST_BLOCK_ROWS, ENCODE_BLOCK_ENTRIES // n_latents)
    width = max(1, min(n_latents, ENCODE_BLOCK_ENTRIES // n_wide))
    for row in range(0, n_rows, n_wide):
        for latent in range(0, n_latents, width):
            yield slice(row, min(row + n_wide, n_rows)), slice(latent, latent + width)


def _in_all(found: torch.Tensor, rows: slice, latents: slice, n_latents: int) -> torch.Tensor:
    """Flat positions in a block as flat positions in the whole product."""
    width = min(latents.stop, n_latents) - latents.start
    if width == n_latents:
        return found + rows.start * n_latents
    row = torch.div(found, width, rounding_mode="floor")
    return (row + rows.start) * n_latents + latents.start + found - row * width


def _ascending(
    positions: torch.Tensor, values: torch.Tensor, n_latents: int
) -> tuple[torch.Tensor, torch.Tensor]:
    if n_latents <= ENCODE_BLOCK_ENTRIES // LEAST_BLOCK_ROWS:
        return positions, values  # whole rows, already in order
    positions, order = positions.sort()
    return positions, values[order]


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
