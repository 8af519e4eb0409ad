"""Bars: where they start and end, below 0 too, and what stands beside them."""

from __future__ import annotations

import math

import pytest

from backend.records import Record
from backend.trust_bars import CIRCLE, UNIT, Bar, Scale, bars_html, plot_html, scale_of


def row(value: float, low: float | None = None, high: float | None = None) -> Record:
    return {"value": value, "ci_low": low, "ci_high": high, "n": 2458}


def test_the_axis_has_round_ends_around_every_figure() -> None:
    scale = scale_of([Bar("a", row(0.47, 0.46, 0.48)), Bar("b", row(-0.51, -0.52, -0.5))])
    # steps of 0.1 would be 6 below 0 and 5 above, more than fit; of 0.2 they are 3 and 3
    assert scale.ticks == pytest.approx([-0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6])


def test_the_circle_and_the_interval_are_on_the_axis_too() -> None:
    assert scale_of([Bar("a", row(0.3), beside=0.56)]).high == pytest.approx(0.6)
    assert scale_of([Bar("a", row(0.3, 0.1, 0.75))]).high == pytest.approx(0.8)


def test_an_axis_of_nothing_or_of_no_numbers_can_be_drawn() -> None:
    for bars in ([], [Bar("a", row(math.nan))], [Bar("a", row(0.0))]):
        scale = scale_of(bars)
        assert scale.high > scale.low
        assert "nan" not in bars_html(bars, scale).replace("nan]", "")


def test_a_bar_goes_from_the_origin_to_its_value() -> None:
    scale = Scale(-0.5, 0.5, 0.0, 0.25)
    above, below = bars_html([Bar("a", row(0.25))], scale), bars_html([Bar("a", row(-0.25))], scale)
    # 0 is in the middle of the axis, a quarter of a unit is a quarter of it
    assert '<span style="margin-left:50.0%;width:25.0%"></span>' in above
    assert '<span style="margin-left:25.0%;width:25.0%"></span>' in below
    assert 'class="bar negative"' in below and "negative" not in above
    assert "<b>\u22120.25</b>" in below
    assert '<u style="left:50.0%"></u>' in below  # the line at 0


def test_bars_can_start_at_chance() -> None:
    html = bars_html([Bar("a", row(0.75)), Bar("b", row(0.4))], Scale(0.25, 1.0, 0.5, 0.25))
    # from 0.5, a third of the axis: up to 0.75 a third more, down to 0.4 by 0.1 / 0.75
    assert '<span style="margin-left:33.3%;width:33.3%"></span>' in html
    assert '<span style="margin-left:20.0%;width:13.3%"></span>' in html
    assert html.count("negative") == 1


def test_an_interval_is_drawn_at_its_place_and_never_too_thin_to_see() -> None:
    assert '<i style="left:40.0%;width:20.0%"></i>' in bars_html(
        [Bar("a", row(0.5, 0.4, 0.6))], UNIT
    )
    assert '<i style="left:50.0%;width:0.3%"></i>' in bars_html(
        [Bar("a", row(0.5, 0.5, 0.5))], UNIT
    )
    assert "<i " not in bars_html([Bar("a", row(0.5))], UNIT)


def test_the_circle_is_drawn_and_told() -> None:
    html = plot_html([Bar("a", row(0.5), beside=0.75)], UNIT, "axis", {"own": "x", CIRCLE: "<y>"})
    assert '<em class="circle" style="left:75.0%"></em>' in html
    assert '<small><em class="circle"></em>0.75</small>' in html
    assert '<i class="circle"></i>&lt;y&gt;' in html
    assert 'class="measured beside"' in html
    assert '<span style="left:25.00%">0.25</span>' in html  # a tick of the axis
