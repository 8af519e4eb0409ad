"""The examples of a latent's page: what the address chooses, carries on, and cannot break."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest

from tests.pages.conftest import Opened

Open = Callable[..., Opened]
EINSTEIN = {"run": "planted", "sae": "sae-32", "latent": "0"}


def _hrefs(html: str) -> list[str]:
    return [unescape(href) for href in re.findall(r'href="([^"]*)"', html)]


def _views(page: Opened) -> str:
    return page.html.partition('class="pills views"')[2].partition("</nav>")[0]


def test_the_same_context_in_several_groups_is_shown_once(opened: Open) -> None:
    page = opened("latent", **EINSTEIN)
    # the planted run shows "We met einstein there." as the first of every group: three intervals
    # and random are folded under the strongest
    top = page.html.partition("Strongest")[2].partition("</h3>")[2].partition("<h3>")[0]
    assert "+4 near-duplicates" in top
    assert "4 of 7 examples repeat an earlier one" in page.words
    assert page.words.count("Folded above: activation") == 4


@pytest.mark.parametrize(
    ("params", "chosen"),
    [
        ({}, "around the token"),
        ({"context": "line"}, "one line each"),
        ({"context": "whole"}, "whole contexts"),
        ({"context": "<script>"}, "around the token"),
    ],
)
def test_the_address_says_how_much_of_a_context_shows(
    opened: Open, params: dict[str, str], chosen: str
) -> None:
    page = opened("latent", **EINSTEIN, **params)
    assert f"<b>{chosen}</b>" in _views(page)
    assert "<script>" not in page.html


def test_blanks_show_when_the_address_says_so(opened: Open) -> None:
    assert 'class="ws sp"' not in opened("latent", **EINSTEIN).html
    page = opened("latent", **EINSTEIN, marks="1")
    assert 'class="ws sp"' in page.html
    assert "hide blanks" in _views(page)


def test_a_choice_keeps_everything_else_of_the_address(opened: Open) -> None:
    page = opened("latent", **EINSTEIN, log="1", marks="1")
    whole = next(href for href in _hrefs(_views(page)) if "context=whole" in href)
    for part in ("run=planted", "sae=sae-32", "latent=0", "log=1", "marks=1"):
        assert part in whole


def test_how_contexts_show_is_kept_from_one_latent_to_the_next(opened: Open) -> None:
    page = opened("latent", **{**EINSTEIN, "latent": "1"}, context="whole", marks="1")
    actions = page.html.partition('class="actions"')[2].partition("</div>")[0]
    for rel, latent in (("prev", "0"), ("next", "2")):
        href = re.search(rf'<a rel="{rel}" href="([^"]*)"', actions)
        assert href
        assert f"latent={latent}&context=whole&marks=1" in unescape(href[1])
    # what is copied shows the same, and nothing that was typed wrongly is carried on
    assert actions.count("context=whole") == 5  # previous, random, next, copy link, embed code
    hostile = opened("latent", **EINSTEIN, context="x" * 50, marks="2")
    assert "x" * 50 not in hostile.html.partition('class="actions"')[2].partition("</div>")[0]


def test_a_dead_latent_has_words_in_place_of_examples(opened: Open) -> None:
    page = opened("latent", run="planted", sae="sae-32", latent="28")
    assert "None: this latent never fired." in page.words
    assert 'class="pills views"' not in page.html
