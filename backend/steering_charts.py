"""Effect against damage of steering: one line a method over its strengths, the front marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from backend.charts import QUIET, axes_layout
from backend.experiment_charts import HUES, has_interval, span_of_n, whiskers
from backend.steering_figures import FAIR_DAMAGE, METHODS, RANDOM, Point
from backend.text_html import number, safe

# damage runs from thousandths of a nat to several nats and may be below 0: an inverse hyperbolic
# sine is linear below this and logarithmic above
LINEAR_DAMAGE = 0.01  # nats
_TICKS = (-0.1, -0.01, 0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


def drawn_damage(damage: float) -> float:
    """Where a damage in nats stands on the axis."""
    return math.asinh(damage / LINEAR_DAMAGE)


def effect_against_damage(points: Sequence[Point], unit: str) -> go.Figure:
    """Lines of the methods; customdata is [strength, damage, what the box says].

    Args:
        points: of `steering_figures.points`.
        unit: of the effect.
    """
    methods = dict.fromkeys(point.method for point in points)
    traces: list[Any] = [_line(name, [p for p in points if p.method == name]) for name in methods]
    front = [point for point in points if point.is_on_front]
    if front:
        traces.append(
            go.Scatter(
                x=[drawn_damage(point.damage["value"]) for point in front],
                y=[point.effect["value"] for point in front],
                mode="markers",
                name="Pareto front",
                marker={
                    "size": 14,
                    "symbol": "circle-open",
                    "color": QUIET,
                    "line": {"width": 1.8, "color": QUIET},
                },
                hoverinfo="skip",
            )
        )
    damages = [point.damage["value"] for point in points]
    layout = axes_layout(
        "damage: rise of the cross-entropy, nats",
        f"{unit}, {span_of_n([point.effect for point in points])}",
    )
    low, high = min(damages, default=0.0), max(damages, default=1.0)
    ticks = [tick for tick in _TICKS if min(low, 0.0) - 1e-9 <= tick <= high * 1.5]
    layout["xaxis"] |= {
        "tickvals": [drawn_damage(tick) for tick in ticks],
        "ticktext": [number(tick, 3).rstrip("0").rstrip(".") or "0" for tick in ticks],
        "zeroline": False,
    }
    layout["yaxis"] |= {"zeroline": True, "zerolinecolor": QUIET, "zerolinewidth": 1}
    at = drawn_damage(FAIR_DAMAGE)
    rule = {"x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper"}
    layout["shapes"] = [
        {"type": "line", **rule, "line": {"dash": "dot", "width": 1.5, "color": QUIET}}
    ]
    layout["height"] = 460
    return go.Figure(traces, layout)


def _line(method: str, points: Sequence[Point]) -> go.Scatter:
    is_control = method == RANDOM
    known = METHODS.index(method) if method in METHODS else len(METHODS)
    colour = QUIET if is_control else HUES[known % len(HUES)]
    return go.Scatter(
        x=[drawn_damage(point.damage["value"]) for point in points],
        y=[point.effect["value"] for point in points],
        error_y=whiskers([point.effect for point in points]),
        mode="lines+markers",
        name=safe(method),
        line={"color": colour, "width": 2.2, "dash": "dash" if is_control else "solid"},
        marker={"size": 6},
        customdata=[[point.strength, point.damage["value"], _told(point)] for point in points],
        hovertemplate=f"{safe(method)}, strength %{{customdata[0]:.3~g}}<br>%{{customdata[2]}}"
        "<extra></extra>",
    )


def _told(point: Point) -> str:
    effect, damage = point.effect, point.damage
    told = f"effect {number(effect['value'], 3)}"
    if has_interval(effect):
        told += f" [{number(effect['ci_low'], 3)}, {number(effect['ci_high'], 3)}]"
    told += f", damage {number(damage['value'], 3)}"
    return f"{told}<br>on the Pareto front" if point.is_on_front else told
