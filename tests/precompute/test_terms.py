"""Which words a latent stands for: a case worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.counting import WordCounts
from precompute.terms import (
    NO_LABEL,
    Label,
    TermScores,
    label_of,
    score_terms,
    top_terms,
)
from precompute.unsuitable import may_name

WORDS = ["einstein", "bohr", "the", "rare"]
TOTALS = [10, 5, 80, 5]


@pytest.fixture
def counts() -> WordCounts:
    """Latent 0 fires on 8 of 10 einstein (sum 40) and on 2 of 80 the (sum 1); latent 1 on 5 bohr.

    Latent 2 never fires; latent 3 fires on 2 of the 5 rare (sum 3).
    """
    return WordCounts(
        pair_latent=np.array([0, 0, 1, 3]),
        pair_word=np.array([0, 2, 1, 3]),
        pair_count=np.array([8, 2, 5, 2]),
        pair_sum=np.array([40.0, 1.0, 10.0, 3.0]),
        word_total=np.array(TOTALS),
        latent_count=np.array([10, 5, 0, 2]),
        latent_sum=np.array([41.0, 10.0, 0.0, 3.0]),
    )


def _columns(scores: TermScores) -> list[tuple[int, int]]:
    return list(zip(scores.latent.tolist(), scores.word.tolist(), strict=True))


def test_scores_are_worked_out_from_counts(counts):
    scores = score_terms(counts, min_term_count=5)
    assert _columns(scores) == [(0, 0), (0, 2), (1, 1), (3, 3)]
    assert scores.precision[0] == pytest.approx(0.8)  # 8 of 10 firings
    assert scores.recall[0] == pytest.approx(0.8)  # 8 of 10 einsteins
    # weighted precision 40 / 41, so F1 = 2 * 0.9756 * 0.8 / 1.7756
    assert scores.score[0] == pytest.approx(2 * (40 / 41) * 0.8 / (40 / 41 + 0.8))
    assert scores.lift[0] == pytest.approx(0.8 / (10 / 100))  # 10 of the 100 words are einstein
    assert scores.score[2] == pytest.approx(1.0)
    assert scores.count.tolist() == [8, 2, 5, 2]


def test_a_stray_weak_firing_hardly_counts(counts):
    scores = score_terms(counts, min_term_count=5)
    # the: precision 0.2 by firings, 1 / 41 by weight; recall 2 / 80
    assert scores.precision[1] == pytest.approx(0.2)
    assert scores.score[1] == pytest.approx(2 / (41 + 40))  # harmonic mean of 1/41 and 1/40


def test_rare_words_and_noise_are_left_out(counts):
    assert _columns(score_terms(counts, min_term_count=6)) == [(0, 0), (0, 2)]
    counts.pair_sum[1] = 0.1  # the: F1 falls below 0.02
    assert _columns(score_terms(counts, min_term_count=6)) == [(0, 0)]


def test_top_terms_are_the_best_of_each_latent_and_empty_for_the_silent(counts):
    scores = score_terms(counts, min_term_count=5)
    rows = top_terms(scores, WORDS, n_latents=4, n_terms=1)
    assert [[row["term"] for row in own] for own in rows] == [["einstein"], ["bohr"], [], ["rare"]]
    assert rows[0][0]["count"] == 8
    both = top_terms(scores, WORDS, n_latents=4, n_terms=2)[0]
    assert [row["term"] for row in both] == ["einstein", "the"]


@pytest.mark.parametrize(
    ("scores", "label"),
    [
        ([], Label("", "none", None)),
        ([0.5, 0.4], Label("a", "term", 0.5, "word")),
        ([0.49, 0.4, 0.3, 0.2], Label("a, b, c", "terms", 0.49, "word")),
        ([0.4, 0.1, 0.09], Label("a, b", "terms", 0.4, "word")),  # c: below a quarter of a's 0.4
        ([0.1], Label("a", "terms", 0.1, "word")),
    ],
)
def test_a_label_is_one_word_when_it_fits_else_the_three_best(scores, label):
    terms = [{"term": name, "score": score} for name, score in zip("abcd", scores, strict=False)]
    assert label_of(terms) == label


def test_a_word_unfit_for_a_page_gives_its_place_to_the_next(monkeypatch) -> None:
    monkeypatch.setattr("precompute.terms.may_name", lambda word: word != "rude")
    terms = [
        {"term": "rude", "score": 0.9},
        {"term": "mild", "score": 0.6},
        {"term": "soft", "score": 0.5},
    ]
    assert label_of(terms) == Label("mild", "term", 0.6, "word")
    assert label_of(terms[:1]) == NO_LABEL


def test_unfit_words_are_known_by_their_hash_alone() -> None:
    word = "".join(chr(code) for code in (102, 117, 99, 107))
    assert not may_name(word)
    assert not may_name(word.upper())
    assert may_name("finch")
