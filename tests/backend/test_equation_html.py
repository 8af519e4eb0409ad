"""Decompositions as HTML: the equation, the strip, the chart, and what has no value."""

from __future__ import annotations

import dataclasses
import re
from html import unescape

from backend import queries
from backend.equation_html import Decomposition, card_html, equation_html, parts_html, strip_html
from backend.store import Run


def _decomposition(run: Run, latent: int) -> Decomposition:
    found = queries.latent(run, "sae-32", latent)
    assert found is not None
    return Decomposition(found, "meta-4", queries.components(run, "meta-4", latent), "r")


def _words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_the_equation_names_all_parts_in_order_of_weight(run: Run) -> None:
    html = equation_html(_decomposition(run, 0))
    assert _words(html) == (
        "einstein = 0.60 scientist + 0.50 german + 0.40 words in e- + bias + residual"
    )
    assert 'href="meta?run=r&amp;sae=meta-4&amp;latent=1"' in html


def test_a_cut_equation_says_how_much_is_hidden(run: Run) -> None:
    html = equation_html(_decomposition(run, 0), most_terms=2)
    assert _words(html) == "einstein = 0.60 scientist + 0.50 german + 1 more + …"
    assert 'href="latent?run=r&amp;sae=sae-32&amp;latent=0"' in html


def test_an_equation_without_components_is_bias_and_residual(run: Run) -> None:
    assert _words(equation_html(_decomposition(run, 30))) == "lonely = bias + residual"


def test_the_strip_is_as_wide_as_the_shares(run: Run) -> None:
    html = strip_html(_decomposition(run, 0))
    grown = [float(found) for found in re.findall(r"flex-grow:([\d.]+)", html)]
    # 0.36, 0.25, 0.16, bias 0.04, residual 0.16 of 0.97
    assert grown == [0.3711, 0.2577, 0.1649, 0.0412, 0.1649]
    assert "scientist 0.37, german 0.26, words in e- 0.16, bias 0.04, residual 0.16" in html


def test_a_negative_share_is_told_and_marked_but_not_drawn_in_the_strip(run: Run) -> None:
    whole = _decomposition(run, 0)
    rows = [
        {**row, "share": -0.1 if i == 2 else row["share"]} for i, row in enumerate(whole.components)
    ]
    negative = dataclasses.replace(whole, components=rows)
    assert strip_html(negative).count("flex-grow") == 4
    assert "words in e- \u22120.10" in strip_html(negative)
    assert 'class="bar  negative"' in parts_html(negative)


def test_stability_that_was_not_measured_is_a_dash(run: Run) -> None:
    whole = _decomposition(run, 0)
    rows = [{**row, "stability": float("nan")} for row in whole.components]
    html = parts_html(dataclasses.replace(whole, components=rows))
    assert html.count('title="not measured"') == 3
    assert "nan" not in html
    card = card_html(dataclasses.replace(whole, components=rows), float("nan"))
    assert "stability –" in _words(card)  # noqa: RUF001


def test_hostile_labels_are_escaped_everywhere(run: Run) -> None:
    hostile = _decomposition(run, 20)
    rows = [{**row, "label": "<img src=x>"} for row in hostile.components]
    shown = dataclasses.replace(hostile, components=rows)
    for html in (equation_html(shown), strip_html(shown), parts_html(shown), card_html(shown, 1.0)):
        assert "<img" not in html
        assert "<script" not in html
