"""An analogy as a figure: a latent moves away from one direction and towards another."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from backend.arithmetic import Sum
from backend.charts import ACCENT, OTHER, QUIET, axes_layout
from backend.text_html import safe, shortened

LABEL_LENGTH = 22
LABELLED = 6  # the nearest ones; more names would cover each other


def analogy(
    found: Sum, captions: Sequence[str], names: Sequence[str], axes: tuple[int, int]
) -> go.Figure:
    """Latents by their cosine with two directions of a sum; an arrow from the start to the sum.

    Args:
        found: the sum.
        captions: names of its directions, the start first; untrusted.
        names: names of `found.latents`, in order; untrusted.
        axes: which two directions are the axes, as places in `captions`.
    """
    x, y = axes
    start, own = found.start, found.own
    texts = [safe(shortened(name, LABEL_LENGTH)) for name in names]
    near = go.Scatter(
        x=[one.cosines[x] for one in found.latents],
        y=[one.cosines[y] for one in found.latents],
        mode="markers+text",
        name=f"nearest latents (n = {len(found.latents)})",
        text=[text if place < LABELLED else "" for place, text in enumerate(texts)],
        textposition="top center",
        customdata=[[text, one.cosine] for text, one in zip(texts, found.latents, strict=True)],
        hovertemplate="%{customdata[0]}<br>cosine with the sum %{customdata[1]:.2f}<extra></extra>",
        marker={"color": OTHER, "size": 9},
    )
    ends = go.Scatter(
        x=[start[x], own[x]],
        y=[start[y], own[y]],
        mode="markers+text",
        name="the latent, and the sum",
        text=[safe(shortened(captions[0], LABEL_LENGTH)), "the sum"],
        textposition="bottom center",
        hoverinfo="text",
        marker={"color": ACCENT, "size": 12, "symbol": ["circle", "diamond"]},
    )
    figure = go.Figure([near, ends])
    layout = axes_layout(
        f"cosine with {safe(shortened(captions[x], LABEL_LENGTH))}",
        f"cosine with {safe(shortened(captions[y], LABEL_LENGTH))}",
    )
    figure.update_layout(
        **layout,
        annotations=[
            {
                "x": own[x], "y": own[y], "ax": start[x], "ay": start[y],
                "xref": "x", "yref": "y", "axref": "x", "ayref": "y",
                "showarrow": True, "arrowhead": 2, "arrowwidth": 1.5, "arrowcolor": QUIET,
                "standoff": 7, "startstandoff": 7, "text": "",
            }
        ],
    )  # fmt: skip
    return figure
