"""The plane of edits: how often a fact changes against how often the others stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from backend.charts import ACCENT, OTHER, QUIET, axes_layout
from backend.edit_figures import CAUSE, ISOLATE, Methods, place_of, plain_method, short_name
from backend.records import Record
from backend.text_html import is_known, safe

# colour and shape, so that methods stay apart without colours too; readable on light and dark
_LOOKS = {
    "meta as text": (ACCENT, "circle"),
    "meta as code": (ACCENT, "diamond"),
    "whole latent": (OTHER, "square"),
    "difference of means": ("#3f9a6b", "triangle-up"),
    "probe": ("#8a6fc2", "triangle-down"),
    "other's activation": ("#5f86d8", "pentagon"),
    "meta as text, random meta-latents": (QUIET, "circle"),
    "meta as code, random meta-latents": (QUIET, "diamond"),
    "random": (QUIET, "star"),
    "nothing": (QUIET, "x"),
}
_UNKNOWN = ("#a08a2c", "hexagon")
_RANGE = [-0.03, 1.03]  # a marker at the very corner is not cut


def plane(causes: Methods, isolates: Methods) -> go.Figure:
    """One point a method; hollow where the SAE's error was left out.

    On the dotted line disentangle is one half, as when nothing is done: better is above it.

    Args:
        causes: rows of `cause` by method.
        isolates: rows of `isolate` by method; methods without both are left out.
    """
    traces = [
        _point(method, causes[method], isolates[method])
        for method in sorted(causes.keys() & isolates.keys(), key=place_of)
    ]
    n = max((row["n"] for row in causes.values()), default=0)
    layout = axes_layout(f"{CAUSE}: the fact changed (n = {n:,})", f"{ISOLATE}: the others stayed")
    line = {"dash": "dot", "width": 1.5, "color": QUIET}
    ends = {"x0": 0, "y0": 1, "x1": 1, "y1": 0}
    layout["shapes"] = [{"type": "line", **ends, "line": line, "layer": "below"}]
    layout["xaxis"] |= {"range": _RANGE, "dtick": 0.25, "zeroline": False}
    layout["yaxis"] |= {"range": _RANGE, "dtick": 0.25, "zeroline": False}
    layout["height"] = 460
    return go.Figure(traces, layout)


def _point(method: str, cause: Record, isolate: Record) -> go.Scatter:
    plain = plain_method(method)
    colour, symbol = _LOOKS.get(plain, _UNKNOWN)
    is_hollow = method != plain
    return go.Scatter(
        x=[cause["value"]],
        y=[isolate["value"]],
        error_x=_whisker(cause, colour),
        error_y=_whisker(isolate, colour),
        mode="markers",
        name=safe(short_name(method)),
        legendgroup=safe(plain),
        showlegend=not is_hollow,  # a phone has no room for twins
        marker={
            "size": 11,
            "color": colour,
            "symbol": f"{symbol}-open" if is_hollow else symbol,
            "line": {"width": 2 if is_hollow else 0, "color": colour},
        },
        hovertemplate=f"{safe(method)}<br>changed %{{x:.3f}}, others stayed %{{y:.3f}}"
        "<extra></extra>",
    )


def _whisker(row: Record, colour: str) -> dict[str, Any] | None:
    """Its 95 % interval; None where none is known."""
    low, high = row["ci_low"], row["ci_high"]
    if not (is_known(low) and is_known(high)):
        return None
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - row["value"]],
        "arrayminus": [row["value"] - low],
        "thickness": 1,
        "width": 3,
        "color": colour,
    }


def described(rows: Sequence[Record]) -> str:
    """What a screen reader hears in place of the plane; not HTML."""
    told = ", ".join(f"{row['setting']} {row['value']:.2f}" for row in rows)
    return f"Share of facts changed against share of others that stayed; disentangle: {told}"
