"""Comparisons of figures: verdicts, the hardest control, lines of the sweep."""

from __future__ import annotations

from typing import Any

import pytest

from backend import trust_figures
from backend.records import Record
from tests.trusted import HELD_OUT, measurement_rows


def figure(
    value: float, low: float | None = None, high: float | None = None, **more: Any
) -> Record:
    row = {"subject": "a", "setting": HELD_OUT, "metric": "variance_explained", "n": 5}
    return {**row, "value": value, "ci_low": low, "ci_high": high, **more}


def rows(experiment: str) -> list[Record]:
    return [row for row in measurement_rows() if row["experiment"] == experiment]


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (figure(0.5, 0.4, 0.6), figure(0.2, 0.1, 0.3), "Yes"),
        (figure(0.2, 0.1, 0.3), figure(0.5, 0.4, 0.6), "No"),
        (figure(0.5, 0.2, 0.8), figure(0.4, 0.3, 0.5), "Not clearly"),
        (figure(0.5), figure(0.4), "Yes"),  # without intervals the values decide
        (figure(0.5, float("nan"), float("nan")), figure(0.4), "Yes"),
        (figure(0.5), figure(0.5), "Not clearly"),
    ],
)
def test_a_verdict_needs_intervals_that_do_not_overlap(
    one: Record, other: Record, told: str
) -> None:
    assert trust_figures.verdict(one, other) == told


def test_the_hardest_null_is_the_one_explained_most_and_never_a_real_sae() -> None:
    found = trust_figures.by_subject(rows("controls"), HELD_OUT)
    null = trust_figures.hardest_null(found)
    assert null is not None
    assert (null["subject"], null["value"]) == ("covariance-matched Gaussian rows", 0.26)
    assert trust_figures.hardest_null({"decoder rows": figure(0.5)}) is None


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("meta-SAE", "own"),
        ("pursuit on meta-SAE", "own"),
        ("meta-SAE with nearest latents, tuned", "own"),
        ("meta-SAE with random directions", "null"),
        ("pursuit on random directions", "null"),
        ("pursuit on sae-768", "other"),
        ("4 principal components", "other"),
    ],
)
def test_methods_are_told_apart(method: str, kind: str) -> None:
    assert trust_figures.method_kind(method) == kind


def test_simpler_methods_come_best_first_without_the_random_ones() -> None:
    found = trust_figures.by_subject(rows("methods"), HELD_OUT)
    names = [row["subject"] for row in trust_figures.simpler_methods(found)]
    assert names == ["pursuit on sae-8", "pursuit on k-means", "k-means"]


def test_the_sweep_is_read_from_its_settings_by_size() -> None:
    lines = trust_figures.sweep_points(rows("width_sweep"), HELD_OUT)
    assert next(iter(lines)) == "decoder rows"
    assert [row["n_meta"] for row in lines["decoder rows"]] == [2, 4, 16]
    assert trust_figures.sweep_points(rows("width_sweep"), "in-sample") == {}
    odd = [figure(0.5, setting="1,170 meta-latents, held-out"), figure(0.5, setting="no size")]
    assert [row["n_meta"] for row in trust_figures.sweep_points(odd, HELD_OUT)["a"]] == [1170]


def test_a_line_is_read_between_its_points_on_a_log_axis() -> None:
    line = trust_figures.sweep_points(rows("width_sweep"), HELD_OUT)["decoder rows"]
    # 8 is in the middle of 4 and 16 on a log axis: halfway from 0.47 to 0.67
    assert trust_figures.value_at(line, 8) == pytest.approx(0.57)
    assert trust_figures.value_at(line, 4) == pytest.approx(0.47)
    assert trust_figures.value_at(line, 32) is None
    assert trust_figures.value_at([], 8) is None


def test_smaller_saes_stand_at_the_size_of_their_dictionary() -> None:
    (point,) = trust_figures.sae_points(rows("methods"), HELD_OUT)
    assert (point["subject"], point["n_meta"], point["value"]) == ("pursuit on sae-8", 8, 0.6)


def test_held_out_is_shown_where_there_is_any() -> None:
    assert trust_figures.best_split([figure(0.1, setting="in-sample"), figure(0.1)]) == HELD_OUT
    assert trust_figures.best_split([figure(0.1, setting="in-sample")]) == "in-sample"
