"""What the Errors page says of planted figures: effects, controls as large, nothing at all."""

from __future__ import annotations

import re
from html import unescape

import pytest

from backend import error_answers
from backend.experiment_figures import Figures
from tests.experimented import encoder_rows, measurement_rows
from tests.experimented_rows import figure, point
from tests.planted import HOSTILE, SMALL, WIDE

ROWS = [row for row in measurement_rows() if row["experiment"] == "errors"]
FIGURES = Figures(ROWS)


def words(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def with_sae(ratio: float, half: float, fair: float = 0.5) -> Figures:
    """An SAE of this ratio, and one fair control."""
    names = (("SAE", ratio, half), ("like errors", fair, 0.1))
    rows = [figure("errors", WIDE, name, "kl over eps-random", v, 9, h) for name, v, h in names]
    return Figures([*rows, figure("errors", WIDE, "SAE", "kl", 0.1, 9)])


def test_a_control_as_large_is_said_in_the_first_words() -> None:
    """4.0 in [3.7, 4.3] and another's error 3.8 in [3.5, 4.1] overlap."""
    told = words(error_answers.answer(FIGURES, WIDE))
    assert told.startswith(
        "Only against random directions: a fair control is as bad. The errors of sae-32 cost 4.00 "
        "[3.70, 4.30] times the KL of eps-random"
    )
    assert "not clearly different from the hardest control, another's error: 3.80" in told


def test_an_effect_beyond_every_control_is_a_yes() -> None:
    told = words(error_answers.answer(FIGURES, SMALL))
    assert told.startswith("Yes, against every control. The errors of sae-8 cost 2.00")
    assert "more than the hardest control, like" in told


def test_layers_are_counted_against_both_kinds_of_control() -> None:
    """Layer 1 beats the controls, as sae-8 does; at layers 2 and 10 a fair one is as large."""
    rows = [row for row in measurement_rows() if row["experiment"] == "errors by layer"]
    told = words(error_answers.layers_answer(rows, "kl"))
    assert "At 3 of 3 layers the SAE's errors cost clearly more than eps-random" in told
    assert "at 1 of 3 clearly more than the hardest fair control" in told
    assert "from 2.00 times (layer 1) to 4.00 times (layer 2)" in told
    assert error_answers.layers_answer([], "kl") == ""


@pytest.mark.parametrize(
    ("ratio", "half", "fair", "head"),
    [
        (1.1, 0.2, 0.5, "Not clearly."),  # 0.9 to 1.3 holds 1
        (0.5, 0.2, 0.5, "No: they hurt less."),
        (2.0, 0.2, 5.0, "Only against random directions."),  # the control is clearly worse
    ],
)
def test_an_absent_effect_is_said(ratio: float, half: float, fair: float, head: str) -> None:
    assert words(error_answers.answer(with_sae(ratio, half, fair), WIDE)).startswith(head)


def test_an_encoder_is_judged_by_its_embeddings() -> None:
    figures = Figures(encoder_rows(ROWS))
    assert error_answers.cost_of(figures, WIDE) == "embedding distance"
    assert "4.00 [3.70, 4.30] times the embedding distance" in words(
        error_answers.answer(figures, WIDE)
    )
    assert error_answers.deviations_answer(figures, WIDE) == ""


def test_widths_count_saes_against_both_kinds_of_control() -> None:
    told = words(error_answers.widths_answer(FIGURES, {SMALL: 8, WIDE: 32}))
    assert told.startswith("The errors of 2 of 2 SAEs cost clearly more than eps-random")
    assert "those of 1 of 2 clearly more than the hardest fair control" in told
    assert error_answers.widths_answer(Figures([]), {SMALL: 8}) == ""


@pytest.mark.parametrize(
    ("ratios", "told"),
    [
        ((3.0, 2.0, 1.05), "at that token and the next 1:"),  # 1.05 less 0.1 is below 1
        ((3.0, 2.0, 1.5), "at all 3 tokens that were watched"),
        ((3.0, 1.0, 3.0), "at that token only"),
        ((1.0, 3.0, 3.0), "Not there."),
    ],
)
def test_how_long_a_change_is_felt(ratios: tuple[float, ...], told: str) -> None:
    points = [point("errors", WIDE, "SAE", "kl", i, i, r, 0.1) for i, r in enumerate(ratios)]
    assert told in words(error_answers.after_answer(points))
    assert error_answers.after_answer([]) == ""


def test_tokens_are_escaped_and_those_that_are_not_clear_are_not_named() -> None:
    points = [
        point("errors", WIDE, HOSTILE[0], "excess", 0, 0, 0.3, 0.1),
        point("errors", WIDE, "bank", "excess", 1, 1, 0.05, 0.1),
    ]
    told = error_answers.tokens_answer(points, 20)
    assert "<script" not in told and HOSTILE[0] in words(told)
    assert "On 1 of the 2 tokens" in told and "bank" not in told
    assert error_answers.tokens_answer([], 20) == "No token occurs 20 times, so none is named."
    assert "not clear" not in error_answers.tokens_answer(points[1:], 20)
    assert "On no token" in error_answers.tokens_answer(points[1:], 20)


def test_single_tokens_are_told_with_their_share_and_its_interval() -> None:
    told = words(error_answers.deviations_answer(FIGURES, WIDE))
    assert told.startswith("At 25.0 % of 4 tokens, interval 5.0 % to 45.0 % the SAE's error")
    assert "the median token lies 0.75 standard deviations above" in told
