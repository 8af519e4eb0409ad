"""The word whose meaning best tells a meta-latent's members from other latents.

Every frequent word of the text is ranked against the latents of the choosing half by the cosine of
its embedding with the latent's own words. Its AUC, with members counted by activation, says how
well it tells them. Thousands of words are tried on few members, so the best is best by luck; of all
within a standard error of it the plainest is taken: near the members' centroid (less the mean of
all latents), frequent, and itself a word that members stand for.
"""

from __future__ import annotations

import numpy as np

from precompute.evidence.phrases import FUNCTION_WORDS
from precompute.names.choosing import Half, MetaName, OwnMembers
from precompute.names.profiles import Lexicon
from precompute.terms import Label
from precompute.unsuitable import may_name

MIN_MEMBERS = 5  # that choose, before anything is claimed to be common to them
MIN_DISTINCT = 3  # words that they stand for
MOST_FUNCTION = 0.5  # of their weight on function words: these have no meaning in common
MIN_LETTERS = 3
FORM_LETTERS, FORM_STEM = 3, 4  # forms of one word differ in the last few letters, not before
MIN_VARIANCE = 0.01  # of an AUC, so that a perfect one of few members has an error too
# what plainness is worth in AUC: a tenfold frequency, the whole cosine with the centroid, and
# `MOST_SHARE` of the members' weight on the word itself
FREQUENCY_WORTH, CENTROID_WORTH, SHARE_WORTH = 0.03, 0.3, 0.2
MOST_SHARE = 0.3


def meaning_names(half: Half, lexicon: Lexicon, name_word_count: int) -> list[MetaName | None]:
    """The best word of each meta-latent, or None where members stand for too few words.

    Args:
        lexicon: of all words of the text.
        name_word_count: a word rarer than this in the text names nothing.
    """
    result: list[MetaName | None] = [None] * half.weights.shape[0]
    usable = vocabulary(lexicon, name_word_count)
    if half.own is None or lexicon.vectors is None or not len(usable) or not len(half.latents):
        return result
    own, vectors = half.own, lexicon.embeddings(usable)
    aucs = half.weighted_aucs(lambda part: own @ vectors[part].T, len(usable))
    words = [lexicon.words[word] for word in usable]
    column = {word: i for i, word in enumerate(words)}
    frequency = np.log10(lexicon.counts[usable])
    mean = own.mean(0)
    found: dict[int, tuple[Label, np.ndarray]] = {}
    for i in range(len(result)):
        members = half.members(i)
        if not _may_have_one(members):
            continue
        centroid = np.average(own[members.places], axis=0, weights=members.weights) - mean
        centroid /= max(float(np.linalg.norm(centroid)), 1e-12)
        near = _as_good_as_the_best(aucs[i], len(members.words))
        plain = (
            aucs[i, near]
            + FREQUENCY_WORTH * frequency[near]
            + CENTROID_WORTH * (vectors[near] @ centroid)
            + SHARE_WORTH * np.minimum(_shares(members, column)[near], MOST_SHARE)
        )
        chosen = _plainest_form(int(near[np.argmax(plain)]), near, words, frequency)
        found[i] = Label(words[chosen], "meaning", None, "meaning"), vectors[chosen]
    for i, name in half.by_meaning(found).items():
        result[i] = name
    return result


def vocabulary(lexicon: Lexicon, name_word_count: int) -> np.ndarray:
    """int64: frequent words of letters alone that may name a meaning; no function words."""
    return np.array(
        [
            i
            for i in np.flatnonzero(lexicon.counts >= name_word_count).tolist()
            if lexicon.words[i].isalpha()
            and len(lexicon.words[i]) >= MIN_LETTERS
            and lexicon.words[i] not in FUNCTION_WORDS
            and may_name(lexicon.words[i])
        ],
        np.int64,
    )


def _may_have_one(members: OwnMembers) -> bool:
    """Whether enough members stand for enough words, and these are not mostly "the, of, and"."""
    if len(members.words) < MIN_MEMBERS or len(set(members.words)) < MIN_DISTINCT:
        return False
    is_function = np.array([word in FUNCTION_WORDS for word in members.words])
    return members.weights[is_function].sum() < MOST_FUNCTION * members.weights.sum()


def _plainest_form(chosen: int, near: np.ndarray, words: list[str], frequency: np.ndarray) -> int:
    """Of the forms of the chosen word among those as good, the most frequent: transfer for
    transferring."""
    stem = words[chosen][: max(FORM_STEM, len(words[chosen]) - FORM_LETTERS)]
    forms = [
        i
        for i in near.tolist()
        if words[i].startswith(stem) and len(words[i]) <= len(stem) + FORM_LETTERS
    ]
    return max(forms, key=lambda i: frequency[i])


def _as_good_as_the_best(aucs: np.ndarray, n_members: int) -> np.ndarray:
    best = float(aucs.max())
    error = np.sqrt(max(best * (1 - best), MIN_VARIANCE) / n_members)
    return np.flatnonzero(aucs >= best - error)


def _shares(members: OwnMembers, column: dict[str, int]) -> np.ndarray:
    """float64 [n_usable]: share of the members' weight on latents that stand for the word."""
    shares = np.zeros(len(column))
    for word, weight in zip(members.words, members.weights.tolist(), strict=True):
        if word in column:
            shares[column[word]] += weight
    return shares / members.weights.sum()
