"""How often, how strongly and on which words each latent fires, from a pass over the text.

Words, not word pieces: a latent fires on an occurrence of "einstein" when it fires on any of its
pieces. An occurrence that a block of rows cuts in two is counted for its first part only.

Everything is summed up in integers, so parts of a pass may be added in any order: activations are
rounded to multiples of one power of two (`Scale.unit`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from precompute.activations import Firings
from precompute.passes.sums import KeySums, Rows
from precompute.text import TokenisedText

FINE_BINS = 256  # histogram resolution while the maximum is not known yet
CAP_SHARE = 1.5  # the last fine bin starts here, as a multiple of the first firing block's maximum
# 2^26 to 2^27 units are the first firing block's maximum. The product runs in bfloat16, whose 8
# significant bits make every activation above 2^-19 of that maximum a whole number of units:
# nothing is rounded but what is weaker still. An int64 holds the sum of 2^36 such maxima, which
# is 69 billion tokens; `checked_units` refuses a sum that could have been too large.
UNIT_BITS = 26
MOST_UNITS = 2.0**62


class Scale(NamedTuple):
    """What turns activations into fine bins and whole units; one for all of a pass."""

    threshold: float
    """The lowest of all latents: where bins begin."""
    cap: float
    """The last fine bin is open above; it ends here by width."""
    unit: float
    """A power of two."""

    @staticmethod
    def of(threshold: float, peak: float) -> Scale:
        """The scale that follows from the strongest activation of the first block that fires."""
        cap = threshold + CAP_SHARE * max(peak - threshold, 1e-6)
        return Scale(threshold, cap, math.ldexp(1.0, math.frexp(peak)[1] - 1 - UNIT_BITS))

    @staticmethod
    def silent(threshold: float) -> Scale:
        """For a pass in which nothing fires."""
        return Scale(threshold, threshold + 1e-6, math.ldexp(1.0, -UNIT_BITS))

    @property
    def edges(self) -> np.ndarray:
        """float32 [FINE_BINS + 1]."""
        return np.linspace(self.threshold, self.cap, FINE_BINS + 1, dtype=np.float32)

    def bins(self, activations: np.ndarray) -> np.ndarray:
        """The fine bin of each activation, int64."""
        share = (activations - self.threshold) / (self.cap - self.threshold)
        return np.clip((share * FINE_BINS).astype(np.int64), 0, FINE_BINS - 1)

    def units(self, activations: np.ndarray) -> np.ndarray:
        """Activations as multiples of `unit`, int64; whatever fires counts for one at least."""
        multiples = np.clip(activations.astype(np.float64) / self.unit, 1.0, MOST_UNITS)
        return np.rint(multiples).astype(np.int64)


@dataclass(frozen=True)
class Totals:
    """Sums over `tokens_seen` tokens; `units` are multiples of `Scale.unit`.

    Shapes: `count` (tokens a latent fires on) and `units` int64, `max_activation` float32 and, in
    occurrences of words at their strongest piece, `word_count` and `word_units` int64, all
    [n_latents]; `word_total` int64 [n_words], occurrences of each word. `most_units` is about
    what no sum of units exceeds.
    """

    tokens_seen: int
    most_units: float
    count: np.ndarray
    units: np.ndarray
    max_activation: np.ndarray
    word_count: np.ndarray
    word_units: np.ndarray
    word_total: np.ndarray


@dataclass(frozen=True)
class WordCounts:
    """Sparse [n_latents, n_words] counts, sorted by latent then word, and totals.

    `pair_count` occurrences the latent fires on, `pair_sum` summed activations there (the
    strongest piece of each occurrence in a block); `word_total` occurrences of each word;
    `latent_count` and `latent_sum` the same over all words.
    """

    pair_latent: np.ndarray
    pair_word: np.ndarray
    pair_count: np.ndarray
    pair_sum: np.ndarray
    word_total: np.ndarray
    latent_count: np.ndarray
    latent_sum: np.ndarray


@dataclass(frozen=True)
class Counts:
    """A whole pass in memory; `bins` are keys latent * FINE_BINS + bin and tokens in the bin."""

    scale: Scale
    totals: Totals
    bins: Rows
    words: WordCounts


class Tally:
    """Running sums of one SAE.

    `bins` gets keys latent * FINE_BINS + bin and a count; `pairs` latent * n_words + word, the
    occurrences on which the latent fires and their units.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        threshold: float,
        scale: Scale | None = None,
        bins: KeySums | None = None,
        pairs: KeySums | None = None,
    ) -> None:
        """Args:
        shape: numbers of latents and of words.
        scale: None when the first block that fires sets it.
        bins, pairs: where sparse sums go; None holds them in memory.
        """
        (self.n_latents, n_words), self.threshold, self.scale = shape, threshold, scale
        self.bins = bins or KeySums(np.int64)
        self.pairs = pairs or KeySums(np.int64, np.int64)
        self._tokens_seen, self._most_units = 0, 0.0
        self._count, self._units = np.zeros((2, self.n_latents), np.int64)
        self._word_count, self._word_units = np.zeros((2, self.n_latents), np.int64)
        self._max_activation = np.zeros(self.n_latents, np.float32)
        self._word_total = np.zeros(n_words, np.int64)

    def add(self, firing: Firings, tokens: np.ndarray, text: TokenisedText) -> None:
        """One block; `tokens` int64 [n_rows] is the token behind each row."""
        occurrence, word = _occurrences(text, tokens)
        is_first = np.concatenate([[True], occurrence[1:] != occurrence[:-1]]) & (word >= 0)
        self._word_total += np.bincount(word[is_first], minlength=len(text.words))
        self._tokens_seen += len(tokens)
        acts = firing.activations
        if len(acts) == 0:
            return
        peak = float(acts.max())
        if self.scale is None:
            self.scale = Scale.of(self.threshold, peak)
        self._most_units += len(tokens) * peak / self.scale.unit
        self._count += np.bincount(firing.latents, minlength=self.n_latents)
        np.add.at(self._units, firing.latents, self.scale.units(acts))
        np.maximum.at(self._max_activation, firing.latents, acts)
        self.bins.add(firing.latents * FINE_BINS + self.scale.bins(acts), 1)
        self._add_words(firing, word[firing.rows], occurrence[firing.rows], len(text.words))

    def totals(self) -> Totals:
        return Totals(
            tokens_seen=self._tokens_seen,
            most_units=self._most_units,
            count=self._count,
            units=self._units,
            max_activation=self._max_activation,
            word_count=self._word_count,
            word_units=self._word_units,
            word_total=self._word_total,
        )

    def _add_words(
        self, firing: Firings, words: np.ndarray, occurrences: np.ndarray, n_words: int
    ) -> None:
        assert self.scale is not None
        known = np.flatnonzero(words >= 0)
        if len(known) == 0:
            return
        latents, occurrences = firing.latents[known], occurrences[known]
        keys = latents * (int(occurrences.max()) + 1) + occurrences
        order = np.argsort(keys)  # the strongest piece is wanted: equal keys may come in any order
        keys = keys[order]
        first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        strongest = np.maximum.reduceat(firing.activations[known][order], first)
        latents, words = latents[order][first], words[known][order][first]
        units = self.scale.units(strongest)
        self._word_count += np.bincount(latents, minlength=self.n_latents)
        np.add.at(self._word_units, latents, units)
        self.pairs.add(latents * n_words + words, 1, units)


