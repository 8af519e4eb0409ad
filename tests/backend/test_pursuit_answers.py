"""What the Pursuit page says of planted figures."""

from __future__ import annotations

import re
from html import unescape

from backend import pursuit_answers
from backend.experiment_figures import Figures
from tests.experimented import encoder_rows, measurement_rows
from tests.experimented_rows import figure
from tests.planted import SMALL, WIDE

ROWS = [row for row in measurement_rows() if row["experiment"] == "pursuit"]
FIGURES = Figures(ROWS)


def words(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_a_gain_is_told_with_its_part_of_the_loss_and_its_control() -> None:
    """The encoder loses 0.2; matching pursuit gives back 0.06 of it, refitting alone 0.02."""
    told = words(pursuit_answers.answer(FIGURES, WIDE))
    assert told.startswith("In part. On the directions of sae-32 the better search, matching")
    assert "0.060 [0.055, 0.065] of the loss beyond the encoder's 0.800" in told
    assert "That is 30.0 % of what the encoder loses" in told
    assert "(encoder, refitted): 0.020 [0.015, 0.025], 33.3 % of the gain." in told


def test_no_gain_is_a_plain_answer() -> None:
    """0.001 in [-0.004, 0.006]."""
    told = words(pursuit_answers.answer(FIGURES, SMALL))
    assert told.startswith("Not clearly. On the directions of sae-8")
    assert "of what the encoder loses" not in told


def test_a_search_that_is_worse_is_a_no() -> None:
    rows = [row for row in ROWS if row["subject"] == SMALL and row["setting"] != "matching pursuit"]
    told = words(pursuit_answers.answer(Figures(rows), SMALL))
    assert told.startswith("No. On the directions of sae-8 the better search, gradient pursuit")
    assert "gives back less than the encoder" in told


def test_more_variance_without_more_effect_is_pointed_out() -> None:
    rows = [
        figure("pursuit", WIDE, "encoder", "loss recovered", 0.9, 9),
        figure("pursuit", WIDE, "encoder", "variance explained", 0.7, 9),
        figure("pursuit", WIDE, "matching pursuit", "variance explained", 0.8, 9),
        figure("pursuit", WIDE, "matching pursuit", "gain over the encoder", -0.02, 9, 0.01),
    ]
    told = words(pursuit_answers.answer(Figures(rows), WIDE))
    assert "it rebuilds more without helping the model more" in told


def test_an_encoder_is_judged_by_its_embeddings() -> None:
    figures = Figures(encoder_rows(ROWS))
    assert pursuit_answers.effect_of(figures, WIDE) == "embedding recovered"
    assert "of the embedding beyond" in words(pursuit_answers.answer(figures, WIDE))


def test_widths_count_gains_and_losses() -> None:
    told = pursuit_answers.widths_answer(FIGURES, {SMALL: 8, WIDE: 32})
    assert "clearly more than the encoder in 1 of 2 SAEs and clearly less in 0" in told
    assert pursuit_answers.widths_answer(Figures([]), {SMALL: 8}) == ""


def test_nothing_searched_is_said() -> None:
    assert pursuit_answers.answer(Figures([]), WIDE) == (
        "No search over this SAE's directions was made."
    )
