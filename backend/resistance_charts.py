"""What resistance costs: change of a measure against change of the reconstruction."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from backend.charts import QUIET, axes_layout
from backend.experiment_charts import HUES, has_interval, told
from backend.records import Record
from backend.resistance_figures import EQUAL_COMPUTE, SOLO, Subjects, joint, place_of
from backend.text_html import safe

_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "triangle-down")


def trade_off(costs: Subjects, gains: Subjects, x_title: str, y_title: str) -> go.Figure:
    """One point a training with both intervals; dotted lines at no change, where solo is.

    Joint trainings have the colour of their lambda2 and the shape of their sigma2.

    Args:
        costs: changes of the reconstruction by subject, in per cent.
        gains: changes of what should fall; subjects without both are left out.
        x_title: of the horizontal axis.
        y_title: of the vertical axis.
    """
    names = sorted((costs.keys() & gains.keys()) - {SOLO}, key=place_of)
    weights = {name: found for name in names if (found := joint(name)) is not None}
    lambdas = sorted({weight for weight, _ in weights.values()})
    sigmas = sorted({sigma for _, sigma in weights.values()})
    traces: list[Any] = []
    n_others = len(lambdas)
    for name in names:
        if name in weights:
            weight, sigma = weights[name]
            colour = HUES[lambdas.index(weight) % len(HUES)]
            symbol = _SYMBOLS[sigmas.index(sigma) % len(_SYMBOLS)]
            shown = f"λ₂ {weight:g}, σ² {sigma:g}"
        elif name == EQUAL_COMPUTE:
            colour, symbol, shown = QUIET, "x", name
        else:
            colour, symbol, shown = HUES[n_others % len(HUES)], "star", name
            n_others += 1
        traces.append(_point(safe(shown), costs[name], gains[name], colour, symbol))
    layout = axes_layout(x_title, y_title)
    for axis in ("xaxis", "yaxis"):
        layout[axis] |= {"zeroline": False, "ticksuffix": " %"}
    dotted = {"type": "line", "line": {"dash": "dot", "width": 1.5, "color": QUIET}}
    layout["shapes"] = [
        {**dotted, "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper"},
        {**dotted, "y0": 0, "y1": 0, "x0": 0, "x1": 1, "xref": "paper"},
    ]
    layout["height"] = 460
    return go.Figure(traces, layout)


def _point(name: str, cost: Record, gain: Record, colour: str, symbol: str) -> go.Scatter:
    return go.Scatter(
        x=[cost["value"]],
        y=[gain["value"]],
        error_x=_whisker(cost, colour),
        error_y=_whisker(gain, colour),
        mode="markers",
        name=name,
        marker={"size": 11, "color": colour, "symbol": symbol},
        customdata=[[told(cost), told(gain)]],
        hovertemplate=f"{name}<br>%{{yaxis.title.text}}: %{{customdata[1]}}"
        "<br>%{xaxis.title.text}: %{customdata[0]}<extra></extra>",
    )


def _whisker(row: Record, colour: str) -> dict[str, Any] | None:
    """Its 95 % interval; None where none is known."""
    if not has_interval(row):
        return None
    return {
        "type": "data",
        "symmetric": False,
        "array": [row["ci_high"] - row["value"]],
        "arrayminus": [row["value"] - row["ci_low"]],
        "thickness": 1,
        "width": 3,
        "color": colour,
    }
