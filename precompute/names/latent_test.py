"""Does a latent's name alone say on which words it fires? Judged on text no name was made from.

Members are the occurrences of words on which the latent fires, non-members all other occurrences.

- Accuracy: balanced accuracy of the rule "the word is one that the name calls".
- AUC: with a graded score, how much nearer in meaning the word is to the name's nearest word than
  to the words of all names on average ("the" is near to all of them), and most for that word
  itself. A spelling has no degrees: its AUC is that of the rule.

Nearness is counted in `BINS` steps; within a step words tie.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from precompute.counting import WordCounts
from precompute.names.latent_names import LatentNames
from precompute.names.profiles import Lexicon

BINS = 1024
LABELS_AT_ONCE = 256


@dataclass(frozen=True)
class LatentTest:
    """Figures by latent, NaN where there is no test; `shuffled` by other latents' names.

    Shapes: `n` int64 [n_latents] members; `accuracy`, `auc` and their shuffled twins float64
    [n_latents].
    """

    n: np.ndarray
    accuracy: np.ndarray
    auc: np.ndarray
    shuffled_accuracy: np.ndarray
    shuffled_auc: np.ndarray


def judge_latents(
    names: LatentNames,
    counts: WordCounts,
    lexicon: Lexicon,
    min_tests: int,
    shuffles: int,
    seed: int,
) -> LatentTest:
    """Judge every latent that has a name and enough members, by its own and by others' names.

    Args:
        counts: of the test part.
        lexicon: of the words that `counts` numbers.
    """
    n = len(names.labels)
    members = counts.latent_count
    has_name = np.array([len(words) > 0 for words in names.words])
    judged = np.flatnonzero(has_name & names.is_tested & (members >= min_tests))
    starts = np.searchsorted(counts.pair_latent, np.arange(n + 1))
    judges = _derangements(judged, shuffles, seed)
    seen = np.flatnonzero(counts.word_total)
    place = np.full(len(counts.word_total), -1)
    place[seen] = np.arange(len(seen))
    total, pair_word = counts.word_total[seen], place[counts.pair_word]
    n_all = int(total.sum())
    nearness = _Nearness.of(lexicon, [names.terms[i] for i in judged], seen)
    figures = np.full((2, 1 + len(judges), n), np.nan)  # accuracy and AUC; first by its own name
    # names that begin with the same word come together, so that words are compared once
    by_word = np.argsort([names.words[i][0] for i in judged], kind="stable")
    for start in range(0, len(judged), LABELS_AT_ONCE):
        block = by_word[start : start + LABELS_AT_ONCE]
        steps = nearness.steps([names.terms[judged[i]] for i in block], place) if nearness else None
        for i, number in enumerate(block):
            label = judged[number]
            is_called = np.zeros(len(seen), bool)
            called = place[names.words[label]]
            is_called[called[called >= 0]] = True
            grade = is_called.astype(np.int64)
            if steps is not None and len(names.terms[label]):
                grade = steps[i].astype(np.int64)
            everyone = np.bincount(grade, total, minlength=BINS + 1)
            n_called = int(total[is_called].sum())
            for way, latent in enumerate((label, *judges[:, number])):
                pairs = slice(starts[latent], starts[latent + 1])
                word, count = pair_word[pairs], counts.pair_count[pairs]
                hits = int(count[is_called[word]].sum())
                own = np.bincount(grade[word], count, minlength=BINS + 1)
                figures[0, way, latent] = _accuracy(hits, int(members[latent]), n_called, n_all)
                figures[1, way, latent] = _auc(own, everyone - own)
    shuffled = np.full((2, n), np.nan)
    if len(judges):
        shuffled[:, judged] = figures[:, 1:, judged].mean(1)
    tested = np.zeros(n, np.int64)
    tested[judged] = members[judged]
    return LatentTest(tested, figures[0, 0], figures[1, 0], shuffled[0], shuffled[1])


@dataclass(frozen=True)
class _Nearness:
    """Embeddings of all words, of those seen float32 [n_seen, d], and the mean of names [d]."""

    lexicon: Lexicon
    seen: np.ndarray
    mean_name: np.ndarray

    @classmethod
    def of(cls, lexicon: Lexicon, terms: list[np.ndarray], seen: np.ndarray) -> _Nearness | None:
        spelled_out = [own for own in terms if len(own)]
        if lexicon.vectors is None or not spelled_out:
            return None
        mean = np.mean([lexicon.embeddings(own).mean(0) for own in spelled_out], axis=0)
        return cls(lexicon, lexicon.embeddings(seen), mean)

    def steps(self, terms: list[np.ndarray], place: np.ndarray) -> np.ndarray:
        """int16 [n_names, n_seen]: 0 to `BINS`, for a name's own words `BINS`.

        Args:
            place: where each word is among those seen, or -1.
        """
        distinct = np.unique(np.concatenate(terms))
        nearness = (self.lexicon.embeddings(distinct) - self.mean_name) @ self.seen.T
        nearness += 1
        nearness /= 2
        np.clip(nearness, 0, 1, out=nearness)
        nearness *= BINS - 1
        of_word = nearness.astype(
            np.int16
        )  # steps keep the order, so the nearest word's is highest
        result = np.zeros((len(terms), len(self.seen)), np.int16)
        for i, own in enumerate(terms):
            if len(own):
                of_word[np.searchsorted(distinct, own)].max(0, out=result[i])
                here = place[own]
                result[i, here[here >= 0]] = BINS
        return result


def _accuracy(hits: int, n_members: int, n_called: int, n_all: int) -> float:
    alarms = n_called - hits
    return (hits / n_members + 1 - alarms / max(n_all - n_members, 1)) / 2


def _auc(members: np.ndarray, others: np.ndarray) -> float:
    """Of two histograms over the same steps; equal steps count half."""
    below = np.cumsum(others) - others
    pairs = members.sum() * others.sum()
    return float((members * (below + others / 2)).sum() / pairs) if pairs > 0 else np.nan


def _derangements(latents: np.ndarray, n: int, seed: int) -> np.ndarray:
    """int64 [n, n_latents]: each row deals the latents to each other, none to itself.

    Each is a shift of one random order, by steps that differ, so no two rows are alike; of few
    latents there are fewer rows, of one there is none.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(latents))
    place = np.argsort(order)
    steps = rng.permutation(np.arange(1, len(latents)))[:n]
    rows = [latents[order[(place + step) % len(latents)]] for step in steps]
    return np.array(rows, np.int64).reshape(len(rows), len(latents))
