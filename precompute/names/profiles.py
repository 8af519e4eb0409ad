"""What a name is judged on: each latent's own words, and the words of the text with embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from scipy import sparse

from precompute.text import TokenisedText

OwnTerms: TypeAlias = list[list[dict[str, Any]]]
Terms: TypeAlias = OwnTerms | pa.ListArray | pa.ChunkedArray
"""For each latent its terms, best first, as in `top_terms` of `latents`: `term` and `score`."""
TERM_LISTS = pa.list_(pa.struct([("term", pa.string()), ("score", pa.float64())]))


@dataclass(frozen=True)
class Lexicon:
    """Words of the text: how frequent, of how many tokens, and what they mean.

    Shapes: `counts` int64 [n_words]; `pieces` float64 [n_words], mean tokens a word; `vectors`
    float32 [n_embedded, d], unit embeddings, or None without a sentence model; `rows` int64
    [n_words], which of them is a word's, -1 for none.
    """

    words: list[str]
    counts: np.ndarray
    pieces: np.ndarray
    vectors: np.ndarray | None
    rows: np.ndarray

    @cached_property
    def number(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    def embeddings(self, words: np.ndarray) -> np.ndarray:
        """float32 [n, d] of these words, by number; zero where none is known."""
        assert self.vectors is not None
        rows = self.rows[words]
        return np.where(rows[:, None] >= 0, self.vectors[rows], np.float32(0))

    def of(self, words: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
        """Of other words, some of them unknown: mean tokens, 1 for an unknown one, and
        embeddings, None without a model."""
        numbers = np.array([self.number.get(word, -1) for word in words], np.int64)
        pieces = np.where(numbers >= 0, self.pieces[numbers], 1.0)
        if self.vectors is None:
            return pieces, None
        known = self.embeddings(numbers)
        return pieces, np.where(numbers[:, None] >= 0, known, np.float32(0))


def word_statistics(text: TokenisedText) -> tuple[np.ndarray, np.ndarray]:
    """Occurrences int64 [n_words] and mean tokens float64 [n_words] of every word of the text."""
    known = text.word_ids >= 0
    counts = np.bincount(text.word_ids[text.new_word & known], minlength=len(text.words))
    tokens = np.bincount(text.word_ids[known], minlength=len(text.words))
    return counts, tokens / np.maximum(counts, 1)


@dataclass(frozen=True)
class Profiles:
    """Each latent's own words with weights that sum to 1, and the half that it belongs to.

    Latents that stand for the same word lie in the same half: what is chosen on one half is tested
    on other words.

    Attributes:
        words: distinct words, sorted.
        matrix: csr [n_latents, n_words].
        best: int64 [n_latents], the word of most weight, -1 for a latent without words.
        chooses: bool [n_latents], whether names are chosen on it; the others test them.
    """

    words: list[str]
    matrix: Any
    best: np.ndarray
    chooses: np.ndarray

    @property
    def has_words(self) -> np.ndarray:
        return self.best >= 0


def profiles_of(terms: Terms, seed: int) -> Profiles:
    """Profiles from `top_terms`, weighted by score."""
    lists = as_lists(terms)
    n, lengths = len(lists), lists.value_lengths().to_numpy(zero_copy_only=False)
    term, score = lists.flatten().flatten()[:2]
    met = term.cast(pa.string()).dictionary_encode()
    order = np.argsort(np.array(met.dictionary.to_pylist(), object), kind="stable")
    words: list[str] = [met.dictionary[i].as_py() for i in order.tolist()]
    columns = np.argsort(order)[met.indices.to_numpy(zero_copy_only=False)]
    latents = np.repeat(np.arange(n), lengths)
    scores = score.to_numpy(zero_copy_only=False).astype(np.float64)
    total = np.bincount(latents, scores, minlength=n)
    matrix = sparse.csr_matrix((scores / total[latents], (latents, columns)), shape=(n, len(words)))
    best = np.full(n, -1, np.int64)
    falling = np.lexsort((-scores, latents))[::-1]  # the last one written is the first and highest
    best[latents[falling]] = columns[falling]
    is_choosing = np.random.default_rng(seed).random(len(words)) < 0.5
    chooses = (best >= 0) & is_choosing[best] if words else np.zeros(n, bool)
    return Profiles(words, matrix.astype(np.float32), best, chooses)


def as_lists(terms: Terms) -> pa.ListArray:
    """Terms as one Arrow array of lists."""
    if isinstance(terms, list):
        return pa.array(terms, TERM_LISTS)
    return terms.combine_chunks() if isinstance(terms, pa.ChunkedArray) else terms


def terms_of(terms: Terms, latents: slice) -> OwnTerms:
    """Terms of some latents as Python objects; a million latents have too many for all at once."""
    if isinstance(terms, list):
        return terms[latents]
    start, end = latents.indices(len(terms))[:2]
    return terms.slice(start, end - start).to_pylist()


def meanings(profiles: Profiles, vectors: np.ndarray | None) -> np.ndarray | None:
    """float32 [n_latents, d]: unit mean of the embeddings of each latent's words, by weight.

    Args:
        vectors: of the profiles' words, [n_words, d].
    """
    if vectors is None:
        return None
    means = profiles.matrix @ vectors
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
