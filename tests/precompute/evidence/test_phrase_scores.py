"""A latent is listed under a phrase when the phrase tells more than its words do."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.counting import WordCounts
from precompute.evidence.counts import PhraseCounts
from precompute.evidence.phrase_scores import (
    EXCESS,
    MIN_HITS,
    OWN_SHARE,
    STANDARD_ERRORS,
    expected_recall,
    phrase_scores,
)
from precompute.evidence.phrase_scores import (
    MIN_SCORE as PHRASE_MIN_SCORE,
)
from precompute.evidence.phrases import Phrases
from precompute.terms import MIN_SCORE

RIVER, BANK, SIDE, BY, NEW, YORK, HUDSON = range(7)
WORDS = ["river", "bank", "side", "by", "new", "york", "hudson"]
TOTAL = np.array([100, 200, 90, 400, 300, 40, 50])  # times each word occurs
PHRASES = Phrases(
    np.array([[RIVER, BANK, -1], [NEW, YORK, -1], [SIDE, BY, SIDE], [BY, HUDSON, -1]]), len(WORDS)
)
PHRASE_TOTAL = np.array([20, 40, 30, 40])


def _counts(
    on_words: dict[tuple[int, int], int], on_phrases: dict[tuple[int, int], tuple[int, list[int]]]
) -> tuple[PhraseCounts, WordCounts]:
    """(latent, word) -> firings; (latent, phrase) -> hits, firings at each place; all of 1."""
    word_pairs, phrase_pairs = sorted(on_words), sorted(on_phrases)
    n_latents = 1 + max(latent for latent, _ in word_pairs)
    latent = np.array([pair[0] for pair in word_pairs])
    fired = np.array([on_words[pair] for pair in word_pairs])
    per_latent = np.bincount(latent, fired, minlength=n_latents)
    at_place = np.array([on_phrases[pair][1] for pair in phrase_pairs])
    phrases = PhraseCounts(
        pair_latent=np.array([pair[0] for pair in phrase_pairs]),
        pair_phrase=np.array([pair[1] for pair in phrase_pairs]),
        hit=np.array([on_phrases[pair][0] for pair in phrase_pairs]),
        at_place=at_place,
        pair_sum=at_place.sum(1).astype(float),
        total=PHRASE_TOTAL,
    )
    words = WordCounts(
        pair_latent=latent,
        pair_word=np.array([pair[1] for pair in word_pairs]),
        pair_count=fired,
        pair_sum=fired.astype(float),
        word_total=TOTAL,
        latent_count=per_latent.astype(np.int64),
        latent_sum=per_latent,
    )
    return phrases, words


def _kept(counts: tuple[PhraseCounts, WordCounts]) -> list[tuple[int, int]]:
    scores = phrase_scores(PHRASES, *counts, min_count=4)
    return list(zip(scores.latent.tolist(), scores.word.tolist(), strict=True))


def test_the_edge_of_a_river_is_kept_and_every_bank_is_not():
    # latent 0: the bank of a river, on 18 of the 20 phrases and on 27 of the 180 other banks;
    # latent 1: any bank at all, 19 of 20 and 170 of 180; latent 2: any river, 20 of 20, 76 of 80
    counts = _counts(
        {(0, BANK): 45, (1, BANK): 189, (2, RIVER): 96},
        {(0, 0): (18, [0, 18, 0]), (1, 0): (19, [0, 19, 0]), (2, 0): (20, [20, 0, 0])},
    )
    assert _kept(counts) == [(0, 0)]
    scores = phrase_scores(PHRASES, *counts, min_count=4)
    assert scores.recall[0] == pytest.approx(18 / 20)
    assert scores.precision[0] == pytest.approx(18 / 45)  # of all words that it fires on
    assert scores.score[0] == pytest.approx(2 * 0.4 * 0.9 / 1.3)
    # 40 of the 1,180 words stand in river bank
    assert scores.lift[0] == pytest.approx(0.4 / (40 / TOTAL.sum()))
    assert scores.count[0] == 18
    assert phrase_scores(PHRASES, *counts, min_count=21).count.tolist() == []


def test_words_predict_together_what_they_would_do_apart():
    # on 40 of 80 other rivers and 45 of 180 other banks: 1 - 0.5 * 0.75 of the phrases by chance
    counts = _counts({(0, RIVER): 52, (0, BANK): 55}, {(0, 0): (17, [12, 10, 0])})
    expected = expected_recall(PHRASES, *counts, np.array([0]))
    assert expected.tolist() == [pytest.approx(1 - 0.5 * 0.75)]


def test_a_word_at_two_places_is_taken_out_at_both():
    # side by side 30 times: 60 of the 90 sides; the latent fires on 50 of those and on 6 others
    counts = _counts({(0, SIDE): 56}, {(0, 2): (28, [25, 0, 25])})
    expected = expected_recall(PHRASES, *counts, np.array([0]))
    assert expected.tolist() == [pytest.approx(1 - (1 - 6 / 30) ** 2)]


def test_a_word_that_never_stands_alone_predicts_nothing():
    # all 40 yorks are in new york; the latent fires on half of them
    counts = _counts({(0, YORK): 20, (0, NEW): 0}, {(0, 1): (20, [0, 20, 0])})
    assert expected_recall(PHRASES, *counts, np.array([0])).tolist() == [0.0]
    assert _kept(counts) == [(0, 1)]


def test_a_latent_whose_firings_lie_in_the_phrase_is_kept_though_the_word_alone_has_it_too():
    # 40 of the 50 hudsons are in the phrase. Latent 0 fires on those and on 9 of the 10 others:
    # 100 % against 90 % is not clearly above, but 40 of its 49 firings lie in the phrase;
    # latent 1 fires on 40 sides too, so that 40 of 89 are less than half
    pairs = {(0, HUDSON): 49, (1, SIDE): 40, (1, HUDSON): 49}
    counts = _counts(pairs, {(0, 3): (40, [0, 40, 0]), (1, 3): (40, [0, 40, 0])})
    expected = expected_recall(PHRASES, *counts, np.array([0, 1]))
    assert expected.tolist() == [pytest.approx(0.9)] * 2
    assert 40 / 89 < OWN_SHARE <= 40 / 49
    assert _kept(counts) == [(0, 3)]


def test_a_phrase_may_be_a_small_part_of_what_a_latent_fires_on():
    # 20 of 5,020 firings: F1 = 0.008, far below what a word would need; recall 1 against 0 tells
    assert PHRASE_MIN_SCORE < 0.008 < MIN_SCORE
    counts = _counts({(0, BANK): 20, (0, BY): 5000}, {(0, 0): (20, [0, 20, 0])})
    assert _kept(counts) == [(0, 0)]
    scores = phrase_scores(PHRASES, *counts, min_count=4)
    assert scores.score[0] == pytest.approx(2 / (5020 / 20 + 1))


@pytest.mark.parametrize(
    ("hits", "outside", "kept"),
    [
        (MIN_HITS - 1, 0, False),  # too few to say anything
        (MIN_HITS, 0, True),  # 3 of 20, and never on another bank
        (11, 54, False),  # 55 % against 30 %: 0.25 is below 3 errors of 0.102
        (13, 54, True),  # 65 % against 30 %: 0.35 is above 0.307
    ],
)
def test_recall_must_be_clearly_above_what_the_words_predict(hits, outside, kept):
    assert (MIN_HITS, EXCESS, STANDARD_ERRORS) == (3, 0.1, 3.0)
    # firings on other words keep the share of its own below a half
    pairs = {(0, BANK): hits + outside, (0, SIDE): 20}
    assert _kept(_counts(pairs, {(0, 0): (hits, [0, hits, 0])})) == ([(0, 0)] if kept else [])
