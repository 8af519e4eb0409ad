"""What the pages of experiments ask of the planted run."""

from __future__ import annotations

import pytest

from backend import experiments
from backend.store import Run
from tests.experimented import ERRORS, HOSTILE_TOKEN, N_POSITIONS
from tests.experimented_edits import CITIES
from tests.planted import META, SMALL, WIDE


def test_made_names_the_experiments_in_the_order_of_the_pages(run: Run) -> None:
    assert tuple(experiments.made(run)) == experiments.EXPERIMENTS


def test_figures_are_those_of_one_experiment_and_subject(run: Run) -> None:
    rows = experiments.figures(run, "errors", WIDE)
    assert {(row["experiment"], row["subject"]) for row in rows} == {("errors", WIDE)}
    # KL, CE rise, both ratios, distance, norm ratio and cosine; the clean CE and two of draws
    assert len(rows) == 7 * len(ERRORS) + 3
    assert {row["subject"] for row in experiments.figures(run, "errors")} == {SMALL, WIDE}


def test_curves_come_line_by_line_in_order_of_their_steps(run: Run) -> None:
    rows = experiments.curves(run, "errors", "kl by position", SMALL, "SAE")
    assert [row["step"] for row in rows] == list(range(N_POSITIONS))
    every = experiments.curves(run, "errors", "kl by position", SMALL)
    assert len(every) == N_POSITIONS * len(ERRORS)
    assert [row["setting"] for row in every] == sorted(row["setting"] for row in every)
    assert experiments.curves(run, "errors", setting=HOSTILE_TOKEN)[0]["metric"] == (
        "excess kl by token"
    )


def test_edits_are_asked_for_by_what_names_them(run: Run) -> None:
    rows = experiments.edits(run, entity="berlin", attribute="country", method="whole latent")
    assert [(row["other"], row["is_changed"]) for row in rows] == [
        (other, True) for other in sorted(CITIES) if other != "berlin"
    ]
    changed = experiments.edits(run, entity="berlin", is_changed=True)
    assert changed and all(row["is_changed"] for row in changed)


def test_edits_by_another_column_are_refused(run: Run) -> None:
    with pytest.raises(ValueError, match="latent"):
        experiments.edits(run, latent=1)


def test_continuations_of_one_setting_by_number(run: Run) -> None:
    rows = experiments.continuations(run, "steering", WIDE, "country France: vector")
    assert [(row["number"], row["hits"]) for row in rows] == [(0, 0), (1, 1)]
    assert rows[0]["text"] == f"We met {HOSTILE_TOKEN} in Lyon."


def test_concerned_knows_latents_and_meta_latents(run: Run) -> None:
    rows = experiments.concerned(run, WIDE, 0)
    assert [(row["setting"], row["value"]) for row in rows] == [
        (HOSTILE_TOKEN, pytest.approx(0.04)),
        ("letter e: absorbs", pytest.approx(0.12)),
    ]
    assert experiments.concerned(run, META, 0)[0]["experiment"] == "edits"
    assert experiments.concerned(run, WIDE, 1) == []


@pytest.mark.parametrize("latent", [-1, 2**40, None, "0", 1.5, True])
def test_latents_that_cannot_be_have_no_rows(run: Run, latent: int) -> None:
    assert experiments.concerned(run, WIDE, latent) == []


@pytest.mark.parametrize("text", ["' or 1=1 --", "\ud800", "", "%"])
def test_hostile_text_finds_nothing(run: Run, text: str) -> None:
    assert experiments.figures(run, "errors", text) == []
    assert experiments.figures(run, text) == []
    assert experiments.curves(run, text, text, text, text) == []
    assert experiments.edits(run, entity=text) == []
    assert experiments.continuations(run, text, text, text) == []
    assert experiments.concerned(run, text, 0) == []
