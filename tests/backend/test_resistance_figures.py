"""What the rows of resistance say: verdicts, the grid, the published numbers, lower sections."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import pytest

from backend.records import Record
from backend.resistance_charts import trade_off
from backend.resistance_figures import agreement, change_of, joint, place_of, side_of, subjects
from backend.resistance_html import answer_html, grids_html, published_html, trainings_html
from backend.resistance_lower_html import dead_section, toy_section
from tests.experimented_rows import figure
from tests.experimented_training import measurement_rows
from tests.planted import HOSTILE

META = "meta-SAE variance explained, held out"


def traces(figure: go.Figure) -> list[Any]:
    """Its traces; plotly's stubs do not know what they hold."""
    return list(figure.data)


def changed(subject: str, value: float, half: float | None = 2.0, metric: str = META) -> Record:
    n = 1 if half is None else 3
    return figure("resistance", subject, "32 latents", change_of(metric), value, n, half)


def planted(experiment: str) -> list[Record]:
    return [row for row in measurement_rows() if row["experiment"] == experiment]


def test_joint_trainings_are_read_and_come_last_by_their_weights() -> None:
    assert joint("joint 0.3 1") == (0.3, 1.0)
    assert joint("joint 0.3 1e9") is None and joint("solo") is None
    names = ["joint 1 0.3", "joint 0.3 3", "new", "matryoshka", "joint 0.3 1", "solo"]
    assert sorted(names, key=place_of) == [
        "solo", "matryoshka", "new", "joint 0.3 1", "joint 0.3 3", "joint 1 0.3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "half", "side"),
    [(-5, 2, "below"), (5, 2, "above"), (1, 2, "unclear"), (-50, None, "unclear")],
)
def test_a_change_is_clear_when_its_interval_leaves_out_0(
    value: float, half: float | None, side: str
) -> None:
    assert side_of(changed("joint 0.3 1", value, half)) == side


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([changed("joint 0.3 1", -20)], "<b>To a degree.</b>"),
        ([changed("joint 0.3 1", -1)], "<b>Not clearly.</b>"),
        ([changed("joint 0.3 1", 9)], "<b>No.</b>"),
        ([changed("joint 0.3 1", -20, None)], "<b>Not clearly.</b>"),
        # the control falls as much: -21 to -17 overlaps -22 to -18
        (
            [changed("joint 0.3 1", -20), changed("solo, equal compute", -19)],
            "<b>Not clearly more than by training longer.</b>",
        ),
        ([changed("joint 0.3 1", -20, metric="mean |phi|")], "<b>To a degree.</b>"),
        ([changed("matryoshka", -20)], "No joint training was compared"),
        ([], "No joint training was compared"),
    ],
)
def test_the_answer_is_honest_about_controls_and_intervals(rows: list[Record], told: str) -> None:
    assert answer_html(rows).startswith(told)


def test_points_trained_once_cannot_give_the_answer() -> None:
    rows = [changed("joint 0.3 1", -5), changed("joint 1 1", -60, None)]
    told = answer_html(rows).replace("\N{MINUS SIGN}", "-")
    assert "λ₂ = 0.3, σ² = 1</span>, n = 3) changes" in told
    assert (
        "Over the 2 points of the grid it is -60.0 % to -5.0 %; of 1 trained more than once, 1 fall"
        in told
    )


def test_the_grid_has_a_row_a_lambda_and_a_column_a_sigma() -> None:
    rows = [
        changed("joint 0.1 1", -5),
        changed("joint 0.1 3", 5),
        changed("joint 1 1", -9, None),
        changed("orthogonal", -7),
    ]
    html = grids_html(rows).replace("\N{MINUS SIGN}", "-")
    assert html.count("<table") == 1
    assert '<th scope="col">1</th><th scope="col">3</th>' in html
    assert '<th scope="row">0.1</th><td class="lower">-5.0<small>-7.0 to -3.0</small></td>' in html
    assert '<td class="higher">+5.0' in html
    assert "<td>-9.0<small>one seed</small></td><td>\N{EN DASH}</td>" in html  # (1, 3) is missing
    assert "n = 1 to 3" in html
    assert grids_html([changed("orthogonal", -7)]) == ""


