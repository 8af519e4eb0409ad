"""The partial sums of all shards of an SAE as those of one pass; the order does not matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from precompute.activations import Firings
from precompute.counting import FINE_BINS, Scale, Totals, checked_units
from precompute.histograms import Histograms, histograms
from precompute.passes import files
from precompute.passes.plan import SHOWN_SPLIT, Shard
from precompute.passes.sums import ROW_BYTES, summed
from precompute.passes.term_query import BestTerms, Limits, best_terms

SCRATCH_NAME = "scratch"
SHARE_OF_BINS = 8  # of the memory, for the fine bins of the latents done at a time
SHARE_OF_TERMS = 2  # for DuckDB


@dataclass(frozen=True)
class Merged:
    """All shards of one SAE in `folder`, added up as far as memory allows; the rest on request."""

    folder: Path
    shards: tuple[Shard, ...]
    memory: int
    totals: Totals
    scale: Scale

    def shown_firings(self) -> Firings:
        """Every firing on the text that pages may show, in order of rows."""
        return files.load_firings(self.folder, [s for s in self.shards if s.split == SHOWN_SPLIT])

    def best_terms(self, limits: Limits) -> BestTerms:
        """The words of every latent and the latents of every word."""
        scratch = self.folder / SCRATCH_NAME
        return best_terms(
            self._parts("pairs"), self.totals, limits, self.memory // SHARE_OF_TERMS, scratch
        )

    def histograms(self, max_activation: np.ndarray, n_bins: int) -> Histograms:
        """The histogram of every latent; see `precompute.histograms`."""
        n_latents = len(self.totals.count)
        stored = ds.dataset([str(path) for path in self._parts("bins")]) if self._fires else None
        n_stored = stored.count_rows() if stored is not None else 0
        n_chunks = 1 + n_stored * ROW_BYTES * SHARE_OF_BINS // self.memory
        at_once = -(-n_latents // min(n_chunks, n_latents))
        parts = []
        for start in range(0, n_latents, at_once):
            latents = range(start, min(start + at_once, n_latents))
            parts.append(
                histograms(self.scale, _fine(stored, latents), latents, max_activation, n_bins)
            )
        return Histograms(*(pa.concat_arrays(column) for column in zip(*parts, strict=True)))

    @property
    def _fires(self) -> bool:
        return bool(self.totals.count.any())

    def _parts(self, kind: str) -> list[Path]:
        counted = (shard for shard in self.shards if shard.split != SHOWN_SPLIT)
        return [path for shard in counted for path in files.parts_of(self.folder, shard, kind)]


def merge(folder: Path, shards: Sequence[Shard], memory: int) -> Merged:
    """Add up the dense totals of `shards`, which hold every row once.

    Args:
        memory: bytes that later steps may hold.

    Raises:
        RuntimeError: a sum may not have fitted into 64 bits.
    """
    scale = files.load_scale(folder)
    if scale is None:
        raise RuntimeError(f"{folder} has no scale although its shards are complete")
    counted = [shard for shard in shards if shard.split != SHOWN_SPLIT]
    totals = files.load_totals(folder, counted[0])
    for shard in counted[1:]:
        totals = added(totals, files.load_totals(folder, shard))
    checked_units(totals)
    return Merged(folder, tuple(shards), memory, totals, scale)


def added(one: Totals, other: Totals) -> Totals:
    """The sums over the tokens of both."""
    return Totals(
        tokens_seen=one.tokens_seen + other.tokens_seen,
        most_units=one.most_units + other.most_units,
        count=one.count + other.count,
        units=one.units + other.units,
        max_activation=np.maximum(one.max_activation, other.max_activation),
        word_count=one.word_count + other.word_count,
        word_units=one.word_units + other.word_units,
        word_total=one.word_total + other.word_total,
    )


def _fine(stored: ds.Dataset | None, latents: range) -> tuple[np.ndarray, np.ndarray]:
    """Keys and tokens of the fine bins of some latents over all shards."""
    if stored is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    latent = ds.field("latent")
    rows = stored.to_table(filter=(latent >= latents.start) & (latent < latents.stop))
    keys = rows["latent"].to_numpy().astype(np.int64) * FINE_BINS + rows["bin"].to_numpy()
    keys, tokens = summed((keys, rows["n"].to_numpy().astype(np.int64)))
    return keys, tokens
