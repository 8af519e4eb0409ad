"""Bars and lines of experiments: order, intervals, controls, axes, untrusted names."""

from __future__ import annotations

import math
from typing import Any

import pytest

from backend import experiment_charts
from backend.charts import ACCENT, QUIET
from backend.experiment_marks import span_of_n, ticks
from tests.experimented_rows import figure, point
from tests.planted import HOSTILE, SMALL

bars: Any = experiment_charts.bars  # plotly's stubs do not know what a figure holds
lines: Any = experiment_charts.lines
ROWS = [
    figure("errors", SMALL, "SAE", "kl", 0.4, 10, 0.1),
    figure("errors", SMALL, "eps-random", "kl", 0.1, 20),
    figure("errors", SMALL, HOSTILE[0], "kl", -0.2, 10, 0.1),
]


def drawn(name: str, x: float, value: float, step: int, half: float = 0.1) -> dict[str, Any]:
    return point("errors", SMALL, name, "kl", step, x, value, half)


def test_bars_keep_the_order_of_rows_and_tell_controls_by_colour() -> None:
    chart = bars(ROWS, "setting", "KL, nats", {"eps-random"}, counted="tokens")
    own, control = chart.data
    assert (own.marker.color, control.marker.color) == (ACCENT, QUIET)
    assert list(control.x) == [0.1]
    names = list(chart.layout.yaxis.categoryarray)
    assert names[:2] == ["SAE", "eps-random"]
    assert chart.layout.yaxis.autorange == "reversed"  # the first row on top
    assert chart.layout.xaxis.title.text == "KL, nats<br>(n = 10 to 20 tokens)"


def test_whiskers_reach_the_ends_of_the_interval() -> None:
    own = bars(ROWS, "setting", "KL").data[0]
    # of 0.4 in [0.3, 0.5], of 0.1 without an interval, of -0.2 in [-0.3, -0.1]
    assert list(own.error_x.array) == pytest.approx([0.1, 0.0, 0.1])
    assert list(own.error_x.arrayminus) == pytest.approx([0.1, 0.0, 0.1])


def test_names_are_escaped_and_never_pile_up() -> None:
    twice = [ROWS[2], {**ROWS[2], "value": 1.0}]
    chart = bars(twice, "setting", "KL")
    assert len(set(chart.layout.yaxis.categoryarray)) == 2
    assert "<script" not in chart.to_json().replace("\\u003c", "<")


def test_an_empty_name_and_a_figure_that_is_no_number() -> None:
    rows = [{**ROWS[0], "setting": ""}, {**ROWS[1], "value": math.nan}]
    chart = bars(rows, "setting", "KL")
    assert list(chart.layout.yaxis.categoryarray) == ["(empty)"]
    assert bars([], "setting", "KL").layout.xaxis.title.text == "KL<br>(n = 0)"


def test_a_line_is_drawn_by_x_with_the_band_of_its_intervals() -> None:
    rows = [drawn("SAE", 2.0, 0.5, 1), drawn("SAE", 1.0, 0.4, 0)]
    band, line = lines(rows, "x", "y").data
    assert list(line.x) == [1.0, 2.0]
    # up along the upper ends, back along the lower ones
    assert list(band.y) == pytest.approx([0.5, 0.6, 0.4, 0.3])
    assert band.fill == "toself"


def test_a_single_point_or_no_interval_has_no_band() -> None:
    assert len(lines([drawn("encoder", 2.0, 0.5, 0)], "x", "y").data) == 1
    plain = [drawn("SAE", x, 0.5, i, 0) for i, x in enumerate((1.0, 2.0))]
    assert len(lines(plain, "x", "y").data) == 1


def test_controls_are_grey_and_dashed_and_the_legend_comes_with_the_second_line() -> None:
    rows = [drawn(name, x, 0.5, i, 0) for name in ("SAE", "like errors")
            for i, x in enumerate((1.0, 2.0))]  # fmt: skip
    chart = lines(rows, "x", "y", control={"like errors"}, at=1)
    own, control = chart.data
    assert (own.line.color, own.line.dash) == (ACCENT, "solid")
    assert (control.line.color, control.line.dash) == (QUIET, "dash")
    assert chart.layout.showlegend and chart.layout.shapes[0].y0 == 1
    assert not lines(rows[:2], "x", "y").layout.showlegend


def test_log_axes_leave_out_what_they_cannot_show() -> None:
    rows = [drawn("SAE", 0.0, 0.5, 0, 0), drawn("SAE", 4.0, 0.5, 1, 0), drawn("SAE", 8.0, -1, 2, 0)]
    line = lines(rows, "x", "y", log_x=True, log_y=True).data[0]
    assert list(line.x) == [4.0]
    assert lines([], "x", "y", log_x=True).data == ()


def test_ticks_are_the_values_that_stay_apart() -> None:
    # 300 / 256 is less than 1.45, so its label would touch the one before
    assert ticks([256, 300, 1024, 256])["tickvals"] == [256, 1024]
    assert ticks([1.9, 7.3])["tickvals"] == [1, 2, 4, 8]  # no whole numbers: powers of two
    assert ticks([256, 4096])["ticktext"] == ["256", "4,096"]


def test_n_is_told_with_what_it_counts() -> None:
    assert span_of_n(ROWS[:1], "tokens") == "n = 10 tokens"
    assert span_of_n([]) == "n = 0"


def test_ticks_are_whole_numbers_as_people_write_them():
    assert ticks([768, 12_288, 24_576])["ticktext"] == ["768", "12,288", "24,576"]
    assert ticks([1_048_576])["ticktext"] == ["1,048,576"]
