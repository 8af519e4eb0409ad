"""Figures about pairs of SAEs: dMSE against cosine, interpolation, ROC, the tree of splitting."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from backend.charts import (
    ACCENT,
    AXES_MARGIN,
    FAINT,
    LEGEND_ABOVE,
    NODE_LABEL,
    OTHER,
    QUIET,
    axes_layout,
)
from backend.records import Record, column
from backend.splitting import SIMILAR_COSINE
from backend.stitch_html import MILLION
from backend.text_html import latent_name, safe, shortened

NOVEL = OTHER
MOST_POINTS = 4_000  # more of them fill the same cloud, and every rerun of the page would draw them
_PALETTE = (
    "#d0702a", "#2f7fb8", "#8a6fc2", "#3f9a6b", "#c2557d", "#a08a2c", "#4b9aa6", "#97694a",
)  # fmt: skip


def delta_scatter(points: Sequence[Record], mse: float, n: int) -> go.Figure:
    """Each latent's maximum cosine against what adding it changes; customdata is [latent].

    Args:
        points: latent, label, delta_mse, max_cosine, kind.
        mse: of the smaller SAE; changes are shown as millionths of it.
        n: latents that fired, of which `points` are all or a random part.

    The vertical axis is an inverse hyperbolic sine: linear around 0, logarithmic far from it.
    """
    traces = []
    largest = 1.0
    for kind, colour in (("reconstruction", ACCENT), ("novel", NOVEL)):
        own = [point for point in points if point["kind"] == kind]
        change = np.array(column(own, "delta_mse"), np.float64) / mse * MILLION
        largest = max(largest, float(np.abs(change).max(initial=0.0)))
        names = [safe(shortened(latent_name(p["label"], p["latent"]), NODE_LABEL)) for p in own]
        traces.append(
            go.Scattergl(
                x=np.array(column(own, "max_cosine"), np.float32),
                y=np.arcsinh(change),
                mode="markers",
                name=kind,
                marker={"size": 5 if len(points) > 3000 else 8, "color": colour, "opacity": 0.55},
                text=np.array(names, object),  # of a list Plotly looks at every item in Python
                customdata=np.column_stack([np.array(column(own, "latent"), np.float64), change]),
                hovertemplate="%{text} (%{customdata[0]})<br>cosine %{x:.2f}"
                "<br>change %{customdata[1]:+.3g} millionths<extra></extra>",
            )
        )
    decades = [10.0**i for i in range(math.ceil(math.log10(largest)) + 1)]
    ticks = [*(-tick for tick in reversed(decades)), 0.0, *decades]
    drawn = f"n = {n:,}" if len(points) == n else f"{len(points):,} drawn of n = {n:,}"
    rule = {"x0": SIMILAR_COSINE, "x1": SIMILAR_COSINE, "y0": 0, "y1": 1, "yref": "paper"}
    layout = {
        "height": 440,
        "margin": AXES_MARGIN,
        "clickmode": "event+select",
        "dragmode": "pan",
        "legend": {**LEGEND_ABOVE, "itemsizing": "constant"},  # points alone are hard to see
        "shapes": [{"type": "line", **rule, "line": {"dash": "dot", "width": 1, "color": QUIET}}],
        "xaxis": {"title": {"text": f"cosine with the nearest latent<br>({drawn})"}},
        "yaxis": {
            "title": {"text": "change of the error, millionths"},
            "tickvals": [math.asinh(tick) for tick in ticks],
            "ticktext": [_signed(tick) for tick in ticks],
            "zeroline": True,
            "zerolinewidth": 1,
            "zerolinecolor": QUIET,
        },
    }
    return go.Figure(traces, layout)


def interpolation(curve: Sequence[Record], metric: str, title: str) -> go.Figure:
    """The way from the smaller to the larger SAE over L0; both SAEs are marked.

    Args:
        curve: rows of `stitch_curve`, by step.
        metric: `mse`, `variance_explained` or `effect`; the latter with its interval.
        title: label of the vertical axis.
    """
    traces = []
    for actions, name, colour in (
        (("start", "insert"), "novel latents join", NOVEL),
        (("swap", "rest", "bias"), "groups are swapped", ACCENT),
    ):
        rows = [row for row in curve if row["action"] in actions]
        before = [row for row in curve if rows and row["step"] == rows[0]["step"] - 1]
        rows = before + rows  # so that the two parts touch
        if not rows:
            continue
        error = None
        if metric == "effect":
            error = {
                "type": "data",
                "symmetric": False,
                "array": np.array([row["effect_high"] - row["effect"] for row in rows]),
                "arrayminus": np.array([row["effect"] - row["effect_low"] for row in rows]),
                "thickness": 0.8,
                "width": 0,
            }
        traces.append(
            go.Scatter(
                x=np.array(column(rows, "l0")),
                y=np.array(column(rows, metric)),
                error_y=error,
                mode="lines+markers",
                name=name,
                line={"color": colour, "width": 2},
                marker={"size": 5},
                customdata=np.array(
                    [[row["action"], row["n_small"], row["n_large"]] for row in rows], object
                ),
                hovertemplate="%{customdata[0]}: %{customdata[1]:,} + %{customdata[2]:,} latents"
                "<br>L0 %{x:.2f}, %{y:.4g}<extra></extra>",
            )
        )
    refit = [row for row in curve if row["refit_variance_explained"] is not None]
    if metric == "variance_explained" and refit:
        traces.append(
            go.Scatter(
                x=column(refit, "l0"),
                y=column(refit, "refit_variance_explained"),
                mode="lines+markers",
                name="decoder refitted",
                line={"color": QUIET, "width": 1.5, "dash": "dash"},
                marker={"symbol": "diamond", "size": 7},
                hovertemplate="refitted: %{y:.4f}<extra></extra>",
            )
        )
    for row, name in ((curve[0], curve[0]["small_sae_id"]), (curve[-1], curve[-1]["large_sae_id"])):
        traces.append(
            go.Scatter(
                x=[row["l0"]],
                y=[row[metric]],
                mode="markers+text",
                text=[safe(name)],
                textposition="top center",
                marker={"size": 13, "symbol": "star", "color": QUIET},
                showlegend=False,
                hovertemplate=f"{safe(name)}: %{{y:.4g}}<extra></extra>",
            )
        )
    return go.Figure(traces, axes_layout(f"L0, latents a token (n = {len(curve)} steps)", title))


def roc_curve(points: Sequence[Record], auc: float, n: int) -> go.Figure:
    """How well the decoder alone tells novel latents; the diagonal is what chance does."""
    curve = go.Scatter(
        x=np.array([0.0, *column(points, "false_positive")]),
        y=np.array([0.0, *column(points, "true_positive")]),
        mode="lines",
        line={"color": NOVEL, "width": 2},
        name=f"cosine below a cut, AUC {auc:.3f}",
        customdata=np.array([0.0, *column(points, "cut")]),
        hovertemplate="cosine below %{customdata:.2f}: %{y:.0%} of the novel, "
        "%{x:.0%} of the others<extra></extra>",
    )
    chance = go.Scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="chance", hoverinfo="skip",
        line={"color": FAINT, "dash": "dot"},
    )  # fmt: skip
    layout = axes_layout(f"reconstructions taken for novel (n = {n:,})", "novel latents found")
    layout["xaxis"]["range"], layout["yaxis"]["range"] = [0, 1], [0, 1.01]
    return go.Figure([curve, chance], layout)


def component_colours(nodes: Sequence[Record]) -> list[tuple[int, str, str]]:
    """The commonest strongest components of a tree: (meta_latent, label, colour), most first."""
    labels = {node["meta_latent"]: node["meta_label"] for node in nodes}
    metas = [node["meta_latent"] for node in nodes if node["meta_latent"] is not None]
    commonest = sorted(set(metas), key=lambda meta: (-metas.count(meta), meta))
    return [
        (meta, latent_name(labels[meta], meta, "meta"), colour)
        for meta, colour in zip(commonest, _PALETTE, strict=False)
    ]


def split_tree(nodes: Sequence[Record]) -> go.Figure:
    """An icicle from a latent to its descendants; customdata is [sae_id, latent].

    Every latent is as wide as its descendants in the largest SAE, and has the colour of its
    strongest component; the commonest components get a colour of their own.
    """
    colours = {meta_latent: colour for meta_latent, _, colour in component_colours(nodes)}
    icicle = go.Icicle(
        ids=[f"{node['sae_id']}/{node['latent']}" for node in nodes],
        parents=[
            "" if node["parent"] is None else f"{node['parent_sae_id']}/{node['parent']}"
            for node in nodes
        ],
        labels=[safe(latent_name(node["label"], node["latent"])) for node in nodes],
        values=_leaves(nodes),
        branchvalues="total",
        customdata=[[node["sae_id"], node["latent"], _told(node)] for node in nodes],
        hovertemplate="%{label}<br>%{customdata[0]}/%{customdata[1]}%{customdata[2]}<extra></extra>",
        marker={
            "colors": [colours.get(node["meta_latent"], QUIET) for node in nodes],
            "line": {"width": 1},
        },
        tiling={"orientation": "v"},
        root={"color": "rgba(0,0,0,0)"},
    )
    figure = go.Figure([icicle])
    depth = max((node["depth"] for node in nodes), default=0) + 1
    figure.update_layout(height=70 * depth + 40, margin={"l": 0, "r": 0, "t": 5, "b": 5})
    return figure


def _leaves(nodes: Sequence[Record]) -> list[int]:
    """For each node the number of leaves below it, at least 1; parents come before children."""
    leaves = {(node["sae_id"], node["latent"]): 0 for node in nodes}
    for node in reversed(nodes):
        own = (node["sae_id"], node["latent"])
        leaves[own] = max(leaves[own], 1)
        if node["parent"] is not None:
            leaves[node["parent_sae_id"], node["parent"]] += leaves[own]
    return [leaves[node["sae_id"], node["latent"]] for node in nodes]


def _told(node: Record) -> str:
    words = ""
    if node["cosine"] is not None:
        words += f"<br>cosine with its parent {node['cosine']:.2f}"
    if node["together_share"] is not None:
        words += f"<br>fires with its parent on {node['together_share']:.0%} of its tokens"
    if node["meta_label"] is not None:
        words += f"<br>strongest component: {safe(shortened(node['meta_label'], 40))}"
    return words


def _signed(tick: float) -> str:
    return "0" if tick == 0 else f"{tick:+,.0f}".replace("-", "\u2212")
