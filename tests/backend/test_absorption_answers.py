"""What the Absorption page says of planted figures, of letters and of classes."""

from __future__ import annotations

import re
from html import unescape

from backend import absorption_answers
from backend.absorption_answers import CONCEPTS
from backend.experiment_figures import Figures
from tests.experimented import curve_rows, measurement_rows
from tests.experimented_rows import figure
from tests.planted import HOSTILE, SMALL, WIDE

LETTERS, CLASSES = CONCEPTS["letters"], CONCEPTS["classes"]
FIGURES = Figures([row for row in measurement_rows() if row["experiment"] == "absorption"])


def words(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_absorption_beyond_shuffled_rows_is_a_yes_with_both_figures() -> None:
    told = words(absorption_answers.answer(FIGURES, WIDE, LETTERS))
    assert told.startswith("Yes, on some words. In sae-32, on 12.0 % (11.0 % to 13.0 %) of 400")
    assert "That is more than the 1.0 % (0.0 % to 2.0 %) with decoder rows shuffled." in told
    assert "A probe knows 20 of 26 letters, with an F1 of 0.90" in told


def test_no_more_than_the_control_is_said_first() -> None:
    """0.03 and 0.02, each within 0.01."""
    told = words(absorption_answers.answer(FIGURES, WIDE, CLASSES))
    assert told.startswith("Not more than by chance. In sae-32, on 3.0 %")
    assert "all main latents of the class are silent" in told


def test_letters_that_a_model_does_not_know_leave_nothing_to_say() -> None:
    rows = [figure("absorption", WIDE, "probe", "letters known", 0, 26)]
    told = absorption_answers.answer(Figures(rows), WIDE, LETTERS)
    assert "of 26, a probe knows 0" in told
    told = absorption_answers.answer(Figures([]), WIDE, CLASSES)
    assert told == "No classes were asked for in sae-32."


def test_widths_compare_the_widest_with_the_smallest() -> None:
    told = words(absorption_answers.widths_answer(FIGURES, {SMALL: 8, WIDE: 32}, LETTERS))
    assert told.startswith("More in wider SAEs. sae-8 1.0 %")
    assert "1 of 2 SAEs absorb clearly more than with shuffled rows" in told
    told = words(absorption_answers.widths_answer(FIGURES, {SMALL: 8, WIDE: 32}, CLASSES))
    assert told.startswith("Not beyond the control at any width.") and "0 of 2 SAEs" in told
    assert absorption_answers.widths_answer(FIGURES, {WIDE: 32}, LETTERS) == ""


def test_meta_latents_are_compared_with_the_hardest_control() -> None:
    """0.4 of absorbing latents, 0.1 of random ones, 0.2 with the other letters' probes."""
    told = words(absorption_answers.carried_answer(FIGURES, WIDE, LETTERS))
    assert told.startswith("Yes. The best component of 12 absorbing latents has a cosine of 0.40")
    assert "of the hardest control (absorbing latents, other letters) 0.20" in told
    assert absorption_answers.carried_answer(FIGURES, SMALL, LETTERS) == ""


def test_one_absorbing_latent_alone_tells_nothing() -> None:
    """A figure that rests on one latent has no interval, however far it is above its control."""
    alone = (("absorbing latents", 0.9, 1), ("latents at random", 0.1, 1))
    rows = [figure("absorption", WIDE, name, LETTERS.cosine, x, n) for name, x, n in alone]
    told = words(absorption_answers.carried_answer(Figures(rows), WIDE, LETTERS))
    assert told.startswith("Too few to tell. The best component of 1 absorbing latent has a cosine")


def test_attribution_splits_and_kinds() -> None:
    told = words(absorption_answers.attribution_answer(FIGURES, WIDE))
    assert told.startswith("Yes. By effects on the answer 8.0 %") and "rows 0.0 %" in told
    assert absorption_answers.attribution_answer(Figures([]), WIDE) == ""
    assert "1.50 [1.30, 1.70] latents beyond its first" in words(
        absorption_answers.splits_answer(FIGURES, WIDE, LETTERS)
    )
    settings = ("classes: absorbing latents", "classes: sub-classes shuffled")
    alike = FIGURES.of(WIDE, absorption_answers.SAME_KIND, settings)
    assert words(absorption_answers.kinds_answer(*alike)).startswith("Yes. 60.0 %")


def test_single_concepts_come_highest_first_without_those_of_the_other_kind() -> None:
    points = [row for row in curve_rows() if row["metric"] == "full absorption by concept"]
    own = [row for row in points if row["subject"] == WIDE]
    found = absorption_answers.by_concept(own, LETTERS)
    assert [(row["name"], row["value"]) for row in found] == [(HOSTILE[0], 0.2), ("a", 0.1)]
    assert [row["name"] for row in absorption_answers.by_concept(own, CLASSES)] == ["city"]


def test_what_a_model_tells_comes_first() -> None:
    assert absorption_answers.held_concepts(FIGURES, WIDE) == ["letters", "classes"]
    rows = [row for row in FIGURES.rows if row["setting"] != "latents"]
    assert absorption_answers.held_concepts(Figures(rows), WIDE) == ["classes", "letters"]
    assert absorption_answers.held_concepts(Figures([]), WIDE) == []
