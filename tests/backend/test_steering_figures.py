"""What the rows of steering say: points, their front, verdicts, and how they are drawn."""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go
import pytest

from backend.records import Record
from backend.steering_charts import drawn_damage, effect_against_damage
from backend.steering_figures import ALL_CONCEPTS, concepts, parted, points
from backend.steering_html import answer_html, marked, points_html, texts_section, written_html
from tests.experimented_edits import curve_rows, measurement_rows
from tests.experimented_rows import figure, point
from tests.planted import HOSTILE, WIDE


def traces(figure: go.Figure) -> list[Any]:
    """Its traces; plotly's stubs do not know what they hold."""
    return list(figure.data)


def line(setting: str, *both: tuple[float, float]) -> list[Record]:
    """Points of one line as (damage, effect), with the strengths 1, 2, ..."""
    return [
        point("steering", WIDE, setting, metric, step, step + 1, value)
        for step, pair in enumerate(both)
        for metric, value in zip(("damage", "effect"), pair, strict=True)
    ]


def reached(**effects: float) -> list[Record]:
    """Effects at the same damage by method, `_` for a space, each +- 0.1."""
    metric = "effect at 0.1 nats of damage"
    return [
        figure("steering", WIDE, name.replace("_", " "), metric, value, 12, 0.1)
        for name, value in effects.items()
    ]


def test_a_setting_is_a_concept_that_may_hold_a_colon_and_a_method() -> None:
    assert parted("ratio 3: 2: single latent") == ("ratio 3: 2", "single latent")
    assert concepts(line("b: vector", (0, 0)) + line("a: x: vector", (0, 0))) == ["a: x", "b"]


def test_the_front_holds_what_no_other_point_beats() -> None:
    rows = line("c: vector", (0.1, 0.2), (0.3, 0.5), (0.9, 0.4))
    rows += line("c: random", (0.2, 0.2), (0.3, 0.6), (0.001, 0.005))
    found = points(rows, "c")
    on_front = {(p.method, p.step) for p in found if p.is_on_front}
    # (0.1, 0.2) costs less than (0.2, 0.2), (0.3, 0.6) does more than (0.3, 0.5) and (0.9, 0.4);
    # an effect of 0.005 is none
    assert on_front == {("vector", 0), ("random", 1)}
    assert [p.method for p in found] == ["vector"] * 3 + ["random"] * 3  # the control last


def test_all_concepts_are_the_mean_at_each_strength() -> None:
    rows = line("a: vector", (0.1, 0.2)) + line("b: vector", (0.3, 0.8))
    (mean,) = points(rows, ALL_CONCEPTS)
    assert mean.damage["value"] == pytest.approx(0.2)
    assert mean.effect["value"] == pytest.approx(0.5)
    assert (mean.effect["ci_low"], mean.effect["n"], mean.strength) == (None, 2, 1)
    (own,) = points(rows, "b")
    assert own.effect["value"] == 0.8
    assert own.effect["ci_low"] == pytest.approx(0.79)
    assert points(rows, "c") == []


def test_the_lines_hold_the_rows_and_the_front_is_ringed() -> None:
    rows = line("c: vector", (0.05, 0.2), (0.5, 0.6)) + line("c: random", (0.1, 0.0), (2.0, 0.1))
    drawn = effect_against_damage(points(rows, "c"), "effect, nats")
    vector, random, front = traces(drawn)
    assert [row[1] for row in vector.customdata] == [0.05, 0.5]  # raw damage
    assert list(vector.x) == pytest.approx([math.asinh(5), math.asinh(50)])
    assert list(vector.y) == [0.2, 0.6]
    assert list(vector.error_y.array) == pytest.approx([0.01, 0.01])
    assert (random.line.dash, vector.line.dash) == ("dash", "solid")
    assert random.line.color != vector.line.color
    assert list(front.x) == list(vector.x) and front.marker.symbol == "circle-open"
    layout: Any = drawn.layout
    assert "damage" in layout.xaxis.title.text and "nats" in layout.xaxis.title.text
    assert "effect" in layout.yaxis.title.text and "n = 16" in layout.yaxis.title.text
    (rule,) = layout.shapes
    assert rule.x0 == rule.x1 == drawn_damage(0.1)
    assert list(layout.xaxis.ticktext) == ["0", "0.01", "0.03", "0.1", "0.3", "1", "3"]


