"""One shard of one SAE: the function that worker processes run, here or on a cluster.

What shards of an SAE share, its encoder and the text, is kept from one to the next in a process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from precompute import activations
from precompute.activations import Firings, encoded
from precompute.counting import Scale, Tally
from precompute.dictionary import Dictionary
from precompute.encoder import Encoder, lowest
from precompute.passes import files
from precompute.passes.plan import COUNTED_SPLITS, LEAD_BLOCKS, SHOWN_SPLIT, Shard
from precompute.passes.sums import ROW_BYTES, KeySums, Rows
from precompute.text import TokenisedText
from precompute.textcache import stored_text

SHARE_OF_SUMS = 8  # of a process's memory, for each of the two sparse sums: bins and pairs

_encoders: dict[tuple[Path, str, bool], Encoder] = {}  # the last one used


@dataclass(frozen=True)
class SaePass:
    """The pass of one SAE over the text, as every process needs to know it."""

    sae: Path
    text: Path
    activations: Path
    folder: Path
    """Where its shards are kept."""
    rows: dict[str, int]
    """Rows of each split that are read."""
    device: str
    memory: int
    """Bytes for one process."""

    @property
    def rows_held(self) -> int:
        """Rows of a sparse sum before they go to disk."""
        return max(1 << 16, self.memory // SHARE_OF_SUMS // ROW_BYTES)


@dataclass(frozen=True)
class ShardTask:
    """One shard to make; `shard` None is the first one, which sets the scale."""

    of: SaePass
    shard: Shard | None

    @property
    def n_rows(self) -> int:
        """Rows it reads; the first shard is one block, unless nothing fires in that."""
        if self.shard is not None:
            return self.shard.n_rows
        return min(activations.BLOCK_ROWS, self.of.rows[COUNTED_SPLITS[0]])


def make_shard(task: ShardTask) -> Shard:
    """Read the rows of a shard and leave its files; the same again gives the same files."""
    if task.shard is None:
        return _lead(task.of)
    if task.shard.split == SHOWN_SPLIT:
        return _shown(task.of, task.shard)
    scale = files.load_scale(task.of.folder)
    if scale is None:
        raise RuntimeError(f"{task.of.folder} has no scale although its first shard was made")
    blocks = _blocks(task.of, task.shard, bfloat16=True)
    _count(task.of, task.shard, blocks, scale)
    return task.shard


def forget() -> None:
    """Let go of what is kept between shards."""
    _text.cache_clear()
    _encoders.clear()


def _lead(of: SaePass) -> Shard:
    """Count the first blocks until one fires: its maximum is the scale of the whole pass."""
    split = COUNTED_SPLITS[0]
    most = min(of.rows[split], LEAD_BLOCKS * activations.BLOCK_ROWS)
    blocks: list[tuple[int, Firings]] = []
    for block in _blocks(of, Shard(split, 0, most), bfloat16=True):
        blocks.append(block)
        if len(block[1].activations):
            break
    shard = Shard(split, 0, sum(n_rows for n_rows, _ in blocks))
    files.save_scale(of.folder, _count(of, shard, blocks, None))
    return shard


def _count(
    of: SaePass, shard: Shard, blocks: Iterable[tuple[int, Firings]], scale: Scale | None
) -> Scale:
    text, n_files = _text(of.text), {"bins": 0, "pairs": 0}
    n_words = len(text.words)

    def bins(rows: Rows) -> None:
        files.save_bins(of.folder, shard, n_files["bins"], rows)
        n_files["bins"] += 1

    def pairs(rows: Rows) -> None:
        files.save_pairs(of.folder, shard, n_files["pairs"], rows, n_words)
        n_files["pairs"] += 1

    encoder = _encoder(of.sae, of.device, True)
    threshold = lowest(encoder.threshold)
    tally = Tally(
        (encoder.n_latents, n_words),
        threshold,
        scale,
        KeySums(np.int64, most=of.rows_held, spill=bins),
        KeySums(np.int64, np.int64, most=of.rows_held, spill=pairs),
    )
    tokens, start = _tokens(text, shard), 0
    for n_rows, firing in blocks:
        tally.add(firing, tokens[start : start + n_rows], text)
        start += n_rows
    tally.bins.flush()
    tally.pairs.flush()
    files.save_totals(of.folder, shard, tally.totals(), n_files)
    return tally.scale or Scale.silent(threshold)


def _shown(of: SaePass, shard: Shard) -> Shard:
    """Keep the exact firings on text that pages may show."""
    parts, start = [], 0
    for n_rows, firing in _blocks(of, shard, bfloat16=False):
        parts.append(firing._replace(rows=firing.rows + start))
        start += n_rows
    columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    files.save_firings(of.folder, shard, Firings(*columns))
    return shard


def _blocks(of: SaePass, shard: Shard, bfloat16: bool) -> Iterable[tuple[int, Firings]]:
    rows = np.load(of.activations / f"{shard.split}.npy", mmap_mode="r")
    return encoded(_encoder(of.sae, of.device, bfloat16), rows[shard.first : shard.last])


def _tokens(text: TokenisedText, shard: Shard) -> np.ndarray:
    """int64 [n_rows]: the token behind each row, without those of the whole split."""
    contexts = text.splits[shard.split]
    ends = np.cumsum(text.starts[contexts + 1] - text.starts[contexts])
    begin = int(np.searchsorted(ends, shard.first, "right"))
    end = int(np.searchsorted(ends, shard.last, "left")) + 1
    skipped = shard.first - (int(ends[begin - 1]) if begin else 0)
    own = replace(text, splits={shard.split: contexts[begin:end]})
    return own.row_tokens(shard.split)[skipped : skipped + shard.n_rows]


@lru_cache(maxsize=1)
def _text(folder: Path) -> TokenisedText:
    return stored_text(folder)


def _encoder(folder: Path, device: str, bfloat16: bool) -> Encoder:
    """The encoder alone, in the precision of the pass: the decoder is not needed here."""
    key = (folder, device, bfloat16)
    if key not in _encoders:
        _encoders.clear()  # before the next one is read
        _encoders[key] = _read_encoder(folder, device, bfloat16)
    return _encoders[key]


def _read_encoder(folder: Path, device: str, bfloat16: bool) -> Encoder:
    encoder = Dictionary.load(folder).encoder
    kind = torch.bfloat16 if bfloat16 else torch.float32
    threshold = encoder.threshold
    return Encoder(
        encoder.weights.to(device, kind),
        encoder.bias.to(device, kind),
        threshold.to(device) if isinstance(threshold, torch.Tensor) else threshold,
        encoder.k,
    )
