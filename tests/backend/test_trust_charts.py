"""What the two figures of the Trust page draw."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import pytest

from backend import queries, trust
from backend.records import Record
from backend.store import Run
from backend.trust_charts import nearest_cosines, width_sweep
from backend.trust_cosines import META_IN_SAES, panel
from backend.trust_figures import sae_points, sweep_points
from tests.trusted import HELD_OUT, HOSTILE_LABEL, measurement_rows


def traces(figure: go.Figure) -> list[Any]:
    """Its traces; plotly's stubs do not know what they hold."""
    return list(figure.data)


def sweep() -> go.Figure:
    rows = list(measurement_rows())
    lines = sweep_points([r for r in rows if r["experiment"] == "width_sweep"], HELD_OUT)
    points = sae_points([r for r in rows if r["experiment"] == "methods"], HELD_OUT)
    return width_sweep(lines, points, "held out")


def test_the_sweep_has_a_line_a_subject_with_intervals_and_smaller_saes_as_points() -> None:
    figure = sweep()
    real, covariance, isotropic, saes = traces(figure)
    assert [real.name, covariance.name, isotropic.name] == [
        "decoder rows", "covariance-matched", "isotropic",
    ]  # fmt: skip
    assert list(real.x) == [2, 4, 16]
    assert list(real.y) == [0.30, 0.47, 0.67]
    assert list(real.error_y.array) == pytest.approx([0.01] * 3)
    assert list(real.error_y.arrayminus) == pytest.approx([0.01] * 3)
    assert real.line.color != covariance.line.color == isotropic.line.color
    assert covariance.line.dash != isotropic.line.dash
    assert (saes.mode, list(saes.x), list(saes.y)) == ("markers", [8], [0.6])
    layout: Any = figure.layout
    assert layout.xaxis.type == "log"
    assert list(layout.xaxis.tickvals) == [2, 4, 8, 16]
    assert "(n = 5 seeds)" in layout.xaxis.title.text
    assert "held out" in layout.yaxis.title.text


def test_hostile_subjects_of_the_sweep_are_escaped() -> None:
    point: Record = {"subject": HOSTILE_LABEL, "value": 0.1, "n": 1, "n_meta": 4}
    point |= {"ci_low": None, "ci_high": None}
    figure = width_sweep({HOSTILE_LABEL: [point]}, [point], "held out")
    drawn = traces(figure)
    assert drawn[0].name == drawn[1].text[0] == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert drawn[0].error_y.array is None  # no interval known


def test_steps_are_shares_that_start_and_end_at_0(run: Run) -> None:
    shown = panel(trust.cosine_histograms(run), queries.saes(run), META_IN_SAES)
    figure = nearest_cosines(shown.lines, shown.control, shown.counted)
    small, wide, random = traces(figure)
    assert (small.name, wide.name, random.name) == ("sae-8", "sae-32", "random")
    assert small.line.shape == "hv"
    # counts 0, 0, 1, 3 of 4: up from 0 at the first edge, from each edge to the next, back to 0
    assert list(small.x) == [0.0, 0.0, 0.25, 0.5, 0.75, 1.0]
    assert list(small.y) == [0.0, 0.0, 0.0, 0.25, 0.75, 0.0]
    assert list(random.y) == [0.0, 0.75, 0.25, 0.0, 0.0, 0.0]
    assert random.line.dash == "dash" and small.line.dash is None
    layout: Any = figure.layout
    (rule,) = layout.shapes
    assert (rule.x0, rule.x1, rule.line.dash) == (0.7, 0.7, "dot")
    assert "n = 4 meta-latents" in layout.xaxis.title.text


def test_a_meta_sae_has_the_accent_and_every_sae_a_colour_of_its_own(run: Run) -> None:
    (row, *_) = trust.cosine_histograms(run)
    names = ["sae-1", "sae-2", "sae-3", "sae-4", "sae-5", "sae-6", "meta-4"]
    drawn = traces(nearest_cosines([(name, row) for name in names], None, "n = 4"))
    assert len({trace.line.color for trace in drawn}) == len(names)
    assert drawn[-1].line.width > drawn[0].line.width
