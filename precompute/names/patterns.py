"""How words look: their beginnings, endings, digits, and the pieces a tokenizer cuts them into.

Words of a run are lower-cased when they are counted (`precompute/text.py`), and the shipped model
sees no capitals, so capital letters are not among the patterns.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

AFFIX_LENGTHS = (1, 2, 3, 4)
MIN_WORDS = 5  # that share a pattern before it is one
STEM_LETTERS = 1  # beyond the affix: words that agree in these too are one word's forms
SEVERAL_PIECES, MANY_PIECES = 1.5, 2.5  # mean pieces of a word, rounded
YEARS = (1000, 2100)
MOST_YEARS = 300
WIDEST_RANGE = 30.0  # a range whose end is more than this times its start says little

_NUMBER = re.compile(r"(\d{1,9})(s|st|nd|rd|th)?")


@dataclass(frozen=True)
class Patterns:
    """Spelling patterns over a list of words.

    Attributes:
        texts: what a reader sees, e.g. "words in e-".
        matches: 0 or 1, csc [n_words, n_patterns].
        affix: int [n_patterns], letters of a beginning, minus those of an ending, 0 for others.
    """

    texts: list[str]
    matches: Any
    affix: np.ndarray

    def words(self, pattern: int) -> np.ndarray:
        """int64: numbers of the words that have it."""
        start, end = self.matches.indptr[pattern : pattern + 2]
        return self.matches.indices[start:end].astype(np.int64)


def spelling_patterns(words: list[str], pieces: np.ndarray) -> Patterns:
    """Every pattern that at least `MIN_WORDS` of the words share.

    Args:
        pieces: mean number of tokens of each word.
    """
    found: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for i, word in enumerate(words):
        for text, affix in _patterns_of(word, pieces[i]):
            found[text, affix].append(i)
    kept = {key: rows for key, rows in found.items() if len(rows) >= MIN_WORDS}
    rows = np.concatenate([np.asarray(r) for r in kept.values()]) if kept else np.zeros(0, np.int64)
    columns = np.repeat(np.arange(len(kept)), [len(r) for r in kept.values()])
    shape = (len(words), len(kept))
    return Patterns(
        texts=[text for text, _ in kept],
        matches=sparse.csc_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape),
        affix=np.array([affix for _, affix in kept], np.int64),
    )


def _patterns_of(word: str, pieces: float) -> list[tuple[str, int]]:
    found = []
    if word.isalpha():
        for n in AFFIX_LENGTHS:
            if len(word) > n:
                found.append((f"words in {word[:n]}-", n))
            if len(word) > n + 1:
                found.append((f"words ending in -{word[-n:]}", -n))
    if len(word) == 1 and word.isalpha():
        found.append(("single letters", 0))
    if any(map(str.isdigit, word)):
        found.append(("numbers" if word.isdigit() else "words with digits", 0))
    if not word.isalnum():
        found.append(("words with signs", 0))
    if pieces >= SEVERAL_PIECES:
        found.append(("words cut into pieces", 0))
    if pieces >= MANY_PIECES:
        found.append(("words cut into three or more pieces", 0))
    return found


def spread(words: list[str], weights: np.ndarray, affix: int) -> float:
    """How many stems share the weight of words with one affix: (sum w)^2 / sum w^2 over stems.

    "murder, murders, murdered" all begin with "murd-", but go on alike: one stem, no spelling.
    """
    stems: defaultdict[str, float] = defaultdict(float)
    for word, weight in zip(words, weights.tolist(), strict=True):
        if affix > 0:
            word = word[: affix + STEM_LETTERS]
        elif affix < 0:
            word = word[affix - STEM_LETTERS :]
        stems[word] += weight
    total = np.array(list(stems.values()))
    return float(total.sum() ** 2 / (total**2).sum()) if len(total) else 0.0


def number_range(
    words: list[str], weights: np.ndarray, share: float
) -> tuple[str, int, int] | None:
    """The narrowest range, by ratio, that holds this share of the weight of the words' numbers.

    Returns:
        A text such as "years 1882 to 1895" or "numbers 100 to 150", and both ends; None when the
        words hold too few numbers, or numbers of every size.
    """
    valued = [(number_value(word), w) for word, w in zip(words, weights.tolist(), strict=True)]
    known = sorted((value, w) for value, w in valued if value is not None)
    if len({value for value, _ in known}) < MIN_WORDS:
        return None
    values = np.array([value for value, _ in known])
    held = np.concatenate([[0.0], np.cumsum([w for _, w in known])])
    first = np.arange(len(values))
    last = np.searchsorted(held, held[:-1] + share * held[-1] - 1e-9) - 1
    fits = last < len(values)
    first, last = first[fits], last[fits]
    narrowest = int(np.argmin((values[last] + 1) / (values[first] + 1)))
    low, high = int(values[first[narrowest]]), int(values[last[narrowest]])
    if low == high or high > WIDEST_RANGE * max(low, 1):
        return None
    are_years = YEARS[0] <= low and high < YEARS[1] and high - low <= MOST_YEARS
    return f"{'years' if are_years else 'numbers'} {low} to {high}", low, high


def number_value(word: str) -> int | None:
    """What a numeral stands for: 1890 for "1890" and "1890s", 15 for "15th"; None for others."""
    found = _NUMBER.fullmatch(word)
    return int(found[1]) if found else None
