"""The name of a latent: a word, a few words, or what the words that it fires on look like.

1. Terms of the choosing part of the text are scored as in `precompute/terms.py`; one word names the
   latent when its F1 is at least 0.5, else up to three do.
2. A spelling pattern is scored by the same F1 (share of the activation on words that match, share
   of their occurrences that the latent fires on). It names the latent when it fits better than the
   words and at least `MIN_WORDS` words of several stems match.
3. Latents that hardly fire in that part keep the name from the whole text, untested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from precompute.counting import WordCounts
from precompute.evidence.counts import of_latents
from precompute.names.patterns import MIN_WORDS, Patterns, spread
from precompute.names.profiles import OwnTerms, Terms, terms_of
from precompute.terms import LABEL_TERMS, Label, label_of, label_terms, score_terms, top_terms

MIN_FIRINGS = 5  # in the choosing part, for a name of its own
MIN_TERM_COUNT = 2  # one occurrence would give any latent that fires on it a recall of 1
MIN_PATTERN_SCORE = 0.25
PATTERN_MARGIN = 0.05  # of F1, over the union of the words that would name the latent
PATTERNS_TRIED = 8  # m-, mo-, mon- and mono- may all fit
MIN_STEMS = 3.0
LATENTS_AT_ONCE = 4096


@dataclass(frozen=True)
class LatentNames:
    """Names and the words that each one stands for.

    Attributes:
        labels: not tested yet.
        words: for each latent the numbers of the words that its name calls, int64.
        terms: for each latent those of them that its text spells out; empty for a spelling.
        is_tested: bool [n_latents], whether the name was chosen on the choosing part alone.
    """

    labels: list[Label]
    words: list[np.ndarray]
    terms: list[np.ndarray]
    is_tested: np.ndarray


def name_latents(
    counts: WordCounts,
    words: list[str],
    patterns: Patterns,
    fallback: Terms,
    known: list[str] | None = None,
) -> LatentNames:
    """Name every latent of an SAE.

    Args:
        counts: of the choosing part.
        words: all words, as `counts` numbers them.
        patterns: over `words`.
        fallback: `top_terms` of the whole text.
        known: names that need no choosing (the dictionary of words).
    """
    number = {word: i for i, word in enumerate(words)}
    parts = []
    for start in range(0, len(counts.latent_count), LATENTS_AT_ONCE):
        block = slice(start, start + LATENTS_AT_ONCE)
        if known is not None:
            parts.append(_known_names(known[block], terms_of(fallback, block), number))
            continue
        own = of_latents(counts, block)
        parts.append(_name_block(own, words, patterns, terms_of(fallback, block), number))
    return LatentNames(
        labels=[label for part in parts for label in part.labels],
        words=[numbers for part in parts for numbers in part.words],
        terms=[numbers for part in parts for numbers in part.terms],
        is_tested=np.concatenate([np.zeros(0, bool), *(part.is_tested for part in parts)]),
    )


def _known_names(known: list[str], fallback: OwnTerms, number: dict[str, int]) -> LatentNames:
    labels = [
        Label(name, "name", next((t["score"] for t in own if t["term"] == name), None), "word")
        for name, own in zip(known, fallback, strict=True)
    ]
    terms = [_numbers([name], number) for name in known]
    return LatentNames(labels, terms, terms, np.ones(len(known), bool))


def _name_block(
    counts: WordCounts,
    words: list[str],
    patterns: Patterns,
    fallback: OwnTerms,
    number: dict[str, int],
) -> LatentNames:
    """Names of some latents; `counts` numbers them from 0."""
    n = len(counts.latent_count)
    chosen = top_terms(score_terms(counts, MIN_TERM_COUNT), words, n, LABEL_TERMS)
    is_tested = counts.latent_count >= MIN_FIRINGS
    rows = [chosen[i] if is_tested[i] else fallback[i] for i in range(n)]
    labels = [label_of(own) for own in rows]
    terms = [_numbers(label_terms(own), number) for own in rows]
    called = list(terms)
    starts = np.searchsorted(counts.pair_latent, np.arange(n + 1))
    for latent, pattern, score in _pattern_scores(counts, patterns, len(words)):
        if not is_tested[latent] or labels[latent].source == "spelling":
            continue
        own = slice(starts[latent], starts[latent + 1])
        bar = _union_score(latent, terms[latent], counts, own)
        matching, affix = patterns.words(pattern), int(patterns.affix[pattern])
        word, count = counts.pair_word[own], counts.pair_count[own]
        if score >= bar + PATTERN_MARGIN and _is_spelling(word, count, matching, affix, words):
            labels[latent] = Label(patterns.texts[pattern], "spelling", score, "spelling")
            called[latent] = matching
            terms[latent] = np.zeros(0, np.int64)
    return LatentNames(labels, called, terms, is_tested)


def _pattern_scores(
    counts: WordCounts, patterns: Patterns, n_words: int
) -> list[tuple[int, int, float]]:
    """Latent, pattern and F1 of the best few patterns of each latent, best first."""
    firings = _matrix(counts, counts.pair_count.astype(np.float64), n_words)
    hits = (firings @ patterns.matches).tocsr()
    weight = (_matrix(counts, counts.pair_sum, n_words) @ patterns.matches).tocsr()
    for product in (hits, weight):  # both hold the same entries: what fires is activated
        product.sort_indices()
    row = np.repeat(np.arange(hits.shape[0]), np.diff(hits.indptr))
    column = hits.indices.astype(np.int64)
    total = patterns.matches.T @ counts.word_total
    precision = weight.data / counts.latent_sum[row]
    recall = hits.data / np.maximum(total[column], 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    keep = np.flatnonzero(f1 >= MIN_PATTERN_SCORE)
    keep = keep[np.lexsort((column[keep], -f1[keep], row[keep]))]
    first = np.searchsorted(row[keep], row[keep])
    keep = keep[np.arange(len(keep)) - first < PATTERNS_TRIED]
    return list(zip(row[keep].tolist(), column[keep].tolist(), f1[keep].tolist(), strict=True))


def _union_score(latent: int, terms: np.ndarray, counts: WordCounts, own: slice) -> float:
    """F1 of "the word is one of these", or of the best one alone when that is higher.

    Args:
        own: the latent's pairs in `counts`.
    """
    scores = [0.0]
    for part in (terms[:1], terms):
        is_named = np.isin(counts.pair_word[own], part)
        precision = counts.pair_sum[own][is_named].sum() / counts.latent_sum[latent]
        hits = counts.pair_count[own][is_named].sum()
        recall = hits / max(counts.word_total[part].sum(), 1)
        scores.append(2 * precision * recall / max(precision + recall, 1e-12))
    return float(max(scores))


def _is_spelling(
    own_words: np.ndarray,
    own_counts: np.ndarray,
    matching: np.ndarray,
    affix: int,
    words: list[str],
) -> bool:
    """Whether enough different words share the pattern, rather than the forms of one word."""
    fits = np.isin(own_words, matching)
    if fits.sum() < MIN_WORDS:
        return False
    own = [words[i] for i in own_words[fits]]
    return spread(own, own_counts[fits].astype(np.float64), affix) >= MIN_STEMS


def _matrix(counts: WordCounts, values: np.ndarray, n_words: int) -> Any:
    shape = (len(counts.latent_count), n_words)
    return sparse.csr_matrix((values, (counts.pair_latent, counts.pair_word)), shape=shape)


def _numbers(names: list[str], number: dict[str, int]) -> np.ndarray:
    return np.array([number[name] for name in names if name in number], np.int64)