def count_firings(
    blocks: Iterable[tuple[int, Firings]],
    text: TokenisedText,
    row_tokens: np.ndarray,
    n_latents: int,
    threshold: float,
) -> Counts:
    """Sum up a pass in memory; `row_tokens` int64 [n_rows] is the token behind each row."""
    tally = Tally((n_latents, len(text.words)), threshold)
    start = 0
    for n_rows, firing in blocks:
        tally.add(firing, row_tokens[start : start + n_rows], text)
        start += n_rows
    totals, scale = tally.totals(), tally.scale or Scale.silent(threshold)
    checked_units(totals)
    keys, count, units = tally.pairs.result()
    latent, word = np.divmod(keys, len(text.words))
    words = WordCounts(
        pair_latent=latent,
        pair_word=word,
        pair_count=count,
        pair_sum=units * scale.unit,
        word_total=totals.word_total,
        latent_count=totals.word_count,
        latent_sum=totals.word_units * scale.unit,
    )
    return Counts(scale, totals, tally.bins.result(), words)


def checked_units(totals: Totals) -> None:
    """Refuse sums of units that may not have fitted into 64 bits.

    Raises:
        RuntimeError: later activations are out of all proportion to the first ones.
    """
    if totals.most_units > MOST_UNITS:
        raise RuntimeError(
            f"activations up to {float(totals.max_activation.max()):.3g} over "
            f"{totals.tokens_seen:,} tokens are too large to be summed up exactly"
        )


def _occurrences(text: TokenisedText, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of a block: the number of its word's occurrence, and the word or -1."""
    jump = np.concatenate([[True], tokens[1:] != tokens[:-1] + 1])
    begins = text.new_word[tokens]
    word = text.word_ids[tokens].copy()
    # a word whose first piece lies outside this block belongs to the block before
    orphan_start = jump & ~begins
    occurrence = np.cumsum(begins | orphan_start)
    word[np.isin(occurrence, occurrence[orphan_start])] = -1
    return occurrence, word
