"""The map as a Plotly figure, and its colours; pure.

On a light page more is darker, on a dark one brighter, so that high values stand out on both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from backend.charts import ACCENT, OTHER, QUIET
from backend.latent_map import Points
from backend.map_area import Area
from backend.map_colours import Colouring
from backend.text_html import latent_name, safe, shortened

HEIGHT = 580
HOVER_LABEL = 24  # characters
# two thirds of viridis, made for colour-blind readers: the third that is near the page's colour
# is cut off, and on a light page it is turned around
SCALES = {
    "light": ("#8fd744", "#35b779", "#21908d", "#31688e", "#443983", "#440154"),
    "dark": ("#3f5f9f", "#2c8a9a", "#21a685", "#5cc863", "#aadc32", "#fde725"),
}
_GREY_OPACITY = 0.22


@dataclass(frozen=True)
class Marked:
    """One latent with a ring around it."""

    latent: int
    name: str
    x: float
    y: float


def latent_map(
    points: Points,
    colouring: Colouring,
    theme: str,
    kind: str = "sae",
    areas: Sequence[Area] = (),
    marked: Marked | None = None,
) -> go.Figure:
    """All points; the customdata of each is its latent.

    Args:
        theme: `light` or `dark`.
        kind: of the SAE, `sae` or `meta`.
        areas: drawn as the browser draws a selection, with what is outside faded.
    """
    size = _size(len(points.latents))
    hover, known = hover_names(points, kind), colouring.known
    traces = []

    def add(name: str, here: NDArray[Any], colour: Any, opacity: float, bigger: int = 0) -> None:
        traces.append(
            go.Scattergl(
                x=points.x[here],
                y=points.y[here],
                mode="markers",
                name=name,
                text=hover[here],
                customdata=points.latents[here],
                hovertemplate="%{text} (%{customdata})<extra></extra>",
                marker={"size": size + bigger, "opacity": opacity, **colour},
                unselected={"marker": {"opacity": 0.08}},
                showlegend=False,
            )
        )

    if not known.all():  # first, so that what has a colour is drawn on top
        add("grey", np.flatnonzero(~known), {"color": QUIET}, _GREY_OPACITY)
    if colouring.groups:
        is_few = known.sum() < len(known) / 10
        for place, group in enumerate(colouring.groups):
            here = np.flatnonzero(colouring.values == place)
            if len(here):
                colour = {"color": group_colours(colouring)[place]}
                add(safe(group), here, colour, 0.75, 3 * is_few)
    elif known.any():
        scaled = colouring.scaled()
        order = np.argsort(scaled, kind="stable")[: known.sum()]  # NaN sorts last
        scale = SCALES[theme]
        stops = [[place / (len(scale) - 1), colour] for place, colour in enumerate(scale)]
        colour = {"color": scaled[order], "colorscale": stops, "cmin": 0, "cmax": 1}
        add("coloured", order, colour, 0.8, 3 * (known.sum() < len(known) / 10))
    if marked is not None:
        traces.append(_ring(marked, theme))
    noun = "meta-latents" if kind == "meta" else "latents"
    axis = {"showticklabels": False, "zeroline": False, "showgrid": False, "automargin": False}
    layout = {
        "height": HEIGHT,
        "margin": {"l": 26, "r": 4, "t": 34, "b": 30},  # room for the tools above
        "clickmode": "event+select",
        "dragmode": "pan",
        "hovermode": "closest",
        "newselection": {"line": {"color": ACCENT, "width": 2}},
        "selections": [_outline(area) for area in areas],
        "xaxis": {
            "title": {"text": f"position x (n = {len(points.latents):,} {noun})", "standoff": 6},
            **axis,
        },
        "yaxis": {"title": {"text": "position y", "standoff": 4}, **axis},
    }
    return go.Figure(traces, layout)  # in one piece: updates of a figure are slow


def group_colours(colouring: Colouring) -> tuple[str, ...]:
    """One colour for each category; blue and orange stay apart for colour-blind readers."""
    return (OTHER, ACCENT, QUIET) if len(colouring.groups) > 1 else (ACCENT,)


@lru_cache(maxsize=8)  # 50,000 names take longer than all the rest of the figure
def hover_names(points: Points, kind: str = "sae") -> NDArray[Any]:
    """What the pointer shows of each point, escaped; one array, not to be changed."""
    names = [
        safe(shortened(latent_name(label, latent, kind), HOVER_LABEL))
        for label, latent in zip(points.labels, points.latents.tolist(), strict=True)
    ]
    # Plotly copies figures: rows of one width by the block, objects one by one. A label of nothing
    # but quotes would make all rows too wide
    is_narrow = max(map(len, names), default=0) <= 2 * HOVER_LABEL
    return np.array(names, str if is_narrow else object)


def _ring(marked: Marked, theme: str) -> go.Scattergl:
    colour = "#111111" if theme == "light" else "#ffffff"
    return go.Scattergl(
        x=np.array([marked.x], np.float32),
        y=np.array([marked.y], np.float32),
        mode="markers+text",
        text=[safe(shortened(marked.name, HOVER_LABEL))],
        textposition="top center",
        textfont={"size": 14, "color": colour},
        customdata=np.array([marked.latent], np.int32),
        hovertemplate="%{text} (%{customdata})<extra></extra>",
        marker={"size": 20, "symbol": "circle-open", "color": colour, "line": {"width": 3}},
        showlegend=False,
    )


def _outline(area: Area) -> dict[str, Any]:
    corners = "L".join(f"{x:g},{y:g}" for x, y in area)
    line = {"color": ACCENT, "width": 2}
    return {"type": "path", "path": f"M{corners}Z", "xref": "x", "yref": "y", "line": line}


def _size(n: int) -> float:
    """Diameter in pixels: many points must leave room between them."""
    return 9 if n <= 2_000 else 6 if n <= 8_000 else 4 if n <= 30_000 else 3
