"""Scores of edits whose outcome is written down by hand."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.experiments.edits.scoring import Replies, scores

TARGET = 1


def _replies(is_other: list[bool], is_own: list[bool], is_asked: list[bool]) -> Replies:
    """One edit and four attributes."""
    rows = [np.array([row]) for row in (is_asked, is_own, is_other)]
    own, other = np.array([[-1.0, -2.0, -3.0, np.nan]]), np.array([[-5.0, -2.5, -4.0, np.nan]])
    return Replies(*rows, own=own, other=other)


ASKED = [True, True, True, False]  # the fourth is the same for both entities


@pytest.mark.parametrize(
    ("is_other", "is_own", "expected"),
    [
        pytest.param([False, True, False], [True, False, True], (1, 1, 1), id="perfect"),
        pytest.param([False, False, False], [True, True, True], (0, 1, 0.5), id="nothing"),
        pytest.param([True, True, True], [False, False, False], (1, 0, 0.5), id="all turned"),
        pytest.param([False, True, False], [True, False, False], (1, 0.5, 0.75), id="one spilt"),
        pytest.param([False, False, False], [False, False, False], (0, 0, 0), id="broken"),
    ],
)
def test_an_edit_has_the_scores_of_its_outcome(is_other, is_own, expected):
    replies = _replies([*is_other, False], [*is_own, False], ASKED)
    found = scores(replies, np.array([TARGET]))
    assert (found.cause[0], found.isolate[0], found.disentangle[0]) == expected


def test_what_was_not_asked_counts_nowhere():
    """Two others are asked about; a right answer to the fourth question changes nothing."""
    replies = _replies([False] * 4, [True, True, False, True], ASKED)
    found = scores(replies, np.array([TARGET]))
    assert (found.n_kept[0], found.n_others[0]) == (1, 2)


def test_log_odds_are_the_others_answer_over_the_own():
    """Target: -2.5 - (-2). Elsewhere: the mean of -5 - (-1) and -4 - (-3)."""
    found = scores(_replies([False] * 4, [True] * 4, ASKED), np.array([TARGET]))
    assert found.odds[0] == pytest.approx(-0.5)
    assert found.odds_elsewhere[0] == pytest.approx(-2.5)