def test_agreement_counts_signs_and_intervals_of_published_points() -> None:
    rows = [
        changed("joint 0.3 1", -5, metric="mean |phi|"),  # published -7.5
        changed("joint 0.1 1", -1, metric="mean |phi|"),  # published -3.8; ours is not clear
        changed("joint 1 1", -9, metric="mean |phi|"),  # published +2.8
        changed("joint 2 1", -9, metric="mean |phi|"),  # never published
    ]
    counted = agreement(subjects(rows, change_of("mean |phi|")))
    assert counted == {"same": 2, "clear": 1, "against": 1, "n": 3}
    html = published_html(rows)
    assert html.count("<tr>") == 1 + 9
    assert "Of 3 points of both grids, 2 agree" in html


def test_every_training_is_a_row_and_hostile_names_are_escaped() -> None:
    rows = [*planted("resistance"), changed(HOSTILE[0], 1.0)]
    rows.append(figure("resistance", HOSTILE[0], "32 latents", META, 0.5, 3, 0.1))
    html = trainings_html(rows)
    assert html.count("<tr>") == 1 + 6
    assert "<script>" not in html + answer_html(rows)
    assert "0.300 [0.290, 0.310]" in html


def test_the_trade_off_has_a_point_a_training_with_both_intervals() -> None:
    rows = [*planted("resistance"), changed("joint 1 3", -30), changed(HOSTILE[0], -1)]
    rows += [changed(name, -4, 1.0, "variance explained") for name in ("joint 1 3", HOSTILE[0])]
    costs = subjects(rows, change_of("variance explained"))
    gains = subjects(rows, change_of(META))
    drawn = trade_off(costs, gains, "change of variance explained", "change of the other")
    points: dict[str, Any] = {trace["name"]: trace for trace in traces(drawn)}
    assert len(points) == 6  # all but solo, which is where the lines cross
    own = points["λ₂ 1, σ² 3"]
    assert (list(own.x), list(own.y)) == ([-4], [-30])
    assert (list(own.error_x.array), list(own.error_y.array)) == ([1.0], [2.0])
    assert own.marker.color != points["λ₂ 0.3, σ² 1"].marker.color
    assert own.marker.symbol != points["λ₂ 0.3, σ² 1"].marker.symbol
    assert not [name for name in points if "<script>" in name]
    layout: Any = drawn.layout
    assert layout.xaxis.title.text == "change of variance explained"
    assert layout.yaxis.title.text == "change of the other"
    assert {(s.x0, s.y0) for s in layout.shapes} == {(0, 0)}


def test_dead_latents_are_bars_from_few_to_many_with_nothing_as_control() -> None:
    html = dead_section(planted("dead latents"))
    assert html.count("<li>") == 5
    assert html.index("auxiliary loss</span>") < html.index("ghost gradients</span>")
    assert html.count('<span class="bar null') == 1
    rows = [
        figure("dead latents", name, "32 latents", "dead latents", value, 3, 0.1)
        for name, value in (("nothing", 0.3), ("resampling", 0.2))
    ]
    assert "None clearly helps." in dead_section(rows)
    assert "[experiments.dead_latents]" in dead_section([])


def test_toy_models_say_when_random_decoders_do_as_well() -> None:
    html = toy_section(planted("toy models"))
    assert html.index("<h3>") < html.index("hierarchical</span></h3>")
    assert html.count('<span class="bar null') == 2  # random decoders of both kinds of data
    rows = [
        figure("toy models", name, "superposition", "recovered", value, 3, 0.2)
        for name, value in (("relu", 0.3), ("random decoder", 0.2), (HOSTILE[0], 0.1))
    ]
    html = toy_section(rows)
    assert "no clear difference" in html
    assert "<script>" not in html
    assert "[experiments.toy_models]" in toy_section([])
