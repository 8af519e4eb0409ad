"""Delphi's cache of activations: where each latent fired, and how strongly.

`{start}_{end}.safetensors` holds the latents `start` to `end`: `locations` [n, 3] of (sequence,
position, latent minus start), `activations` [n], and mostly `tokens` [n_sequences, n_positions].
Only what exceeds 0.00001 in size was kept. Tables are read in blocks, whatever their size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from precompute.config import ConfigError
from precompute.imports.bounded_files import in_order
from precompute.imports.foreign import SHOWN_TOP, SIDE_TOKENS, TOP, ForeignSet, window
from precompute.imports.identity import Identity
from precompute.imports.token_texts import TokenTexts
from precompute.imports.vocabulary import Vocabulary

BLOCK_ROWS = 2_000_000
_NAME = re.compile(r"(\d{1,10})_(\d{1,10})\.safetensors")
Firings = NDArray[np.float64]
"""[n, 4]: latent, sequence, position, activation; float64 holds every index."""


def read_cache(
    folder: Path,
    found: ForeignSet,
    identity: Identity,
    vocabulary: Vocabulary | None,
    counts_all: bool = True,
) -> None:
    """Add density and largest activation of each latent, and examples where tokens are known.

    Args:
        counts_all: the cache has every firing; one that has examples only says no density.

    Raises:
        ConfigError: a file is damaged, or has latents that the SAE has not.
    """
    texts = TokenTexts()
    for path in in_order(list(folder.iterdir())):
        if name := _NAME.fullmatch(path.name):
            first, last = int(name[1]), int(name[2])
            identity.check_width(last + 1, str(path), is_exact=False)
            try:
                with safe_open(path, "np") as file:
                    split = _Split(path, file, first, last)
                    split.add_statistics(found, counts_all)
                    if vocabulary is not None:
                        split.add_examples(found, vocabulary, texts)
            except (SafetensorError, OSError, TypeError) as error:
                raise ConfigError(f"{path} cannot be read ({error})") from None


class _Split:
    """One file: a range of latents."""

    def __init__(self, path: Path, file: Any, first: int, last: int) -> None:
        self._path, self._file = path, file
        self._first, self._n = first, last - first + 1
        names = set(file.keys())
        if not {"locations", "activations"} <= names:
            raise ConfigError(f"{path} lacks locations or activations")
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
        n = shapes["locations"][0] if shapes["locations"] else 0
        if shapes["locations"] != (n, 3) or shapes["activations"] != (n,) or self._n < 1:
            raise ConfigError(f"{path}: locations are not [n, 3] with as many activations")
        self._n_rows = n
        self._tokens_shape = shapes.get("tokens")
        if self._tokens_shape is not None and len(self._tokens_shape) != 2:
            raise ConfigError(f"{path}: tokens are not [n_sequences, n_positions]")

    def add_statistics(self, found: ForeignSet, counts_all: bool) -> None:
        counts = np.zeros(self._n, np.int64)
        largest = np.zeros(self._n)
        for firings in self._blocks():
            at = firings[:, 0].astype(np.int64) - self._first
            counts += np.bincount(at, minlength=self._n)
            np.maximum.at(largest, at, firings[:, 3])
        n_tokens = int(np.prod(self._tokens_shape)) if self._tokens_shape and counts_all else 0
        for at in np.flatnonzero(counts):
            latent = found.latent(self._first + int(at))
            latent.density = int(counts[at]) / n_tokens if n_tokens else None
            latent.max_activation = float(largest[at])

    def add_examples(self, found: ForeignSet, vocabulary: Vocabulary, texts: TokenTexts) -> None:
        """The strongest firing of each latent in its strongest sequences, with what is around."""
        if self._tokens_shape is None:
            return
        best = np.empty((0, 4))
        for firings in self._blocks():
            best = _strongest(np.concatenate([best, firings]))
        wanted = np.unique(self._keys(best))
        around = [firings[np.isin(self._keys(firings), wanted)] for firings in self._blocks()]
        firings = np.concatenate([np.empty((0, 4)), *around])
        by_key: dict[int, list[tuple[int, float]]] = {}
        for key, row in zip(self._keys(firings).tolist(), firings.tolist(), strict=True):
            by_key.setdefault(key, []).append((int(row[2]), row[3]))
        tokens = self._file.get_slice("tokens")
        for key, (index, sequence, position, strength) in zip(
            self._keys(best).tolist(), best.tolist(), strict=True
        ):
            latent = found.latent(int(index))
            if strength <= 0 or not latent.wants(TOP, strength):
                continue
            start = max(int(position) - SIDE_TOKENS, 0)
            end = min(int(position) + SIDE_TOKENS + 1, self._tokens_shape[1])
            ids = tokens[int(sequence) : int(sequence) + 1, start:end][0].tolist()
            values = [0.0] * len(ids)
            for at, value in by_key[key]:
                if start <= at < start + len(ids):
                    values[at - start] = value
            shown = texts.of_context(vocabulary.tokens(ids))
            latent.keep(window(TOP, shown, values, int(position) - start))

    def _blocks(self) -> Iterator[Firings]:
        """All firings, `BLOCK_ROWS` at a time; what is no finite number did not fire."""
        locations = self._file.get_slice("locations")
        activations = self._file.get_slice("activations")
        bounds = np.array([*(self._tokens_shape or (np.inf, np.inf)), self._n])
        for start in range(0, self._n_rows, BLOCK_ROWS):
            end = min(start + BLOCK_ROWS, self._n_rows)  # a slice of a file may not go beyond it
            where = locations[start:end].astype(np.float64)
            if (where < 0).any() or (where >= bounds).any():
                raise ConfigError(
                    f"{self._path}: a location lies outside its {self._n:,} latents or its tokens"
                )
            values = activations[start:end].astype(np.float64)
            firings = np.column_stack([where[:, 2] + self._first, where[:, :2], values])
            yield firings[np.isfinite(values)]

    def _keys(self, firings: Firings) -> NDArray[np.int64]:
        """One number for each latent and sequence."""
        n_sequences = self._tokens_shape[0] if self._tokens_shape else 1
        return firings[:, 0].astype(np.int64) * n_sequences + firings[:, 1].astype(np.int64)


def _strongest(firings: Firings) -> Firings:
    """Of each latent the strongest firing in each of its `SHOWN_TOP` strongest sequences."""
    order = np.lexsort((firings[:, 2], -firings[:, 3], firings[:, 1], firings[:, 0]))
    firings = firings[order]
    firings = firings[_changes(firings[:, :2])]
    firings = firings[np.lexsort((firings[:, 1], -firings[:, 3], firings[:, 0]))]
    starts = np.flatnonzero(_changes(firings[:, :1]))
    rank = np.arange(len(firings)) - np.repeat(starts, np.diff(np.append(starts, len(firings))))
    return firings[rank < SHOWN_TOP]


def _changes(rows: Firings) -> NDArray[np.bool_]:
    """Where a row differs from the one before it."""
    changed = np.ones(len(rows), bool)
    changed[1:] = (rows[1:] != rows[:-1]).any(1)
    return changed
