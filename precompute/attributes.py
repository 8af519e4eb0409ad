"""Do meta-latents carry facts? How well the best component predicts an attribute of a word.

For every fact table: the words that have a latent of their own, and one attribute (the country of
a city, the group of an animal). For each value shared by enough words, the meta-latent whose
members among those words fit the value best, by F1; the figure is the mean over values. A random
regrouping of the same values is the control.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from precompute.corpus.tables import FACTS_FOLDER, read_table
from precompute.decomposition import Decomposition
from precompute.terms import TermScores

ATTRIBUTES = (
    ("cities", "name", "country"),
    ("cities", "name", "continent"),
    ("countries", "name", "continent"),
    ("animals", "name", "group"),
    ("occupations", "name", "industry"),
    ("foods", "name", "kind"),
    ("instruments", "name", "family"),
    ("laureates", "surname", "field"),
    ("monarchs", "name", "realm"),
)
MIN_WORDS = 4  # words with a value before it counts
MIN_TERM_SCORE = 0.2  # a word has a latent of its own from this score on


@dataclass(frozen=True)
class AttributeRecovery:
    """Mean best F1 over `n_values` attribute values, and the same with values shuffled."""

    f1: float
    shuffled_f1: float
    n_values: int


def attribute_recovery(
    scores: TermScores, words: list[str], shown: Decomposition, n_meta: int, seed: int
) -> AttributeRecovery:
    """Score all attributes of the fact tables against a decomposition."""
    latent_of = _latents_by_word(scores, words)
    members = np.zeros((int(shown.latent.max(initial=0)) + 1, n_meta), bool)
    members[shown.latent, shown.meta_latent] = True
    rng = np.random.default_rng(seed)
    real, shuffled = [], []
    for table, name_column, attribute in ATTRIBUTES:
        values = {
            row[name_column].lower(): str(row[attribute])
            for row in read_table(FACTS_FOLDER / f"{table}.tsv")
            if row[name_column].lower() in latent_of
        }
        latents = np.array([latent_of[word] for word in values], np.int64)
        labels = np.array(list(values.values()))
        known = latents < len(members)
        active, labels = members[latents[known]], labels[known]
        real += _best_f1(active, labels)
        shuffled += _best_f1(active, rng.permutation(labels))
    if not real:
        return AttributeRecovery(0.0, 0.0, 0)
    return AttributeRecovery(float(np.mean(real)), float(np.mean(shuffled)), len(real))


def _best_f1(active: np.ndarray, labels: np.ndarray) -> list[float]:
    """For each value with enough words, the best F1 of one meta-latent; `active` [words, meta]."""
    found = []
    for value, count in zip(*np.unique(labels, return_counts=True), strict=True):
        if MIN_WORDS <= count < len(labels):
            hits = active[labels == value].sum(0)
            found.append(float((2 * hits / (count + active.sum(0))).max()))
    return found


def _latents_by_word(scores: TermScores, words: list[str]) -> dict[str, int]:
    order = np.argsort(scores.score, kind="stable")  # the best comes last and stays
    keep = order[scores.score[order] >= MIN_TERM_SCORE]
    return {words[scores.word[i]]: int(scores.latent[i]) for i in keep}
