"""Absorption as the model's answers show it: the form with attribution, for causal models."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np
import torch
from scipy import sparse

from precompute.dictionary import Dictionary
from precompute.experiments.absorption.answers import Answers
from precompute.experiments.absorption.attribution import (
    TakenOver,
    effects_on_m,
    path_gradient,
    taken_over,
)
from precompute.experiments.absorption.concepts import Asked, Concept
from precompute.experiments.absorption.section import AbsorptionConfig
from precompute.experiments.absorption.words import WordActivations
from precompute.experiments.bench import Bench

PROMPTS_AT_ONCE = 128


@dataclass(frozen=True)
class Candidates:
    """Test words of a letter that its probe gets right and its latents miss."""

    concept: Concept
    n_right: int
    """Words that the probe gets right."""
    portion: float
    """Share of the candidates that was drawn; 1 where all were."""
    words: np.ndarray
    """int64, the drawn ones, among all words"""
    is_full: np.ndarray
    """bool: whether the form without logits calls them absorbed."""


@dataclass(frozen=True)
class Slopes:
    """What takes away the latents of words does to m, the letter's lead."""

    gradient: np.ndarray
    """float64 [n_words, d_in], mean along the path"""
    change: np.ndarray
    """float64 [n_words]: m with all latents taken away, less m untouched"""


def candidates(asked: Asked, acts: sparse.csr_matrix, most: int, seed: int) -> Candidates:
    """Words that the k-sparse probe denies and on which every main latent is silent."""
    main = asked.concept.sparse.main
    is_silent = acts[asked.words][:, main].getnnz(axis=1) == 0
    places = np.flatnonzero(is_silent & ~asked.concept.sparse.says[asked.words])
    drawn = places
    if len(places) > most:
        drawn = np.sort(np.random.default_rng(seed).choice(places, most, replace=False))
    return Candidates(
        concept=asked.concept,
        n_right=len(asked.words),
        portion=len(drawn) / max(1, len(places)),
        words=asked.words[drawn],
        is_full=asked.found.is_full[drawn],
    )


def slopes(
    bench: Bench,
    sae: Dictionary,
    held: WordActivations,
    acts: sparse.csr_matrix,
    words: np.ndarray,
    tokens: np.ndarray,
    settings: AbsorptionConfig,
) -> Slopes:
    """Integrated gradients of m at words, numbers among all; `tokens` of the letters a to z."""
    own = np.array([ascii_lowercase.index(held.words[word].letter) for word in words])
    gradients, changes = [], []
    for start in range(0, len(words), PROMPTS_AT_ONCE):
        part = slice(start, start + PROMPTS_AT_ONCE)
        chosen = words[part]
        pieces = [held.words[word].ids for word in chosen]
        answers = Answers.of(
            bench.config.model, bench.language_model, pieces, held.positions[chosen]
        )
        x = answers.activations()
        letter = torch.from_numpy(own[part]).to(x.device)
        of_letters = torch.from_numpy(tokens).to(x.device)
        f = torch.from_numpy(acts[chosen].toarray()).to(x.device, torch.float32)
        taken_away = f @ sae.W_dec

        def m(
            rows: torch.Tensor,
            answers: Answers = answers,
            of_letters: torch.Tensor = of_letters,
            letter: torch.Tensor = letter,
        ) -> torch.Tensor:
            return answers.margin(rows, of_letters, letter)

        gradients.append(path_gradient(m, x, taken_away, settings.steps).double().cpu().numpy())
        with torch.no_grad():
            changes.append((m(x - taken_away) - m(x)).double().cpu().numpy())
    d = held.x.shape[1]
    return Slopes(np.concatenate([np.zeros((0, d)), *gradients]), np.concatenate([[], *changes]))


def judged(
    asked: list[Candidates], found: Slopes, acts: sparse.csr_matrix, rows: np.ndarray
) -> list[TakenOver]:
    """What `taken_over` says of each letter's candidates, with the decoder `rows` given.

    Args:
        asked: letter by letter, as their words stand in `found`.
        found: of all their words.
        acts: activations of all words.
        rows: float64 [n_latents, d_in], the SAE's or a control's.
    """
    judgements, start = [], 0
    for one in asked:
        gradient = found.gradient[start : start + len(one.words)]
        start += len(one.words)
        effects = effects_on_m(sparse.csr_matrix(acts[one.words]), gradient, rows)
        judgements.append(taken_over(effects, rows @ one.concept.known.direction))
    return judgements
