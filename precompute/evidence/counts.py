"""One pass over a sample: on which words, word pieces and phrases each latent fires.

A latent fires on an occurrence of a word or phrase when it fires on any token of it; a word's
activation is the strongest of its tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from precompute.activations import Firings
from precompute.counting import WordCounts
from precompute.evidence.pairs import PairSums
from precompute.evidence.phrases import LENGTHS, phrase_starts
from precompute.evidence.phrases import Phrases as ChosenPhrases
from precompute.evidence.sample import Sample, whole_contexts


@dataclass(frozen=True)
class PhraseCounts:
    """Sparse [n_latents, n_phrases] counts, by latent, then phrase.

    `hit` occurrences of the phrase on which the latent fires, `at_place` [n_pairs, 3] firings on
    its first, second and third word, `pair_sum` their activations; `total` [n_phrases].
    """

    pair_latent: np.ndarray
    pair_phrase: np.ndarray
    hit: np.ndarray
    at_place: np.ndarray
    pair_sum: np.ndarray
    total: np.ndarray


@dataclass(frozen=True)
class PartCounts:
    """What one part of the text says about one SAE; `pieces` has only the tokens asked for."""

    words: WordCounts
    pieces: WordCounts
    phrases: PhraseCounts


def count_part(
    blocks: Iterable[tuple[int, Firings]],
    sample: Sample,
    phrases: ChosenPhrases,
    is_piece: np.ndarray,
    n_latents: int,
) -> PartCounts:
    """Sum up a pass over all rows of `sample`; exact, wherever the blocks end.

    Args:
        blocks: as `precompute.activations.firings` yields them.
        is_piece: bool [n_token_ids], the tokens whose firings are kept one by one.
    """
    n_words, n_tokens, n_phrases = phrases.n_words, len(is_piece), len(phrases.words)
    starts = phrase_starts(phrases, sample)
    words, pieces = PairSums(np.int32, np.float64), PairSums(np.int32, np.float64)
    in_phrases = PairSums(*[np.int32] * 4, np.float64)
    word_count, token_count = np.zeros((2, n_latents), np.int64)
    word_sum, token_sum = np.zeros((2, n_latents))
    for firing in whole_contexts(blocks, sample.context_ends):
        rows, latents = firing.rows, firing.latents
        acts = firing.activations.astype(np.float64)
        token_count += np.bincount(latents, minlength=n_latents)
        token_sum += np.bincount(latents, acts, minlength=n_latents)
        token = sample.token_ids[rows].astype(np.int64)
        kept = is_piece[token]
        pieces.add(latents[kept] * n_tokens + token[kept], 1, acts[kept])
        entries = _on_words(sample.occurrence[rows], latents, acts)
        occurrence, latent, strongest = entries
        word_count += np.bincount(latent, minlength=n_latents)
        word_sum += np.bincount(latent, strongest, minlength=n_latents)
        words.add(latent * n_words + sample.word[occurrence], 1, strongest)
        for length in LENGTHS:
            _add_phrases(in_phrases, entries, starts[length], length, n_phrases)
    totals = [np.bincount(at[at >= 0], minlength=n_phrases) for at in starts.values()]
    return PartCounts(
        words=_pair_counts(
            words, np.bincount(sample.word, minlength=n_words), word_count, word_sum
        ),
        pieces=_pair_counts(
            pieces, np.bincount(sample.token_ids, minlength=n_tokens), token_count, token_sum
        ),
        phrases=_phrase_counts(in_phrases, np.sum(totals, axis=0)),
    )


def added(parts: Sequence[PartCounts]) -> PartCounts:
    """The counts of several parts of the text as those of one."""
    found = [part.phrases for part in parts]
    n_phrases = len(found[0].total)
    sums = PairSums(*[np.int64] * 4, np.float64)
    for one in found:
        keys = one.pair_latent * n_phrases + one.pair_phrase
        sums.add(keys, *one.at_place.T, one.hit, one.pair_sum)
    return PartCounts(
        words=_added([part.words for part in parts]),
        pieces=_added([part.pieces for part in parts]),
        phrases=_phrase_counts(sums, np.sum([one.total for one in found], axis=0)),
    )


def of_latents(counts: WordCounts, latents: slice) -> WordCounts:
    """Counts of some latents, numbered from 0; arrays are views of the given ones."""
    start, end = latents.indices(len(counts.latent_count))[:2]
    pairs = slice(*np.searchsorted(counts.pair_latent, (start, end)))
    return WordCounts(
        pair_latent=counts.pair_latent[pairs] - start,
        pair_word=counts.pair_word[pairs],
        pair_count=counts.pair_count[pairs],
        pair_sum=counts.pair_sum[pairs],
        word_total=counts.word_total,
        latent_count=counts.latent_count[start:end],
        latent_sum=counts.latent_sum[start:end],
    )


def part_of_latents(part: PartCounts, latents: slice) -> PartCounts:
    """`of_latents` for everything counted in a part."""
    phrases = part.phrases
    start, end = latents.indices(len(part.words.latent_count))[:2]
    pairs = slice(*np.searchsorted(phrases.pair_latent, (start, end)))
    return PartCounts(
        words=of_latents(part.words, latents),
        pieces=of_latents(part.pieces, latents),
        phrases=PhraseCounts(
            pair_latent=phrases.pair_latent[pairs] - start,
            pair_phrase=phrases.pair_phrase[pairs],
            hit=phrases.hit[pairs],
            at_place=phrases.at_place[pairs],
            pair_sum=phrases.pair_sum[pairs],
            total=phrases.total,
        ),
    )


def _added(parts: Sequence[WordCounts]) -> WordCounts:
    n_terms = len(parts[0].word_total)
    sums = PairSums(np.int64, np.float64)
    for one in parts:
        sums.add(one.pair_latent * n_terms + one.pair_word, one.pair_count, one.pair_sum)
    totals = {
        name: np.sum([getattr(one, name) for one in parts], axis=0)
        for name in ("word_total", "latent_count", "latent_sum")
    }
    return _pair_counts(sums, **totals)


def _on_words(
    occurrence: np.ndarray, latents: np.ndarray, acts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Occurrence, latent and strongest activation of each (latent, occurrence), in that order."""
    kept = np.flatnonzero(occurrence >= 0)
    order = kept[np.lexsort((occurrence[kept], latents[kept]))]
    occurrence, latents, acts = occurrence[order], latents[order], acts[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (latents[1:] != latents[:-1]) | (occurrence[1:] != occurrence[:-1])
    first = np.flatnonzero(is_first)
    strongest = np.maximum.reduceat(acts, first) if len(first) else acts
    return occurrence[first], latents[first], strongest


def _add_phrases(
    sums: PairSums,
    entries: tuple[np.ndarray, np.ndarray, np.ndarray],
    starts: np.ndarray,
    length: int,
    n_phrases: int,
) -> None:
    occurrence, latent, strongest = entries
    # words since the latent's last firing: within a phrase only the first firing makes a hit
    gap = np.full(len(occurrence), length)
    gap[1:] = np.where(latent[1:] == latent[:-1], np.diff(occurrence), length)
    for place in range(length):
        inside = np.flatnonzero(occurrence >= place)
        phrase = starts[occurrence[inside] - place]
        inside, phrase = inside[phrase >= 0], phrase[phrase >= 0]
        at_place = [int(place == i) for i in range(3)]
        keys = latent[inside] * n_phrases + phrase
        sums.add(keys, *at_place, gap[inside] > place, strongest[inside])


def _pair_counts(
    sums: PairSums, word_total: np.ndarray, latent_count: np.ndarray, latent_sum: np.ndarray
) -> WordCounts:
    keys, count, total = sums.result()
    latent, term = np.divmod(keys, len(word_total))
    return WordCounts(
        pair_latent=latent,
        pair_word=term,
        pair_count=count.astype(np.int64),
        pair_sum=total,
        word_total=word_total,
        latent_count=latent_count,
        latent_sum=latent_sum,
    )


def _phrase_counts(sums: PairSums, total: np.ndarray) -> PhraseCounts:
    keys, *at_place, hit, pair_sum = sums.result()
    latent, phrase = np.divmod(keys, max(1, len(total)))
    return PhraseCounts(latent, phrase, hit, np.stack(at_place, axis=1), pair_sum, total)
