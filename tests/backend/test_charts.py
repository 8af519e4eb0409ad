"""Figures: what is drawn where, and what cannot be drawn."""

from __future__ import annotations

import math
from typing import Any

import pytest

from backend import charts, queries
from backend.queries import Graph
from backend.records import column
from backend.store import Run


def test_histogram_bars_stand_on_their_bins_and_the_axes_are_labelled() -> None:
    figure: Any = charts.histogram([0.0, 1.0, 3.0], [5, 2], "activation", "tokens")
    bars = figure.data[0]
    assert list(bars.x) == [0.5, 2.0]
    assert list(bars.width) == [1.0, 2.0]
    assert list(bars.y) == [5, 2]
    assert figure.layout.xaxis.title.text == "activation (n = 7)"
    assert figure.layout.yaxis.title.text == "tokens"


def test_a_log_axis_has_a_range_even_for_one_count() -> None:
    figure: Any = charts.histogram([0.0, 1.0], [1], "activation", "tokens", log=True)
    assert figure.layout.yaxis.type == "log"
    low, high = figure.layout.yaxis.range
    assert high - low >= 1
    assert figure.layout.yaxis.title.text == "tokens, log scale"


def test_edges_that_coincide_draw_bars_without_width() -> None:
    figure: Any = charts.histogram([1.0, 1.0, 0.9999999], [3, 0], "activation", "tokens")
    assert list(figure.data[0].width) == [0.0, 0.0]


def test_every_node_is_drawn_once_and_carries_its_address(run: Run) -> None:
    graph = queries.decomposition_graph(run, "meta-4", 0)
    figure: Any = charts.node_link(graph)
    drawn = [
        data for trace in figure.data if trace.customdata is not None for data in trace.customdata
    ]
    assert {(sae_id, latent) for sae_id, latent, *_ in drawn} == set(
        zip(column(graph.nodes, "sae_id"), column(graph.nodes, "latent"), strict=True)
    )
    assert len(drawn) == len(graph.nodes)
    assert [data[2] for data in drawn].count("latent") == 1
    # every edge is in exactly one of the three line widths: two points and a gap each
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert sum(len(trace.x) for trace in lines) == 3 * len(graph.edges)


def test_the_latent_is_in_the_middle_and_no_two_nodes_share_a_place(run: Run) -> None:
    graph = queries.decomposition_graph(run, "meta-4", 0)
    places = charts.node_places(graph)
    assert places["sae-32/0"] == (0.0, 0.0)
    spots = list(places.values())
    closest = min(math.dist(a, b) for i, a in enumerate(spots) for b in spots[:i])
    assert closest > 0.2
    assert math.dist(places["meta-4/1"], (0, 0)) == pytest.approx(1.0)


def test_labels_in_a_figure_are_escaped() -> None:
    names = ("node_id", "sae_id", "latent", "label", "role", "weight")
    nodes = [
        dict(zip(names, ("s/0", "s", 0, "<b>x</b>", "latent", 1.0), strict=True)),
        dict(zip(names, ("m/0", "m", 0, "\u202ey", "meta", 0.5), strict=True)),
    ]
    edges = [{"source": "s/0", "target": "m/0", "weight": 0.5}]
    written = str(charts.node_link(Graph(nodes, edges)).to_json())
    assert "<b>" not in written
    assert "[U+202E]y" in written


def test_an_empty_graph_draws_no_node() -> None:
    figure: Any = charts.node_link(Graph([], []))
    assert all(trace.mode == "lines" for trace in figure.data)