def test_a_damage_below_0_can_be_drawn() -> None:
    drawn = effect_against_damage(points(line("c: vector", (-0.02, 0.1)), "c"), "effect")
    assert traces(drawn)[0].x[0] < 0
    assert traces(effect_against_damage([], "effect")) == []


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (reached(vector=0.9, single_latent=0.5, random=0.1), "<b>The vector.</b>"),
        (reached(vector=0.9, single_latent=0.8, random=0.1), "<b>Not one alone.</b>"),
        (reached(vector=0.2, single_latent=0.1, random=0.15), "<b>None, clearly.</b>"),
        (reached(vector=0.05), "<b>None, clearly.</b>"),  # -0.05 to 0.15 holds 0
        ([], "No method was compared"),
    ],
)
def test_the_answer_is_honest_about_controls_and_ties(rows: list[Record], told: str) -> None:
    assert answer_html(rows).startswith(told)


def test_gains_over_the_vector_are_judged_concept_by_concept() -> None:
    metric = "gain over the vector at 0.1 nats of damage"
    rows = reached(vector=1.0, reconstruction=0.95, chosen_latents=0.95, random=0.1)
    rows += [
        figure("steering", WIDE, "reconstruction", metric, -0.05, 12, 0.01),
        figure("steering", WIDE, "chosen latents", metric, -0.05, 12, 0.1),
    ]
    # the intervals of all three overlap, but the reconstruction is worse in almost every concept
    assert "Not clearly behind: chosen latents." in answer_html(rows)
    rows = reached(vector=0.9, single_latent=1.0, random=0.1)
    assert "Not clearly behind: vector." in answer_html(rows)
    rows.append(figure("steering", WIDE, "single latent", metric, 0.1, 12, 0.05))
    assert "<b>The single latent.</b>" in answer_html(rows)


def test_the_planted_vector_wins_and_its_points_are_listed() -> None:
    rows = [row for row in measurement_rows() if row["experiment"] == "steering"]
    assert "the vector has the largest" in answer_html(rows)
    found = points(list(curve_rows()), "country France")
    html = points_html(found)
    assert "The 21 points as a table" in html
    assert html.count("<b>yes</b>") == sum(p.is_on_front for p in found) == 3
    assert points_html([]) == ""


def test_texts_are_escaped_and_the_value_alone_is_marked() -> None:
    html = marked(f"In FRANCE {HOSTILE[0]} a country.", "country France")
    assert html.count("<mark") == 1 and ">FRANCE</mark>" in html
    assert "<script>" not in html
    assert marked("decade 1850s", "birth decade 1850s").count("<mark") == 1
    assert ">United States</mark>" in marked("the United States", "country United States")
    assert "<mark" not in marked("a (b", "c (d")  # no pattern of its own
    assert marked("a b", "alone") == "a b"


def test_untouched_texts_stand_apart_and_first() -> None:
    row = {"method": "vector", "prompt": "<i>", "text": " x", "number": 0}
    rows = [{**row, "strength": 0.0, "hits": 0}, {**row, "strength": 0.3, "hits": 1}]
    html = written_html(rows, "country France")
    assert (
        html.index("untouched</summary>")
        < html.index("0 target tokens")
        < html.index("1 target token<")
    )
    assert "<i>" not in html
    assert "no texts" in written_html([], "country France")


def test_gains_in_texts_are_bars_where_they_were_counted() -> None:
    metric = "gain of target tokens in texts at 0.1 nats of damage"
    assert "0.25" in texts_section([figure("steering", WIDE, "vector", metric, 0.25, 12, 0.1)])
    assert texts_section(reached(vector=1.0)) == ""
