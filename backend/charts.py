"""Rows to Plotly figures; pure. Colours read on light and dark pages, words are escaped.

Plotly reads a small HTML in every text, so labels pass through `safe` here too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from backend.queries import Graph
from backend.text_html import latent_name, safe, shortened

ACCENT = "#d0702a"  # contrast at least 3:1 on both page colours
OTHER = "#2f7fb8"  # blue and orange stay apart for colour-blind readers, on light and dark
QUIET = "#8c8a86"
FAINT = "rgba(140,138,134,0.35)"
NODE_LABEL = 15  # characters
AXES_MARGIN = {"l": 60, "r": 10, "t": 10, "b": 45}
LEGEND_ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
_MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}
_RINGS = {"latent": 0.0, "meta": 1.0, "member": 2.05}


def axes_layout(x_title: str, y_title: str) -> dict[str, Any]:
    """Two titled axes and the legend above; a new dict that the caller may change."""
    return {
        "height": 360,
        "margin": AXES_MARGIN,
        "dragmode": False,
        "legend": LEGEND_ABOVE,
        "xaxis": {"title": {"text": x_title}},
        "yaxis": {"title": {"text": y_title}},
    }


def histogram(
    edges: Sequence[float], counts: Sequence[int], x_title: str, unit: str, log: bool = False
) -> go.Figure:
    """Counts a bin.

    Args:
        edges: bin edges, one more than counts.
        counts: what `unit` counts, a bin.
        x_title: label of the horizontal axis.
        unit: what is counted, e.g. tokens.
        log: logarithmic vertical axis.
    """
    # float32 edges of a narrow range can coincide, and Plotly refuses a negative width
    widths = [max(b - a, 0.0) for a, b in pairwise(edges)]
    bars = go.Bar(
        x=[a + w / 2 for a, w in zip(edges, widths, strict=False)],
        y=list(counts),
        width=widths,
        marker={"color": ACCENT, "line": {"width": 0}},
        customdata=[[a, a + w] for a, w in zip(edges, widths, strict=False)],
        hovertemplate="%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{y:,} "
        f"{unit}<extra></extra>",
    )
    layout = {
        "height": 230,
        "margin": {**_MARGIN, "l": 50, "b": 45},
        "bargap": 0,
        "showlegend": False,
        "xaxis": {
            "title": {"text": f"{x_title} (n = {sum(counts):,})"},
            "fixedrange": True,
            "showgrid": False,
        },
        "yaxis": {
            "title": {"text": f"{unit}{', log scale' if log else ''}"},
            "type": "log" if log else "linear",
            # one decade at least: a log axis around a single count would have no tick
            "range": [-0.3, max(1.0, math.log10(max(counts)) + 0.2)] if log else None,
            "rangemode": "tozero",
            "fixedrange": True,
        },
    }
    return go.Figure([bars], layout)  # in one piece: updates of a figure are slow


def node_places(graph: Graph) -> dict[str, tuple[float, float]]:
    """Where each node is drawn: the latent in the middle, meta-latents around it, and each
    meta-latent's other members in its sector of the outer ring."""
    roles = {row["node_id"]: row["role"] for row in graph.nodes}
    metas = [node for node, role in roles.items() if role == "meta"]
    members = [node for node, role in roles.items() if role == "member"]
    places = {node: (0.0, 0.0) for node, role in roles.items() if role == "latent"}
    sector = 2 * math.pi / max(len(metas), 1)
    by_weight = sorted(graph.edges, key=lambda edge: edge["weight"])
    owner = {edge["source"]: edge["target"] for edge in by_weight}  # its heaviest edge comes last
    for place, meta in enumerate(metas):
        middle = math.pi / 2 - place * sector
        places[meta] = _polar(_RINGS["meta"], middle)
        own = [member for member in members if owner.get(member) == meta]
        for i, member in enumerate(own):
            # members keep to nine tenths of the sector, so that neighbouring sectors stay apart
            spread = ((i + 0.5) / len(own) - 0.5) * sector * 0.9
            # every other label a little further out, or long labels would cover each other
            places[member] = _polar(_RINGS["member"] + 0.28 * (i % 2), middle + spread)
    return places


def node_link(graph: Graph) -> go.Figure:
    """The graph of a decomposition; every node's customdata is [sae_id, latent, role]."""
    places = node_places(graph)
    traces = []
    edges, every_node = graph.edges, graph.nodes
    heaviest = max((edge["weight"] for edge in edges), default=1.0)
    # one trace a line width: a trace an edge would take ten times as long to draw
    for low, high, width in ((0.0, 0.34, 1.0), (0.34, 0.67, 2.2), (0.67, 1.01, 4.0)):
        xs: list[float | None] = []
        ys: list[float | None] = []
        for edge in edges:
            if low < edge["weight"] / heaviest <= high:
                (x0, y0), (x1, y1) = places[edge["source"]], places[edge["target"]]
                xs += [x0, x1, None]
                ys += [y0, y1, None]
        traces.append(
            go.Scatter(
                x=xs,
                y=ys,
                mode="lines",
                line={"width": width, "color": FAINT},
                hoverinfo="skip",
                showlegend=False,
            )
        )
    styles = {
        "latent": ("this latent", 26, ACCENT, "circle"),
        "meta": ("meta-latent", 17, ACCENT, "diamond"),
        "member": ("another latent with it", 9, QUIET, "circle"),
    }
    for role, (name, size, colour, symbol) in styles.items():
        nodes = [node for node in every_node if node["role"] == role]
        if not nodes:
            continue
        kind = "meta" if role == "meta" else "sae"
        names = [latent_name(node["label"], node["latent"], kind) for node in nodes]
        spots = [places[node["node_id"]] for node in nodes]
        traces.append(
            go.Scatter(
                x=[x for x, _ in spots],
                y=[y for _, y in spots],
                mode="markers+text",
                name=name,
                text=[safe(shortened(name, NODE_LABEL)) for name in names],
                textposition=[_text_side(x, y) for x, y in spots],
                textfont={"size": 14 if role != "member" else 11},
                marker={"size": size, "color": colour, "symbol": symbol},
                customdata=[
                    [node["sae_id"], node["latent"], role, safe(name), node["weight"]]
                    for node, name in zip(nodes, names, strict=True)
                ],
                hovertemplate="%{customdata[3]}<br>weight %{customdata[4]:.2f}<extra></extra>",
            )
        )
    layout = {
        "height": 520,
        "margin": _MARGIN,
        "clickmode": "event+select",
        "legend": {"orientation": "h", "y": 0, "x": 0, "itemclick": False},
        "dragmode": False,
        "hovermode": "closest",
        # the same unit on both axes would waste a wide page; labels need the width
        "xaxis": {"visible": False, "range": [-4.2, 4.2], "fixedrange": True},
        "yaxis": {"visible": False, "range": [-2.9, 2.7], "fixedrange": True},
    }
    return go.Figure(traces, layout)


def _polar(radius: float, angle: float) -> tuple[float, float]:
    return radius * math.cos(angle), radius * math.sin(angle)


def _text_side(x: float, y: float) -> str:
    """Away from the centre; inner nodes above or below, where fewer lines cross their label."""
    is_inner = math.hypot(x, y) < (_RINGS["meta"] + _RINGS["member"]) / 2
    if is_inner or abs(x) < 0.35:
        return "top center" if y > 0 else "bottom center"
    return "middle right" if x > 0 else "middle left"
