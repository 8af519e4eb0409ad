"""Bars of attention's heads: order, widths, what is folded, and shares that are no numbers."""

from __future__ import annotations

import math
import re

from backend.glossary import meaning
from backend.heads_html import SHOWN_HEADS, heads_html


def _names(html: str) -> list[str]:
    return re.findall(r'<span class="what">(.*?)</span>', html)


def test_heads_stand_by_share_with_bars_on_one_axis_from_0_to_1() -> None:
    html = heads_html((0.125, 0.25, 0.0, 0.625), 32)
    assert _names(html) == ["head 3", "head 1", "head 0", "head 2"]
    assert re.findall(r'<span style="width:(.*?)%"></span>', html) == [
        "62.5",
        "25.0",
        "12.5",
        "0.0",
    ]
    # an equal share of four heads is a quarter
    assert html.count('<u style="left:25.0%"></u>') == 4
    assert "an equal share for every head, 0.25." in html
    assert re.findall(r'<span style="left:.*?">(.*?)</span>', html) == [
        "0",
        "0.25",
        "0.5",
        "0.75",
        "1",
    ]
    assert "(n = 4 heads of 8 dimensions, adding up to 1)" in html
    assert 'title="head 3: 0.625 of the squared length"' in html
    assert meaning("head share").split(":")[0] in html
    assert "<details" not in html


def test_it_says_how_many_heads_hold_half() -> None:
    assert "Head 3 alone holds at least half" in heads_html((0.1, 0.2, 0.2, 0.5), 8)
    assert "2 of 4 heads hold at least half" in heads_html((0.3, 0.1, 0.2, 0.4), 8)
    assert "lies in none of the heads" in heads_html((0.0, 0.0), 8)


def test_weak_heads_are_folded_under_the_strong() -> None:
    shares = tuple((i + 1) / 210 for i in range(20))  # 1 + ... + 20 = 210
    before, folded = heads_html(shares, 40).split("<details")
    assert len(_names(before)) == SHOWN_HEADS
    assert _names(before)[0] == "head 19"
    assert "12 more heads" in folded
    assert _names(folded)[-1] == "head 0"


def test_shares_that_are_no_numbers_are_drawn_as_none() -> None:
    html = heads_html((0.5, None, math.nan, math.inf), 8)
    assert _names(html)[0] == "head 0"
    assert "nan" not in html
    assert "inf" not in html
