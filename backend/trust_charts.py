"""Figures of the Trust page: variance explained over size, and how near directions come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from backend.charts import ACCENT, OTHER, QUIET, axes_layout
from backend.records import Record, column
from backend.splitting import SIMILAR_COSINE
from backend.text_html import is_known, safe
from backend.trust_figures import COVARIANCE, DECODER_ROWS, ISOTROPIC, bounds

# a legend on a phone is as wide as its longest name
SHORT_NAMES = {COVARIANCE: "covariance-matched", ISOTROPIC: "isotropic"}

# from small to large: hues in the order of the spectrum, apart from the accent on light and dark
_SIZES = ("#c2557d", "#8a6fc2", "#2f7fb8", "#2f9c95", "#5a9a3f", "#a08a2c", "#8c8a86")
_DASHES = ("solid", "dash", "dot")
_CLOSEST_TICKS = 1.45  # ratio of two sizes whose labels still fit beside each other on a phone


def width_sweep(
    lines: dict[str, list[Record]], smaller: Sequence[Record], split_words: str
) -> go.Figure:
    """Variance explained over the number of meta-latents, a line a subject, with intervals.

    Args:
        lines: of `trust_figures.sweep_points`.
        smaller: of `trust_figures.sae_points`: SAEs used as dictionaries, as points.
        split_words: which rows, e.g. "held out".
    """
    traces: list[Any] = []
    n_nulls = 0
    for subject, points in lines.items():
        is_real = subject == DECODER_ROWS
        dash = "solid" if is_real else _DASHES[min(n_nulls, 2)]
        n_nulls += not is_real
        style = {"color": ACCENT if is_real else QUIET, "width": 2.5 if is_real else 1.8}
        traces.append(
            go.Scatter(
                x=column(points, "n_meta"),
                y=column(points, "value"),
                error_y=_whiskers(points),
                mode="lines+markers",
                name=safe(SHORT_NAMES.get(subject, subject)),
                line={**style, "dash": dash},
                marker={"size": 6},
                hovertemplate="%{x:,} meta-latents: %{y:.3f}<extra></extra>",
            )
        )
    if smaller:
        traces.append(
            go.Scatter(
                x=column(smaller, "n_meta"),
                y=column(smaller, "value"),
                error_y=_whiskers(smaller),
                mode="markers",
                name="smaller SAEs",
                marker={"size": 10, "symbol": "diamond", "color": OTHER},
                text=[safe(row["subject"]) for row in smaller],
                hovertemplate="%{text}, %{x:,} directions: %{y:.3f}<extra></extra>",
            )
        )
    seeds = max((row["n"] for points in lines.values() for row in points), default=0)
    layout = axes_layout(
        f"meta-latents, or latents of the SAE (n = {seeds:,} seeds)",
        f"variance explained, {split_words}",
    )
    sizes = [row["n_meta"] for points in [*lines.values(), list(smaller)] for row in points]
    ticks = _apart(sorted(set(sizes)))
    layout["xaxis"] |= {"type": "log", "tickvals": ticks, "ticktext": [f"{t:,}" for t in ticks]}
    layout["yaxis"] |= {"zeroline": True, "zerolinecolor": QUIET, "zerolinewidth": 1}
    layout["height"] = 400
    return go.Figure(traces, layout)


def nearest_cosines(
    lines: Sequence[tuple[str, Record]], control: tuple[str, Record] | None, counted: str
) -> go.Figure:
    """Histograms of best matches as overlaid step lines, with a dotted line at 0.7.

    Args:
        lines: (name, row of `cosine_histograms`), SAEs from small to large; the accent is for a
            meta-SAE.
        control: random directions, the same.
        counted: what is counted, with n, for the axis.
    """
    traces: list[Any] = []
    n_saes = 0
    for name, row in lines:
        is_meta = name.startswith("meta")
        colour = ACCENT if is_meta else _SIZES[min(n_saes, len(_SIZES) - 1)]
        n_saes += not is_meta
        traces.append(_steps(name, row, {"color": colour, "width": 2.6 if is_meta else 1.6}))
    if control is not None:
        style = {"color": QUIET, "width": 1.8, "dash": "dash"}
        traces.append(_steps("random", control[1], style, control[0]))
    first = min((row["edges"][0] for _, row in lines if row["edges"]), default=0.0)
    layout = axes_layout(f"cosine of the best match ({counted})", "share of directions a bin")
    rule = {"x0": SIMILAR_COSINE, "x1": SIMILAR_COSINE, "y0": 0, "y1": 1, "yref": "paper"}
    layout["shapes"] = [
        {"type": "line", **rule, "line": {"dash": "dot", "width": 1.5, "color": QUIET}}
    ]
    layout["yaxis"] |= {"tickformat": ".0%", "rangemode": "tozero"}
    layout["xaxis"] |= {"dtick": 0.2, "zeroline": False, "range": [min(first, 0.0), 1.0]}
    layout["height"] = 400
    return go.Figure(traces, layout)


def _steps(name: str, row: Record, style: dict[str, Any], told: str = "") -> go.Scatter:
    edges, total = list(row["edges"]), max(row["n"], 1)
    shares = [count / total for count in row["counts"]]
    return go.Scatter(
        x=edges[:1] + edges,  # up from 0 at the first edge, back to 0 at the last
        y=[0.0, *shares, 0.0] if shares else [],
        mode="lines",
        name=safe(name),
        line={**style, "shape": "hv"},
        hovertemplate=f"{safe(told or name)}<br>from %{{x:.2f}}: %{{y:.1%}}<extra></extra>",
    )


def _whiskers(rows: Sequence[Record]) -> dict[str, Any] | None:
    """95 % intervals; None when no row has one."""
    if not any(is_known(row["ci_low"]) and is_known(row["ci_high"]) for row in rows):
        return None
    ends = [(row["value"], *bounds(row)) for row in rows]
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - value for value, _, high in ends],
        "arrayminus": [value - low for value, low, _ in ends],
        "thickness": 1.2,
        "width": 4,
    }


def _apart(sizes: Sequence[int]) -> list[int]:
    """Sizes whose labels do not touch on a log axis."""
    kept: list[int] = []
    for size in sizes:
        if not kept or size >= _CLOSEST_TICKS * kept[-1]:
            kept.append(size)
    return kept
