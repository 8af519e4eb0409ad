"""Products of which only a few entries are wanted: above a cut, at given places, or non-zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch

from precompute.fired_tiles import fired_entries
from precompute.room import Room

ENCODE_BLOCK_ENTRIES = 2_000_000  # 4 MB of bfloat16: a block of pre-activations stays near the core
LEAST_BLOCK_ROWS = 1024  # a wide dictionary is cut into pieces rather than take fewer rows at once
TOP_BLOCK_ENTRIES, LEAST_TOP_ROWS = 8_000_000, 256  # every piece of a row costs a top-k of its own
GATHER_BLOCK_ENTRIES = 1024  # gathered rows of one piece: 3 MB at d = 384, stays in L2

Entries = tuple[torch.Tensor, torch.Tensor]
Find = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, float | torch.Tensor], Entries]
"""Of inputs, weights, bias and a cut, or one a latent: flat positions, ascending, and values."""


class Way(NamedTuple):
    """How a kind of device multiplies and looks for what fires."""

    entries: int
    """Pre-activations at once."""
    least_rows: int
    """Of a block: a wide dictionary is cut into pieces rather than take fewer."""
    multiple: int
    """Rows of a block are a multiple of this, where there are enough."""
    finder: Callable[[torch.Tensor, int], Find]
    """For inputs and the entries of their largest block, what looks through one block."""

    @property
    def widest(self) -> int:
        """Latents of a block of as few rows as may be."""
        return max(1, self.entries // self.least_rows)


def _scan(inputs: torch.Tensor, entries: int) -> Find:
    room = Room(inputs, entries)

    def find(
        inputs: torch.Tensor,
        weights: torch.Tensor,
        bias: torch.Tensor,
        cut: float | torch.Tensor,
    ) -> Entries:
        scores = room.product(inputs, weights, bias)
        found = torch.from_numpy(room.found(scores, cut))
        values = scores.flatten()[found]
        are_numbers = ~values.isnan()
        return (found, values) if are_numbers.all() else (found[are_numbers], values[are_numbers])

    return find


def _in_precision_of(dtype: torch.dtype, cut: torch.Tensor) -> torch.Tensor:
    """The highest cuts of a precision that let the same of its scores through.

    Compared with cuts of another precision, a whole block would be converted first.
    """
    near = cut.to(dtype)
    below = torch.nextafter(near, torch.full_like(near, -torch.inf))
    return torch.where(near.to(cut.dtype) > cut, below, near)


# 512 MiB of bfloat16: large products, few waits for how many entries there are
DEVICE = Way(1 << 28, 4096, 4096, lambda _inputs, _entries: fired_entries)
HOST_KINDS = frozenset({"cpu"})  # any other kind of device goes by `DEVICE`


@torch.no_grad()
def candidates(
    inputs: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor, cut: float | torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """All entries of `inputs @ weights + bias` above `cut`, one for all or one a latent.

    Returns:
        Flat positions (row * n_latents + latent), ascending, and values.
    """
    n_latents, way = weights.shape[1], _way(inputs)
    blocks = list(product_blocks(inputs, n_latents, way))
    if isinstance(cut, torch.Tensor) and way is not DEVICE:
        cut = _in_precision_of(inputs.dtype, cut)
    find = way.finder(inputs, max((_entries(*block) for block in blocks), default=0))
    positions, values = [], []
    for rows, latents in blocks:
        own_cut = cut[latents] if isinstance(cut, torch.Tensor) else cut
        found, value = find(inputs[rows], weights[:, latents], bias[latents], own_cut)
        values.append(value)
        positions.append(_in_all(found, rows, latents, n_latents))
    flat, value = torch.cat(positions), torch.cat(values)
    if n_latents <= way.widest:
        return flat, value  # whole rows, already in order
    flat, order = flat.sort()
    return flat, value[order]


@torch.no_grad()
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
    n_latents, way = weights.shape[1], _way(inputs)
    if way is not DEVICE:
        way = way._replace(entries=TOP_BLOCK_ENTRIES, least_rows=LEAST_TOP_ROWS)
    if isinstance(cut, torch.Tensor):
        cut = _in_precision_of(inputs.dtype, cut)
    blocks = list(product_blocks(inputs, n_latents, way))
    room = Room(inputs, max((_entries(*block) for block in blocks), default=0))
    best: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
    for rows, latents in blocks:
        own_cut = cut[latents] if isinstance(cut, torch.Tensor) else cut
        block = room.product(inputs[rows], weights[:, latents], bias[latents])
        block.masked_fill_(room.above(block, own_cut).logical_not_(), -torch.inf)
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


def _way(inputs: torch.Tensor) -> Way:
    if inputs.device.type in HOST_KINDS:
        return Way(ENCODE_BLOCK_ENTRIES, LEAST_BLOCK_ROWS, 1, _scan)
    return DEVICE


def _entries(rows: slice, latents: slice) -> int:
    """Of a block, at most: the last latents may be fewer."""
    return (rows.stop - rows.start) * (latents.stop - latents.start)


def product_blocks(
    inputs: torch.Tensor, n_latents: int, way: Way | None = None
) -> Iterator[tuple[slice, slice]]:
    """Rows and latents of blocks that suit where `inputs` are: whole rows, or pieces of wide ones.

    Rows come in groups of `least_rows` at least: the weights are read once a group.
    """
    n_rows, way = len(inputs), way or _way(inputs)
    n_wide = max(way.least_rows, way.entries // n_latents // way.multiple * way.multiple)
    width = max(1, min(n_latents, way.entries // n_wide))
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
