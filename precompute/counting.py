"""How often, how strongly and on which words each latent fires, from one pass over the text.

Words, not word pieces: a latent fires on an occurrence of "einstein" when it fires on any of its
pieces. An occurrence that a block of rows cuts in two is counted for its first part only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from precompute.activations import Firings
from precompute.text import TokenisedText

FINE_BINS = 256  # histogram resolution while the maximum is not known yet
CAP_SHARE = 1.5  # the last fine bin starts here, as a multiple of the first firing block's maximum
MERGE_ROWS = 1 << 24  # (latent, word) rows held before they are summed up


@dataclass(frozen=True)
class Counts:
    """Totals of one SAE over `tokens_seen` tokens; arrays are [n_latents] unless said."""

    tokens_seen: int
    count: np.ndarray  # int64, tokens it fires on
    activation_sum: np.ndarray  # float64
    max_activation: np.ndarray  # float32
    fine_histogram: np.ndarray  # int64 [n_latents, FINE_BINS]
    fine_edges: np.ndarray  # float32 [FINE_BINS + 1]; the last bin is open above
    words: WordCounts


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


def count_firings(
    blocks: Iterable[tuple[int, Firings]],
    text: TokenisedText,
    row_tokens: np.ndarray,
    n_latents: int,
    threshold: float,
) -> Counts:
    """Sum up a pass; `row_tokens` int64 [n_rows] is the token behind each row."""
    count = np.zeros(n_latents, np.int64)
    activation_sum = np.zeros(n_latents, np.float64)
    max_activation = np.zeros(n_latents, np.float32)
    histogram = np.zeros(n_latents * FINE_BINS, np.int64)
    pairs = _PairSums(len(text.words))
    word_total = np.zeros(len(text.words), np.int64)
    cap, start = 0.0, 0
    for n_rows, firing in blocks:
        if cap == 0.0 and len(firing.activations):  # the first block that fires sets the scale
            peak = float(firing.activations.max())
            cap = threshold + CAP_SHARE * max(peak - threshold, 1e-6)
        count += np.bincount(firing.latents, minlength=n_latents)
        activation_sum += np.bincount(firing.latents, firing.activations, minlength=n_latents)
        np.maximum.at(max_activation, firing.latents, firing.activations)
        share = (firing.activations - threshold) / (cap - threshold)
        fine = np.clip((share * FINE_BINS).astype(np.int64), 0, FINE_BINS - 1)
        np.add.at(histogram, firing.latents * FINE_BINS + fine, 1)
        tokens = row_tokens[start : start + n_rows]
        occurrence, word = _occurrences(text, tokens)
        is_first = np.concatenate([[True], occurrence[1:] != occurrence[:-1]]) & (word >= 0)
        word_total += np.bincount(word[is_first], minlength=len(text.words))
        pairs.add(firing.latents, word[firing.rows], occurrence[firing.rows], firing.activations)
        start += n_rows
    return Counts(
        tokens_seen=start,
        count=count,
        activation_sum=activation_sum,
        max_activation=max_activation,
        fine_histogram=histogram.reshape(n_latents, FINE_BINS),
        fine_edges=np.linspace(
            threshold, max(cap, threshold + 1e-6), FINE_BINS + 1, dtype=np.float32
        ),
        words=pairs.result(n_latents, word_total),
    )


def histogram_of(counts: Counts, latent: int, n_bins: int) -> tuple[list[float], list[int]]:
    """Edges from the threshold to the latent's maximum and counts, at most `n_bins` bins.

    Bins are whole numbers of fine bins, so the counts are exact; the last edge is the maximum.
    """
    fine = counts.fine_histogram[latent]
    used = int(np.max(np.flatnonzero(fine), initial=-1)) + 1
    if used == 0:
        return [], []
    width = -(-used // n_bins)
    n_coarse = -(-used // width)
    padded = np.zeros(n_coarse * width, np.int64)
    padded[:used] = fine[:used]
    edges = [float(counts.fine_edges[i * width]) for i in range(n_coarse)]
    # float32 rounding must not turn the last bin inside out
    last = max(
        float(counts.max_activation[latent]),
        float(np.nextafter(np.float32(edges[-1]), np.float32(np.inf))),
    )
    return [*edges, last], padded.reshape(n_coarse, width).sum(1).tolist()


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


class _PairSums:
    """Running sums over (latent, word), merged whenever many rows wait."""

    def __init__(self, n_words: int) -> None:
        self.n_words = n_words
        self.waiting: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.n_waiting = 0

    def add(
        self, latents: np.ndarray, words: np.ndarray, occurrences: np.ndarray, acts: np.ndarray
    ) -> None:
        known = words >= 0
        latents, words, occurrences, acts = (a[known] for a in (latents, words, occurrences, acts))
        order = np.lexsort((-acts, occurrences, latents))
        latents, occurrences = latents[order], occurrences[order]
        is_first = np.ones(len(order), bool)
        is_first[1:] = (latents[1:] != latents[:-1]) | (occurrences[1:] != occurrences[:-1])
        chosen = order[is_first]
        keys = latents[is_first] * self.n_words + words[chosen]
        self._push(keys, np.ones(len(keys), np.int64), acts[chosen].astype(np.float64))
        if self.n_waiting > MERGE_ROWS:
            self._merge()

    def result(self, n_latents: int, word_total: np.ndarray) -> WordCounts:
        self._merge()
        keys, count, total = self.waiting[0]
        latent, word = np.divmod(keys, self.n_words)
        return WordCounts(
            pair_latent=latent,
            pair_word=word,
            pair_count=count,
            pair_sum=total,
            word_total=word_total,
            latent_count=np.bincount(latent, count, minlength=n_latents).astype(np.int64),
            latent_sum=np.bincount(latent, total, minlength=n_latents),
        )

    def _push(self, keys: np.ndarray, count: np.ndarray, total: np.ndarray) -> None:
        unique, inverse = np.unique(keys, return_inverse=True)
        count = np.bincount(inverse, count, minlength=len(unique)).astype(np.int64)
        total = np.bincount(inverse, total, minlength=len(unique))
        self.waiting.append((unique, count, total))
        self.n_waiting += len(unique)

    def _merge(self) -> None:
        keys, count, total = (np.concatenate(parts) for parts in zip(*self.waiting, strict=True))
        self.waiting = []
        self._push(keys, count, total)
        self.n_waiting = 0
