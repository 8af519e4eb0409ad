"""The page of resistance: the grid, its controls, dead latents, toy models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pages.conftest import Opened
from tests.pages.test_trust_page import run_with

Open = Callable[..., Opened]


def read(page: Opened) -> str:
    """Its words, with a minus sign that is on a keyboard."""
    return page.words.replace("\N{MINUS SIGN}", "-")


def test_the_answer_is_computed_against_solo_and_equal_compute(opened: Open) -> None:
    page = opened("resistance")
    # held out 0.30 against solo's 0.50: -40 % +- 2; equal compute 0 % +- 2
    assert "To a degree. Joint training ( λ₂ = 0.3, σ² = 1 , n = 3) changes what a " in read(page)
    assert "decoder rows by -40.0 % [-42.0, -38.0]" in read(page)
    assert "equal compute alone by 0.0 % [-2.0, +2.0]" in read(page)
    assert "Its mean |phi| changes by -10.0 % [-12.0, -8.0]" in read(page)
    # 0.78 against 0.80: -2.5 % +- 2
    assert "own variance explained changes by -2.5 % [-4.5, -0.5]" in read(page)
    # 0.45 and 0.40 against 0.50
    assert "matryoshka -10.0 % [-12.0, -8.0] , orthogonal -20.0 % " in read(page)
    assert 'class="notice' not in page.html


def test_every_question_follows_the_other(opened: Open) -> None:
    words = opened("resistance").words
    heads = (
        "What the penalty changes", "What it costs", "Every way of training",
        "Beside the published grid", "fewest latents dead?", "features that are known?",
        "All values",
    )  # fmt: skip
    places = [words.index(head) for head in heads]
    assert places == sorted(places)


def test_a_cell_is_coloured_by_the_side_of_its_interval(opened: Open) -> None:
    page = opened("resistance")
    assert page.html.count('class="grid"') == 4
    html = page.html.replace("\N{MINUS SIGN}", "-")
    assert '<td class="lower">-40.0<small>-42.0 to -38.0</small></td>' in html
    assert '<td class="higher">+10.0<small>+8.0 to +12.0</small></td>' in page.html  # CE rise


def test_the_published_grid_stands_beside_ours(opened: Open) -> None:
    page = opened("resistance")
    # both fall at (0.3, 1): published -7.5, ours -10
    assert "Of 1 points of both grids, 1 agree" in read(page)
    assert "λ₂ = 0.3, σ² = 1 -10.0 % [-12.0, -8.0] -7.5 %" in read(page)
    assert "λ₂ = 1, σ² = 3 \N{EN DASH} +2.6 %" in read(page)


@pytest.mark.parametrize("metric", ["mean |phi|", "<script>alert(9)</script>"])
def test_the_measure_of_the_costs_is_in_the_address(opened: Open, metric: str) -> None:
    page = opened("resistance", metric=metric)
    assert len(page.app.get("plotly_chart")) == 1
    assert "<script>alert(9)" not in page.html
    shown = metric if metric.startswith("mean") else "meta-SAE variance explained, held out"
    assert f"<b>{shown}</b>" in page.html


def test_dead_latents_and_toy_models_are_answered_too(opened: Open) -> None:
    words = opened("resistance").words
    # 0.01 +- 0.01 against 0.30 +- 0.01; next, resampling with 0.04 +- 0.01
    assert (
        "Auxiliary loss. It leaves 1.0 % of the latents dead; with nothing done it is 30.0 %"
        in words
    )
    assert "Variance explained goes from 0.70 [0.69, 0.71] to 0.80 [0.79, 0.81]" in words
    assert (
        "On superposition data batchtopk finds 90.0 % of the features, random decoder rows 5.0"
        in words
    )
    assert "On hierarchical data matryoshka finds 85.0 %" in words


def test_an_unknown_width_gets_a_plain_message(opened: Open) -> None:
    page = opened("resistance", setting="<i>9</i> latents")
    assert "Nothing was trained with “<i>9</i> latents” here; showing 32 latents." in read(page)


@pytest.mark.parametrize(
    ("held", "missing"),
    [
        ({"resistance"}, ("dead_latents", "toy_models")),
        ({"dead latents", "toy models"}, ("resistance",)),
        ({"errors"}, ("resistance",)),
    ],
)
def test_what_a_run_lacks_is_named(
    opened: Open, fixture_run: Path, tmp_path: Path, held: set[str], missing: tuple[str, ...]
) -> None:
    page = opened("resistance", run_with(fixture_run, tmp_path, held))
    for section in missing:
        assert f"[experiments.{section}]" in read(page)
    assert page.html.count('class="notice') == len(missing)
