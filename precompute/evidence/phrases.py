"""Which two or three words in a row are worth a line in the search index, and where they stand.

1. Candidates: adjacent words of a sample (`Sample.follows`), not all of them function words, at
   least `min_phrase_count` times and in `MIN_DOCUMENTS` documents. So a stored phrase is a
   statistic of several texts and never a quotation of one.
2. Association: Dunning's log-likelihood ratio (1993) of the words being independent, against more
   often together than that; for three words the smaller of the two ways to cut them.
3. Four fifths of the room go to phrases with a content word at both ends, the strongest
   association first ("bank account", "state of nature"); the rest to the most frequent of all
   others ("the river", "led to the").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from precompute.config import EvidenceConfig
from precompute.evidence.sample import Sample

FUNCTION_WORDS = frozenset(
    Path(__file__).with_name("function_words.txt").read_text(encoding="utf-8").split()
)
MIN_DOCUMENTS = 3
CONTENT_SHARE = 0.8
MOST_WORDS = 1 << 21  # three words must fit one 64-bit key
LENGTHS = (2, 3)


@dataclass(frozen=True)
class Phrases:
    """Chosen phrases, by length, then key; `words` int64 [n_phrases, 3], -1 after the second."""

    words: np.ndarray
    n_words: int  # words of the text, known or not

    @property
    def lengths(self) -> np.ndarray:
        return 2 + (self.words[:, 2] >= 0)

    def names(self, words: list[str]) -> list[str]:
        """The phrases as a reader types them."""
        return [" ".join(words[i] for i in row if i >= 0) for row in self.words.tolist()]

    def keys(self, length: int) -> tuple[np.ndarray, int]:
        """Ascending keys of the phrases of a length, and the number of the first of them."""
        chosen = np.flatnonzero(self.lengths == length)
        first = int(chosen[0]) if len(chosen) else 0
        return _keys(self.words[chosen, :length], self.n_words), first


def choose_phrases(samples: Sequence[Sample], words: list[str], config: EvidenceConfig) -> Phrases:
    """The phrases of the samples together.

    Raises:
        RuntimeError: the text has more words than a key of three can hold.
    """
    if len(words) >= MOST_WORDS:
        raise RuntimeError(f"{len(words)} words: phrases are made for fewer than {MOST_WORDS}")
    is_function = np.array([word in FUNCTION_WORDS for word in words])
    word_counts = np.sum([np.bincount(s.word, minlength=len(words)) for s in samples], axis=0)
    found = {length: _candidates(samples, len(words), length, config) for length in LENGTHS}
    pairs, pair_counts = found[2]
    rows, counts, scores, is_content = [], [], [], []
    for length, (keys, count) in found.items():
        parts = _words_of(keys, len(words), length)
        if length == 2:
            cuts = [(word_counts[parts[:, 0]], word_counts[parts[:, 1]])]
        else:
            cuts = [
                (_count_of(parts[:, :2], pairs, pair_counts, len(words)), word_counts[parts[:, 2]]),
                (word_counts[parts[:, 0]], _count_of(parts[:, 1:], pairs, pair_counts, len(words))),
            ]
        total = int(word_counts.sum())
        score = np.min([association(count, left, right, total) for left, right in cuts], axis=0)
        kept = ~is_function[parts].all(1)
        rows.append(np.pad(parts, ((0, 0), (0, 3 - length)), constant_values=-1)[kept])
        counts.append(count[kept])
        scores.append(score[kept])
        is_content.append(~is_function[parts[kept, 0]] & ~is_function[parts[kept, -1]])
    chosen = _best(
        np.concatenate(counts),
        np.concatenate(scores),
        np.concatenate(is_content),
        config.most_phrases,
    )
    return Phrases(np.concatenate(rows)[chosen], len(words))


def association(
    together: np.ndarray, left: np.ndarray, right: np.ndarray, total: int
) -> np.ndarray:
    """Log-likelihood ratio G2 of a 2 x 2 table, negative when rarer than by chance.

    `together` times both sides occur in a row, `left` and `right` times each occurs, of `total`.
    """
    table = np.array([together, left - together, right - together], np.float64).clip(0)
    observed = np.concatenate([table, (total - table.sum(0, keepdims=True)).clip(0)])
    a, b, c, d = observed
    n = observed.sum(0)
    expected = np.array(
        [(a + b) * (a + c), (a + b) * (b + d), (a + c) * (c + d), (b + d) * (c + d)]
    )
    expected = expected / n
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(observed > 0, observed * np.log(observed / expected), 0.0)
    return 2 * terms.sum(0) * np.where(a >= expected[0], 1, -1)


def phrase_starts(phrases: Phrases, sample: Sample) -> dict[int, np.ndarray]:
    """For each length the phrase that starts at every occurrence of a word, or -1.

    Occurrences of one phrase do not overlap, from left to right, so "ha ha ha" has one "ha ha".
    """
    result = {}
    for length in LENGTHS:
        keys, first = phrases.keys(length)
        at = np.full(len(sample.word), -1, np.int64)
        start = _starts(sample, length)
        wanted = _keys(sample.word[start[:, None] + np.arange(length)], phrases.n_words)
        place = np.searchsorted(keys, wanted)
        known = place < len(keys)
        known[known] = keys[place[known]] == wanted[known]
        at[start[known]] = place[known] + first
        result[length] = _without_overlap(at, length)
    return result


def _candidates(
    samples: Sequence[Sample], n_words: int, length: int, config: EvidenceConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Ascending keys and counts of all words in a row that occur and spread enough."""
    keys, documents = [], []
    for i, sample in enumerate(samples):
        start = _starts(sample, length)
        keys.append(_keys(sample.word[start[:, None] + np.arange(length)], n_words))
        # parts share no document, even where `documents_of` could not tell two apart
        documents.append(sample.document[start] * len(samples) + i)
    unique, place, counts = np.unique(np.concatenate(keys), return_inverse=True, return_counts=True)
    frequent = np.flatnonzero(counts >= config.min_phrase_count)
    chosen = (counts >= config.min_phrase_count)[place]
    document = np.concatenate(documents)[chosen]
    spread = np.unique(place[chosen] * (document.max(initial=0) + 1) + document)
    n_documents = np.bincount(spread // (document.max(initial=0) + 1), minlength=len(unique))
    frequent = frequent[n_documents[frequent] >= MIN_DOCUMENTS]
    return unique[frequent], counts[frequent]


def _starts(sample: Sample, length: int) -> np.ndarray:
    """Occurrences that `length - 1` others follow."""
    if len(sample.word) < length:
        return np.empty(0, np.int64)
    follows = [sample.follows[i : len(sample.word) - length + 1 + i] for i in range(1, length)]
    return np.flatnonzero(np.logical_and.reduce(follows))


def _keys(rows: np.ndarray, n_words: int) -> np.ndarray:
    key = rows[:, 0].astype(np.int64)
    for column in rows.T[1:]:
        key = key * n_words + column
    return key


def _words_of(keys: np.ndarray, n_words: int, length: int) -> np.ndarray:
    columns = []
    for _ in range(length):
        keys, word = np.divmod(keys, n_words)
        columns.append(word)
    return np.stack(columns[::-1], axis=1)


def _count_of(parts: np.ndarray, pairs: np.ndarray, counts: np.ndarray, n_words: int) -> np.ndarray:
    """Counts of two words; those of a frequent three are as frequent and as far spread."""
    return counts[np.searchsorted(pairs, _keys(parts, n_words))]


def _best(counts: np.ndarray, scores: np.ndarray, is_content: np.ndarray, most: int) -> np.ndarray:
    """Positions of the phrases that are kept, ascending; ties go to the earlier one."""
    content = np.flatnonzero(is_content)
    content = content[np.argsort(-scores[content], kind="stable")][: round(most * CONTENT_SHARE)]
    rest = np.setdiff1d(np.arange(len(counts)), content)
    rest = rest[np.lexsort((-scores[rest], -counts[rest]))][: most - len(content)]
    return np.sort(np.concatenate([content, rest]))


def _without_overlap(at: np.ndarray, length: int) -> np.ndarray:
    near = np.zeros(len(at), bool)
    for step in range(1, length):
        near[step:] |= (at[step:] >= 0) & (at[step:] == at[:-step])
    for i in np.flatnonzero(near):  # few: only words that repeat
        if (at[max(0, i - length + 1) : i] == at[i]).any():
            at[i] = -1
    return at
