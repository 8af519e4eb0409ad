"""The half of the latents that names of meta-latents are chosen on, and a name that can judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from precompute.names.profiles import Profiles
from precompute.names.ranking import best_cut, ranks_by_column
from precompute.terms import Label

COLUMNS_AT_ONCE = 1024
ENTRIES_AT_ONCE = 1 << 24  # scores that are ranked together: half a GB with what ranking needs
NAMES_AT_ONCE = 64


@dataclass(frozen=True)
class Members:
    """Which latents each meta-latent is active on: arrays [n_pairs], and the number of both."""

    latent: np.ndarray
    meta_latent: np.ndarray
    activation: np.ndarray
    n_latents: int
    n_meta: int

    def matrix(self, latents: np.ndarray, weighted: bool) -> Any:
        """csr [n_meta, n] of activations, or of ones, for these latents alone."""
        values = self.activation if weighted else np.ones(len(self.latent))
        shape = (self.n_meta, self.n_latents)
        return sparse.csr_matrix((values, (self.meta_latent, self.latent)), shape=shape)[:, latents]


@dataclass(frozen=True)
class MetaName:
    """A name and how it judges a latent: score >= threshold makes a member.

    Attributes:
        label: its score is the balanced accuracy on the choosing half.
        direction: unit embedding [d]; the score is its cosine with the latent's own words.
        matches: int [n], numbers of words of the profiles; the score is the share that matches.
        is_ending: whether it is a common ending of words.
    """

    label: Label
    direction: np.ndarray | None = None
    matches: np.ndarray | None = None
    threshold: float = 0.0
    is_ending: bool = False

    @property
    def fit(self) -> float:
        return self.label.score or 0.0


@dataclass(frozen=True)
class OwnMembers:
    """The choosing members of one meta-latent.

    Attributes:
        places: int [n], where in the half they are.
        weights: float [n], activations.
        best: int [n], the word each stands for, as the profiles number it.
        words: those words.
        is_member: bool [n_half].
    """

    places: np.ndarray
    weights: np.ndarray
    best: np.ndarray
    words: list[str]
    is_member: np.ndarray


@dataclass(frozen=True)
class Half:
    """The choosing half: its latents, who is a member, and what their words mean.

    Shapes: `latents` int64 [n_half]; `weights` csr [n_meta, n_half]; `own` float32 [n_half, d], the
    latents' meanings, and `vectors` float32 [n_words, d], those of the profiles' words; both None
    without a sentence model.
    """

    profiles: Profiles
    latents: np.ndarray
    weights: Any
    own: np.ndarray | None
    vectors: np.ndarray | None

    def members(self, meta_latent: int) -> OwnMembers:
        start, end = self.weights.indptr[meta_latent : meta_latent + 2]
        places = self.weights.indices[start:end]
        best = self.profiles.best[self.latents[places]]
        is_member = np.zeros(len(self.latents), bool)
        is_member[places] = True
        words = [self.profiles.words[word] for word in best]
        return OwnMembers(places, self.weights.data[start:end], best, words, is_member)

    @cached_property
    def shares(self) -> Any:
        """csr [n_half, n_words]: the profiles of its latents."""
        return self.profiles.matrix[self.latents]

    def by_meaning(self, names: dict[int, tuple[Label, np.ndarray]]) -> dict[int, MetaName]:
        """Names that judge by embeddings, from a label and a unit direction by meta-latent."""
        assert self.own is not None
        result, numbers = {}, list(names)
        for start in range(0, len(numbers), NAMES_AT_ONCE):
            part = numbers[start : start + NAMES_AT_ONCE]
            scores = np.stack([names[i][1] for i in part]) @ self.own.T
            for i, own_scores in zip(part, scores, strict=True):
                name = MetaName(names[i][0], direction=names[i][1])
                result[i] = _with_cut(name, own_scores, self.members(i).is_member)
        return result

    def by_words(self, label: Label, matches: np.ndarray, is_member: np.ndarray) -> MetaName:
        """A name that judges by which words match."""
        name = MetaName(label, matches=matches)
        return _with_cut(name, self.shares @ chosen_words(self.profiles, [matches])[0], is_member)

    def weighted_aucs(self, scores: Callable[[slice], np.ndarray], n_columns: int) -> np.ndarray:
        """float32 [n_meta, n_columns]: how far members rank above random latents of the half.

        Members count by activation: the mean share of the half that a member outranks. 0.5 for a
        meta-latent without members.

        Args:
            scores: from a slice of the columns to [n_half, n] scores.
        """
        total = np.asarray(self.weights.sum(1)).reshape(-1, 1)
        result = np.full((self.weights.shape[0], n_columns), 0.5, np.float32)
        has_members = total.ravel() > 0
        at_once = columns_at_once(len(self.latents), COLUMNS_AT_ONCE)
        for start in range(0, n_columns, at_once):
            part = slice(start, min(start + at_once, n_columns))
            outranked = (ranks_by_column(scores(part)) - 0.5) / len(self.latents)
            mean = (self.weights @ outranked) / np.maximum(total, 1e-12)
            result[has_members, part] = mean[has_members]
        return result


def columns_at_once(n_rows: int, most: int) -> int:
    """How many columns of so many scores are ranked together."""
    return min(most, max(1, ENTRIES_AT_ONCE // max(n_rows, 1)))


def chosen_words(profiles: Profiles, matches: list[np.ndarray]) -> np.ndarray:
    """float32 [n_names, n_words]: 1 for each name's words, given by number."""
    chosen = np.zeros((len(matches), len(profiles.words)), np.float32)
    for row, words in zip(chosen, matches, strict=True):
        row[words] = 1
    return chosen


def _with_cut(name: MetaName, scores: np.ndarray, is_member: np.ndarray) -> MetaName:
    """The name with its threshold, and the accuracy there as the label's score."""
    if not is_member.any() or is_member.all():
        return name
    threshold, accuracy = best_cut(scores, is_member)
    return replace(name, label=replace(name.label, score=accuracy), threshold=threshold)
