"""What the figures about pairs draw, against the planted pair."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from backend import splitting, stitch_charts, stitching
from backend.records import Record
from backend.store import Run
from tests.planted import SMALL, WIDE
from tests.stitched import delta_mse

PAIR = (SMALL, WIDE)


def traces(figure: go.Figure) -> list[Any]:
    """Its traces; plotly's stubs do not know what they hold."""
    return list(figure.data)


def test_the_scatter_has_a_trace_a_kind_and_every_point_its_latent(run: Run) -> None:
    points = stitching.points(run, *PAIR, 100)
    figure = stitch_charts.delta_scatter(points, mse=0.4, n=31)
    names = [trace.name for trace in traces(figure)]
    assert names == ["reconstruction", "novel"]
    assert [len(trace.x) for trace in traces(figure)] == [16, 15]
    for trace in traces(figure):
        for y, (latent, change) in zip(trace.y, trace.customdata, strict=True):
            assert change == pytest.approx(delta_mse(int(latent)) / 0.4 * 1e6, rel=2e-3)
            assert y == pytest.approx(math.asinh(change))
    assert all(np.array(traces(figure)[1].y) < 0)
    layout: Any = figure.layout
    axis = layout.yaxis
    assert [t for t, at in zip(axis.ticktext, axis.tickvals, strict=True) if at == 0] == ["0"]
    assert axis.ticktext[0] == "\u2212100" and axis.ticktext[-1] == "+100"
    assert "(n = 31)" in layout.xaxis.title.text
    part: Any = stitch_charts.delta_scatter(points[:9], mse=0.4, n=31).layout
    assert "(9 drawn of n = 31)" in part.xaxis.title.text


def test_labels_of_the_scatter_are_escaped(run: Run) -> None:
    figure = stitch_charts.delta_scatter(stitching.points(run, *PAIR, 100), mse=0.4, n=31)
    assert not [text for trace in traces(figure) for text in trace.text if "<" in text]


def test_the_curve_marks_both_saes_and_its_parts_touch(run: Run) -> None:
    curve = stitching.curve(run, *PAIR)
    figure = stitch_charts.interpolation(curve, "variance_explained", "variance explained")
    join, swap, refit, small, large = traces(figure)
    assert (small.text[0], large.text[0]) == PAIR
    assert (small.y[0], large.y[0]) == pytest.approx((0.60, 0.80))
    assert join.x[-1] == swap.x[0]
    assert len(join.x) + len(swap.x) == len(curve) + 1
    assert list(refit.y) == pytest.approx([0.60, 0.72, 0.77, 0.80])
    effect = stitch_charts.interpolation(curve, "effect", "distance")
    assert len(traces(effect)) == 4  # the refit has variance explained only
    assert list(traces(effect)[0].error_y.array) == pytest.approx([0.01] * 3)


def test_roc_starts_at_the_origin_with_chance_beside_it(run: Run) -> None:
    figure = stitch_charts.roc_curve(stitching.roc(run, *PAIR), 0.95, 31)
    curve, chance = traces(figure)
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert list(chance.x) == list(chance.y) == [0, 1]


def test_the_tree_is_as_wide_as_its_leaves(run: Run) -> None:
    nodes = splitting.descendants(run, SMALL, 3)
    (icicle,) = traces(stitch_charts.split_tree(nodes))
    assert list(icicle.values) == [2, 1, 1]
    assert list(icicle.parents) == ["", "sae-8/3", "sae-8/3"]
    assert list(icicle.ids) == ["sae-8/3", "sae-32/3", "sae-32/11"]
    assert "cosine with its parent 0.99" in icicle.customdata[1][2]


def test_leaves_of_a_deep_tree_add_up() -> None:
    def node(sae_id: str, latent: int, parent: tuple[str, int] | None) -> Record:
        of, index = parent or (None, None)
        return {"sae_id": sae_id, "latent": latent, "parent_sae_id": of, "parent": index}

    nodes = [
        node("a", 0, None),
        node("b", 0, ("a", 0)), node("b", 1, ("a", 0)),
        node("c", 0, ("b", 0)), node("c", 1, ("b", 0)), node("c", 2, ("b", 0)),
    ]  # fmt: skip
    # b/1 has no child, so it counts itself: 3 + 1
    assert stitch_charts._leaves(nodes) == [4, 3, 1, 1, 1, 1]
