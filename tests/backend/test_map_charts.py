"""Colours of the map and its figure, on the planted run."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from backend import latent_map, map_charts, map_colours, queries
from backend.charts import QUIET
from backend.map_charts import Marked
from backend.map_colours import Colouring, Setting
from backend.store import Run
from tests import stitched
from tests.planted import DEAD, META, NO_COMPONENT, SMALL, TOKENS_SEEN, WIDE, labels, weights


def _traces(figure: go.Figure) -> list[Any]:
    return list(figure.data)


def _coloured(run: Run, colour: str, sae_id: str = WIDE, **setting: Any) -> Colouring:
    sae = next(sae for sae in queries.saes(run) if sae["sae_id"] == sae_id)
    chosen = Setting(meta_sae_id=META, **setting)
    points = latent_map.points(run, sae_id)
    return map_colours.colouring(run, points, sae, colour, chosen)


def test_each_colour_has_its_values_and_says_what_is_grey(run: Run) -> None:
    density = _coloured(run, "density")
    assert np.flatnonzero(~density.known).tolist() == [DEAD]
    assert density.grey == "dead: fired on none of the tokens"
    assert density.values[0] == pytest.approx(100 / TOKENS_SEEN)
    explained = _coloured(run, "explained")
    assert explained.known.all()
    stability = _coloured(run, "stability")
    assert np.flatnonzero(~stability.known).tolist() == [NO_COMPONENT]
    part = _coloured(run, "part", part=1, part_name="scientist")
    assert np.flatnonzero(part.known).tolist() == [i for i in range(32) if weights(i)[1]]
    assert part.high == pytest.approx(0.9)
    novelty = _coloured(run, "novelty", small=SMALL)
    assert [novelty.show(v) for v in novelty.values] == [stitched.kind(i) for i in range(32)]
    hit = _coloured(run, "hit", text="einstein")
    assert hit.known[0]
    assert hit.rank is not None
    assert hit.rank[0] == 0
    assert not _coloured(run, "hit").known.any()
    meta = _coloured(run, "stability", META)
    assert meta.known.all()
    assert "decoder rows" in _coloured(run, "density", META).title


def test_a_list_of_hits_that_was_cut_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _coloured(run, "hit", text="einstein").groups == ("found by “einstein”",)
    monkeypatch.setattr(latent_map, "MOST_HITS", 2)
    assert _coloured(run, "hit", text="einstein").groups == ("found by “einstein”, the best 2",)


def test_scaled_values_are_on_the_scale_in_the_same_order(run: Run) -> None:
    density = _coloured(run, "density")
    scaled = density.scaled()
    known = density.known
    assert np.isnan(scaled[~known]).all()
    assert ((scaled[known] >= 0) & (scaled[known] <= 1)).all()
    order = np.argsort(density.values[known], kind="stable")
    assert (np.diff(scaled[known][order]) >= 0).all()
    # logarithmic: the middle of the scale is the geometric mean of its ends
    middle = replace(density, values=np.array([math.sqrt(density.low * density.high)], np.float32))
    assert middle.scaled()[0] == pytest.approx(0.5, abs=1e-3)
    one = Colouring(np.array([2.0, math.nan], np.float32), "a", "a", "b", low=2.0, high=2.0)
    assert one.scaled()[0] == 1
    assert np.isnan(one.scaled()[1])


def test_colours_that_an_sae_cannot_have_come_with_the_reason(run: Run) -> None:
    by_id = {sae["sae_id"]: sae for sae in queries.saes(run)}
    assert set(map_colours.offered(by_id[WIDE], META, [SMALL]).values()) == {""}
    small = map_colours.offered(by_id[SMALL], "", [])
    assert [name for name, why in small.items() if not why] == ["density", "hit"]
    assert small["stability"] == "no meta-SAE splits it"
    meta = map_colours.offered(by_id[META], META, [])
    assert [name for name, why in meta.items() if not why] == ["density", "stability", "hit"]


@pytest.mark.parametrize("colour", list(map_colours.COLOURS))
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_figure_draws_every_point_once_as_float32(run: Run, colour: str, theme: str) -> None:
    coloured = _coloured(run, colour, part=1, part_name="x", small=SMALL, text="einstein")
    points = latent_map.points(run, WIDE)
    data = _traces(map_charts.latent_map(points, coloured, theme))
    drawn = np.concatenate([trace["customdata"] for trace in data])
    assert sorted(drawn.tolist()) == list(range(32))
    for trace in data:
        assert trace["type"] == "scattergl"
        assert {trace[axis].dtype for axis in "xy"} == {np.dtype(np.float32)}
        for place, latent in enumerate(trace["customdata"]):
            assert trace["x"][place] == points.x[latent]
    greys = [trace for trace in data if str(trace["marker"]["color"]) == QUIET]
    if colour != "novelty":  # silent latents have a grey of their own
        drawn_grey = [latent for trace in greys for latent in trace["customdata"].tolist()]
        assert drawn_grey == np.flatnonzero(~coloured.known).tolist()


def test_the_figure_escapes_labels_and_marks_one_latent(run: Run) -> None:
    points = latent_map.points(run, WIDE)
    marked = Marked(20, labels()[20], 0.5, 0.25)
    area = np.array([(0, 0), (1, 0), (1, 1)], np.float64)
    figure = map_charts.latent_map(points, _coloured(run, "density"), "dark", "sae", [area], marked)
    shown = [words for trace in _traces(figure) for words in trace["text"]]
    assert any("&lt;script&gt;" in words for words in shown)
    assert not any("<" in words or "\u202e" in words for words in shown)
    ring = _traces(figure)[-1]
    assert ring["customdata"].tolist() == [20]
    assert (float(ring["x"][0]), float(ring["y"][0])) == (0.5, 0.25)
    assert figure.to_plotly_json()["layout"]["selections"][0]["path"] == "M0,0L1,0L1,1Z"
