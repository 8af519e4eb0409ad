"""What a name is judged on: each latent's own words, and the words of the text with embeddings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from precompute.text import TokenisedText


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


def profiles_of(terms: list[list[dict[str, Any]]], seed: int) -> Profiles:
    """Profiles from rows of `top_terms`, weighted by score."""
    words = sorted({term["term"] for own in terms for term in own})
    number = {word: i for i, word in enumerate(words)}
    latents = np.repeat(np.arange(len(terms)), [len(own) for own in terms])
    columns = np.array([number[term["term"]] for own in terms for term in own], np.int64)
    scores = np.array([term["score"] for own in terms for term in own], np.float64)
    total = np.bincount(latents, scores, minlength=len(terms))
    shape = (len(terms), len(words))
    matrix = sparse.csr_matrix((scores / total[latents], (latents, columns)), shape=shape)
    best = np.full(len(terms), -1, np.int64)
    for latent, own in enumerate(terms):
        if own:
            best[latent] = number[max(own, key=lambda term: term["score"])["term"]]
    is_choosing = np.random.default_rng(seed).random(len(words)) < 0.5
    chooses = (best >= 0) & is_choosing[best] if words else np.zeros(len(terms), bool)
    return Profiles(words, matrix.astype(np.float32), best, chooses)


def meanings(profiles: Profiles, vectors: np.ndarray | None) -> np.ndarray | None:
    """float32 [n_latents, d]: unit mean of the embeddings of each latent's words, by weight.

    Args:
        vectors: of the profiles' words, [n_words, d].
    """
    if vectors is None:
        return None
    means = profiles.matrix @ vectors
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
