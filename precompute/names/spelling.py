"""What the words of a meta-latent's members look like alike: an affix, numbers, rare words.

Every pattern is ranked as words are in `meaning.py`, by the share of a latent's words that match.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from precompute.names.choosing import Half, MetaName, OwnMembers
from precompute.names.patterns import MIN_WORDS, Patterns, number_range, number_value, spread
from precompute.terms import Label

MIN_STEMS = 4.0
PATTERNS_TRIED = 8  # m-, mo-, mon- and mono- may all fit
NUMBER_SHARE = 0.4  # of the members' weight, before the range of their numbers is a pattern
RANGE_SHARES = (0.7, 0.85, 1.0)  # of the numbers' weight that a range may hold
RANGE_SLACK = 0.05  # a range says more than "numbers", so it may be this much less accurate


def spelling_names(half: Half, patterns: Patterns) -> list[MetaName | None]:
    """The best pattern of each meta-latent, or None where no pattern holds for enough words.

    Args:
        patterns: over the words of the profiles.
    """
    n_meta = half.weights.shape[0]
    if not len(half.latents):
        return [None] * n_meta
    shares = (half.shares @ patterns.matches).tocsc()
    aucs = half.weighted_aucs(lambda part: shares[:, part].toarray(), len(patterns.texts))
    values = [number_value(word) for word in half.profiles.words]
    result: list[MetaName | None] = []
    for i in range(n_meta):
        members = half.members(i)
        found = [
            replace(
                half.by_words(_label(patterns.texts[pattern]), matches, members.is_member),
                is_ending=bool(patterns.affix[pattern] < 0),
            )
            for pattern, matches in _shared(members, patterns, aucs[i])
        ]
        best = max(found, key=lambda name: name.fit, default=None)
        ranges = [half.by_words(*one, members.is_member) for one in _ranges(members, values)]
        narrow = max(ranges, key=lambda name: name.fit, default=None)
        if narrow is not None and (best is None or narrow.fit >= best.fit - RANGE_SLACK):
            best = narrow
        result.append(best)
    return result


def _label(text: str) -> Label:
    return Label(text, "spelling", None, "spelling")


def _shared(
    members: OwnMembers, patterns: Patterns, aucs: np.ndarray
) -> list[tuple[int, np.ndarray]]:
    """The best few patterns that hold for enough words of several stems, with what they match."""
    found = []
    for pattern in np.argsort(-aucs, kind="stable")[:PATTERNS_TRIED].tolist():
        matches = patterns.words(pattern)
        fits = np.isin(members.best, matches)
        own = [word for word, fit in zip(members.words, fits, strict=True) if fit]
        stems = spread(own, members.weights[fits], int(patterns.affix[pattern]))
        if len(set(own)) >= MIN_WORDS and stems >= MIN_STEMS:
            found.append((pattern, matches))
    return found


def _ranges(members: OwnMembers, values: list[int | None]) -> list[tuple[Label, np.ndarray]]:
    """The ranges that the members' numbers lie in, where many members are numbers."""
    numeric = np.array([values[word] is not None for word in members.best], bool)
    if members.weights[numeric].sum() < NUMBER_SHARE * members.weights.sum():
        return []
    found = {number_range(members.words, members.weights, share) for share in RANGE_SHARES}
    result = []
    for text, low, high in sorted(one for one in found if one is not None):
        matches = [i for i, v in enumerate(values) if v is not None and low <= v <= high]
        result.append((_label(text), np.array(matches, np.int64)))
    return result
