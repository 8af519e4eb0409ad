"""Which rows of the text make a shard, and what is left to do beside the shards already there.

A shard is a range of whole blocks of one split. Blocks are encoded and counted one by one, each
without regard to what stands beside it, so any cut between blocks gives the same sums.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from precompute import activations

COUNTED_SPLITS = ("train", "heldout")
SHOWN_SPLIT = "shown"  # its firings are kept one by one: examples are drawn from them
LEAD_BLOCKS = 8  # at most: where nothing fires on so much text, the scale is that of silence
MOST_BLOCKS = 32  # a million tokens: what a killed process may have to do again
# multiply-adds of a shard, about five minutes of one core: the wider the SAE, the fewer tokens
SHARD_WORK = 1e13
SHARDS_A_WORKER = 8  # at least, so that no worker waits long for the last shard of another


class Shard(NamedTuple):
    """Rows `first` to `last` (not included) of a split."""

    split: str
    first: int
    last: int

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.split}-{self.first:012d}-{self.last:012d}"

    @property
    def n_rows(self) -> int:
        return self.last - self.first

    @staticmethod
    def named(name: str) -> Shard | None:
        """The shard of a file's name, None when it is not one."""
        split, _, rows = name.partition("-")
        first, _, last = rows.partition("-")
        return Shard(split, int(first), int(last)) if first.isdigit() and last.isdigit() else None


class Cover(NamedTuple):
    """Shards that together hold every row of a split once: those found, and those to make."""

    found: list[Shard]
    missing: list[Shard]


def cover(split: str, n_rows: int, there: Iterable[Shard], shard_rows: int) -> Cover:
    """Use what is there, whatever its size, and cut the gaps into shards of `shard_rows`."""
    found: list[Shard] = []
    missing: list[Shard] = []
    at = 0
    for shard in sorted(one for one in there if one.split == split):
        if shard.first < at or not _is_whole(shard, n_rows):
            continue  # of a run with other blocks, or twice the same rows
        missing += _cut(split, at, shard.first, shard_rows)
        found.append(shard)
        at = shard.last
    missing += _cut(split, at, n_rows, shard_rows)
    return Cover(found, missing)


def rows_of_a_shard(work_of_a_row: float, work: float, workers: int) -> int:
    """Rows a shard, whole blocks.

    Args:
        work_of_a_row: multiply-adds, d_in * n_latents.
        work: of everything that waits.
    """
    most = min(SHARD_WORK, work / (SHARDS_A_WORKER * workers))
    blocks = int(most / (work_of_a_row * activations.BLOCK_ROWS))
    return activations.BLOCK_ROWS * max(1, min(blocks, MOST_BLOCKS))


def _is_whole(shard: Shard, n_rows: int) -> bool:
    ends_at_a_block = shard.last % activations.BLOCK_ROWS == 0 or shard.last == n_rows
    return (
        shard.first % activations.BLOCK_ROWS == 0
        and ends_at_a_block
        and shard.first < shard.last <= n_rows
    )


def _cut(split: str, first: int, last: int, shard_rows: int) -> list[Shard]:
    return [
        Shard(split, start, min(start + shard_rows, last))
        for start in range(first, last, shard_rows)
    ]
