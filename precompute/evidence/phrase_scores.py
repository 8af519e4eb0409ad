"""Which latents stand for a phrase, and not only for one of its words.

Precision, recall, F1 and lift are those of `precompute/terms.py`, in words: precision is the share
of the latent's word firings that lie inside the phrase, recall the share of the phrase's
occurrences on which it fires at all. Every latent of "bank" fires inside "river bank" too, so a
pair is kept only if

1. the latent fires on the phrase at least `MIN_HITS` times, and
2. the phrase tells more than its words: either recall is clearly above what the words alone
   predict, 1 - product over the words of (1 - recall on that word outside the phrase), that is by
   `EXCESS` and by `STANDARD_ERRORS` of a share of that size over the phrase's occurrences; or at
   least `OWN_SHARE` of the latent's firings lie inside the phrase ("york" is all "new york").

A word that never stands outside the phrase predicts nothing: its recall there counts as 0.
Precision on a phrase that occurs ten times is small for every latent that fires a thousand times,
so these rules, and not a score, keep chance out; a score only ends the tail.
"""

from __future__ import annotations

import numpy as np

from precompute.counting import WordCounts
from precompute.evidence.counts import PhraseCounts
from precompute.evidence.phrases import Phrases
from precompute.terms import TermScores, score_pairs

MIN_SCORE = 0.004
MIN_HITS = 3
EXCESS = 0.1
STANDARD_ERRORS = 3.0
OWN_SHARE = 0.5


def phrase_scores(
    phrases: Phrases, counts: PhraseCounts, words: WordCounts, min_count: int
) -> TermScores:
    """The kept pairs, by latent, best first; `words` are counted on the same text."""
    firings = WordCounts(
        pair_latent=counts.pair_latent,
        pair_word=counts.pair_phrase,
        pair_count=counts.at_place.sum(1, dtype=np.int64),
        pair_sum=counts.pair_sum,
        word_total=counts.total,
        latent_count=words.latent_count,
        latent_sum=words.latent_sum,
    )
    scores, pair = score_pairs(
        firings,
        counts.hit,
        phrases.lengths * counts.total,
        int(words.word_total.sum()),
        min_count,
        MIN_SCORE,
    )
    expected = expected_recall(phrases, counts, words, pair)
    error = np.sqrt(expected * (1 - expected) / counts.total[scores.word])
    excess = scores.recall - expected
    tells_more = (excess >= EXCESS) & (excess >= STANDARD_ERRORS * error)
    kept = (scores.count >= MIN_HITS) & (tells_more | (scores.precision >= OWN_SHARE))
    return TermScores(*(column[kept] for column in vars(scores).values()))


def expected_recall(
    phrases: Phrases, counts: PhraseCounts, words: WordCounts, pair: np.ndarray
) -> np.ndarray:
    """What the words outside the phrase predict for the chosen pairs, [n_chosen] in 0 to 1."""
    latent, phrase = counts.pair_latent[pair], counts.pair_phrase[pair]
    own_words, at_place = phrases.words[phrase], counts.at_place[pair]
    silent = np.ones(len(pair))
    for place in range(own_words.shape[1]):
        word = own_words[:, place]
        same = own_words == word[:, None]  # "side by side" has one word at two places
        inside = (at_place * same).sum(1)
        fired = _firings_on(words, latent, word, phrases.n_words) - inside
        outside = words.word_total[word] - same.sum(1) * counts.total[phrase]
        recall = np.divide(fired, outside, out=np.zeros(len(pair)), where=outside > 0)
        silent *= np.where(word >= 0, 1 - recall, 1.0)
    return 1 - silent


def _firings_on(
    words: WordCounts, latent: np.ndarray, word: np.ndarray, n_words: int
) -> np.ndarray:
    """`pair_count` of any (latent, word); 0 for pairs that never occur."""
    keys = words.pair_latent * n_words + words.pair_word
    wanted = latent * n_words + word
    place = np.searchsorted(keys, wanted)
    place[place == len(keys)] = 0
    return np.where(keys[place] == wanted, words.pair_count[place], 0)
