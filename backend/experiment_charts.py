"""Figures of experiments: bars with intervals, and lines with bands; rows to Plotly, pure.

A row is one of `measurements` or `curves`. What is a control is grey, so that an effect is never
seen without what it must be more than.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import plotly.graph_objects as go

from backend.charts import ACCENT, OTHER, QUIET, axes_layout
from backend.experiment_marks import (
    has_interval,
    span_of_n,
    ticks,
    told,
    unique,
    whiskers,
    wrapped,
)
from backend.records import Record, column, grouped
from backend.text_html import is_known, safe
from backend.trust_figures import bounds

# hues apart from one another for colour-blind readers, at least 3:1 on light and dark pages
HUES = (ACCENT, OTHER, "#2f9c6f", "#a367b8", "#a08a2c", "#c2557d", "#5f86d8", "#7d8b2e")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_BAR_HEIGHT, _LINE_HEIGHT, _FRAME_HEIGHT = 28, 9, 76  # pixels
_MOST_WHOLE = 20  # ticks a whole number apart


def bars(
    rows: Sequence[Record],
    label: str,
    unit: str,
    control: Collection[str] | None = None,
    at: float | None = None,
    counted: str = "",
) -> go.Figure:
    """One horizontal bar a row, first on top, with its 95 % interval and n.

    Args:
        rows: of `measurements`.
        label: the column that names a bar, e.g. `setting`.
        unit: what is measured, for the axis; the smallest and largest n are added to it.
        control: labels of the bars that are there to be beaten: grey.
        at: where a dotted line stands, e.g. 1 for a ratio.
        counted: what n counts, e.g. tokens.
    """
    known = [row for row in rows if is_known(row["value"]) and math.isfinite(row["value"])]
    names = unique([wrapped(str(row[label])) for row in known])
    controls = control or ()
    traces = []
    for colour, is_control in ((ACCENT, False), (QUIET, True)):
        own = [
            (name, row)
            for name, row in zip(names, known, strict=True)
            if (row[label] in controls) == is_control
        ]
        if own:
            traces.append(_bars(own, label, colour))
    layout = axes_layout(f"{unit}<br>({span_of_n(known, counted)})", "")
    tallest = max((1 + name.count("<br>") for name in names), default=1)
    layout["height"] = _FRAME_HEIGHT + len(known) * (_BAR_HEIGHT + _LINE_HEIGHT * (tallest - 1))
    layout["margin"] = {"l": 10, "r": 14, "t": 8, "b": 62}
    layout["showlegend"] = False
    layout["barmode"] = "overlay"
    layout["xaxis"] |= {"fixedrange": True, "zeroline": True, "nticks": 6}
    layout["yaxis"] |= {
        "autorange": "reversed",
        "fixedrange": True,
        "showgrid": False,
        "automargin": True,
        "type": "category",
        "categoryorder": "array",
        "categoryarray": names,
    }
    layout["bargap"] = 0.35
    if at is not None:
        layout["shapes"] = [_rule("x", at)]
    return go.Figure(traces, layout)


def lines(
    rows: Sequence[Record],
    x_title: str,
    y_title: str,
    log_x: bool = False,
    log_y: bool = False,
    by: str = "setting",
    control: Collection[str] | None = None,
    at: float | None = None,
    counted: str = "",
) -> go.Figure:
    """One line a setting, with the band of its 95 % intervals.

    Args:
        rows: of `curves`, or of `measurements` with an `x` and a `step` added.
        x_title: what x is, with its unit.
        y_title: what is measured, with its unit; the smallest and largest n are added to it.
        log_x: logarithmic horizontal axis; points at 0 or below are left out.
        log_y: the same for the vertical axis.
        by: the column that tells lines apart.
        control: names of the lines that are there to be beaten: grey, dashed.
        at: where a dotted line lies across, e.g. 1 for a ratio.
        counted: what n counts, e.g. tokens.
    """
    shown = [row for row in rows if _is_drawn(row, log_x, log_y)]
    controls = control or ()
    traces: list[Any] = []
    n_own = n_controls = 0
    for name, unordered in grouped(shown, by).items():
        points = sorted(unordered, key=lambda row: (row["x"], row["step"]))
        if name in controls:
            colour, dash = QUIET, DASHES[1 + n_controls % (len(DASHES) - 1)]
            n_controls += 1
        else:
            colour, dash = HUES[n_own % len(HUES)], DASHES[n_own // len(HUES) % len(DASHES)]
            n_own += 1
        style = {"color": colour, "width": 2.2, "dash": dash}
        traces += _line(str(name), points, style, log_y, 0.09 if name in controls else 0.17)
    layout = axes_layout(x_title, f"{y_title} ({span_of_n(shown, counted)})")
    layout["height"] = 400
    layout["showlegend"] = len(set(column(shown, by))) > 1
    layout["xaxis"] |= {"zeroline": False, "type": "log" if log_x else "linear"}
    layout["yaxis"] |= {"type": "log" if log_y else "linear"}
    xs = column(shown, "x")
    if log_x:
        layout["xaxis"] |= ticks(xs)
    elif all(float(x).is_integer() for x in xs) and xs and max(xs) - min(xs) <= _MOST_WHOLE:
        layout["xaxis"] |= {"dtick": 1 if max(xs) - min(xs) <= _MOST_WHOLE / 2 else 2}
    if at is not None:
        layout["shapes"] = [_rule("y", at)]
    return go.Figure(traces, layout)


def _bars(named: Sequence[tuple[str, Record]], label: str, colour: str) -> go.Bar:
    """Bars of one colour: pale inside, so that their whiskers show on light and on dark."""
    rows = [row for _, row in named]
    return go.Bar(
        orientation="h",
        y=[name for name, _ in named],
        x=column(rows, "value"),
        error_x=whiskers(rows, colour),
        marker={"color": colour, "opacity": 0.55, "line": {"width": 1, "color": colour}},
        customdata=[[safe(str(row[label])), told(row)] for row in rows],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
    )


def _line(
    name: str, points: Sequence[Record], style: dict[str, Any], log_y: bool, opacity: float
) -> list[Any]:
    """A line and below it, where there are intervals, its band."""
    xs = column(points, "x")
    line = go.Scatter(
        x=xs,
        y=column(points, "value"),
        mode="lines+markers" if len(points) <= 24 else "lines",
        name=safe(name),
        legendgroup=safe(name),
        line=style,
        marker={"size": 6 if len(points) > 1 else 11},
        customdata=[told(row) for row in points],
        hovertemplate=f"{safe(name)}<br>%{{x:.4~g}}: %{{customdata}}<extra></extra>",
    )
    if len(points) < 2 or not any(has_interval(row) for row in points):
        return [line]
    ends = [bounds(row) for row in points]
    lows = [low if low > 0 or not log_y else row["value"]
            for (low, _), row in zip(ends, points, strict=True)]  # fmt: skip
    band = go.Scatter(
        x=[*xs, *reversed(xs)],
        y=[*(high for _, high in ends), *reversed(lows)],
        fill="toself",
        fillcolor=style["color"],
        opacity=opacity,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=safe(name),
    )
    return [band, line]


def _rule(axis: str, at: float) -> dict[str, Any]:
    across = "y" if axis == "x" else "x"
    return {
        "type": "line",
        f"{axis}0": at,
        f"{axis}1": at,
        f"{across}0": 0,
        f"{across}1": 1,
        f"{across}ref": "paper",
        "line": {"dash": "dot", "width": 1.5, "color": QUIET},
    }


def _is_drawn(row: Record, log_x: bool, log_y: bool) -> bool:
    if not (math.isfinite(row["x"]) and is_known(row["value"]) and math.isfinite(row["value"])):
        return False
    return (not log_x or row["x"] > 0) and (not log_y or row["value"] > 0)
