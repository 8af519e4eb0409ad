"""The search page: hits, filters as chips, what answers share, and places in an answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.pages.conftest import Opened
from tests.planted import HOSTILE

Open = Callable[..., Opened]


def links(page: Opened, words: str) -> list[dict[str, str]]:
    """Query parameters of every link with these words."""
    found = re.findall(r'<a[^>]*href="([^"]*)"[^>]*>(.*?)</a>', page.html, re.DOTALL)
    return [
        dict(parse_qsl(urlsplit(unescape(href)).query))
        for href, inner in found
        if unescape(re.sub("<[^>]*>", "", inner)).strip() == words
    ]


def test_search_finds_ranks_and_explains(opened: Open) -> None:
    page = opened("search", q="einstein")
    assert page.heading == "einstein"
    first = page.html.split('<ol class="hits">')[1].split("</li>")[0]
    words = " ".join(unescape(re.sub("<[^>]*>", " ", first)).split())
    assert "sae-32/0" in words
    assert "= 0.60 scientist + + 0.50 german + + 0.40 words in e- + + …" in words
    assert "precision 1.00 recall 0.80 lift 50×" in words  # noqa: RUF001
    assert "fires on 100 tokens (0.10 %)" in words
    assert 'class="tok peak"' in first


def test_search_offers_a_near_miss(opened: Open) -> None:
    page = opened("search", q="einstien")
    assert "Nothing in this run fires on, promotes or is called “einstien”." in page.words
    assert "Did you mean einstein" in page.words


@pytest.mark.parametrize("q", ["", "   ", "\x00"])
def test_without_a_text_every_latent_can_be_filtered(opened: Open, q: str) -> None:
    page = opened("search", q=q) if q else opened("search")
    assert page.heading == "All latents and meta-latents"
    assert "44 latents, 1 to 20 shown" in page.words
    assert "latents 40" in page.words
    assert "meta-latents 4" in page.words


@pytest.mark.parametrize("number", ["0", "-3", "999", "x", "2"])
def test_a_page_number_out_of_range_shows_a_page(opened: Open, number: str) -> None:
    page = opened("search", q="e", page=number)
    assert '<ol class="hits"><li>' in page.html


def test_every_filter_in_force_is_a_chip_that_can_be_removed(opened: Open) -> None:
    asked = {"q": "e", "sae": "sae-32", "parts": "3..4", "with": "meta-4/1", "novelty": "novel"}
    page = opened("search", **asked)
    chips = page.html.split('<div class="chips">')[1].split("</div>")[0]
    removes = re.findall(r'href="([^"]*)" aria-label="Remove the filter ([^"]*)"', chips)
    assert len(removes) == 4
    for href, name in removes:
        left = dict(parse_qsl(urlsplit(unescape(href)).query))
        gone = set(asked) - set(left)
        assert len(gone) == 1, name  # each cross takes away one filter and keeps the others
    assert [set(cleared) - {"run"} for cleared in links(page, "clear all")] == [{"q"}]


def test_a_filter_offers_its_values_with_what_they_would_leave(opened: Open) -> None:
    page = opened("search", sae="sae-32")
    # einstein, euler and einsteinium have three of the four parts, erfurt too
    assert links(page, "3") == [{"run": "planted", "sae": "sae-32", "parts": "3..4"}]
    assert re.search(r">3</a><span class=\"value\">4<", page.html)


def test_answers_say_what_they_share_and_a_click_asks_for_it(opened: Open) -> None:
    page = opened("search", **{"with": "meta-4/1"})
    assert page.heading == "All latents and meta-latents"
    assert "8 latents" in page.words
    adds = links(opened("search", q="einstein", sae="sae-32"), "+")
    assert {"run": "planted", "q": "einstein", "sae": "sae-32", "with": "meta-4/0"} in adds


def test_no_answer_says_how_to_get_one(opened: Open) -> None:
    page = opened("search", q="einstein", density="0.5..")
    assert "No latent of this run passes all of these filters." in page.words
    assert links(page, "Search without filters") == [{"run": "planted", "q": "einstein"}]


def test_phrases_with_the_word_are_offered(opened: Open) -> None:
    page = opened("search", q="einstein")
    assert links(page, "young einstein") == [{"run": "planted", "q": "young einstein"}]


def test_a_broken_pattern_is_explained(opened: Open) -> None:
    page = opened("search", q="(einstein", way="regex")
    assert "This is not a regular expression that can be searched" in page.words
    assert links(page, "as words") == [{"run": "planted", "q": "(einstein"}]


def test_a_latent_opened_from_an_answer_knows_its_neighbours_there(opened: Open) -> None:
    hits = opened("search", sort="rare", sae="sae-32", **{"with": "meta-4/1"})
    ordered = re.findall(r'<span class="id">sae-32/(\d+)</span>', hits.html)
    assert len(ordered) == 8
    inside = {"in": "with=meta-4%2F1&sae=sae-32&sort=rare", "at": "1"}
    page = opened("latent", sae="sae-32", latent=ordered[1], **inside)
    assert "filtered latents, 2 of 8" in page.words
    before, after = links(page, "‹ Previous"), links(page, "Next ›")  # noqa: RUF001
    assert [link["latent"] for link in (*before, *after)] == [ordered[0], ordered[2]]
    assert [link["at"] for link in (*before, *after)] == ["0", "2"]
    assert links(page, "Random")[0]["latent"] in ordered


@pytest.mark.parametrize("at", ["0", "99", "x", "-1"])
def test_a_place_that_is_not_this_latents_is_ignored(opened: Open, at: str) -> None:
    inside = {"in": "with=meta-4%2F1&sae=sae-32&sort=rare", "at": at}
    page = opened("latent", sae="sae-32", latent="0", **inside)
    assert page.heading == "einstein"
    assert "of 8" not in page.words
    assert links(page, "Next ›")[0]["latent"] == "1"  # noqa: RUF001


WORST = " ".join([*HOSTILE, "' or 1=1 --", "\x00", "z̸̢͙͝a̷l̴g̶o̷" * 20])


@pytest.mark.parametrize("text", [WORST, "<img src=x onerror=alert(1)>", "a" * 5000])
@pytest.mark.parametrize("name", ["q", "with", "without", "weigh", "sae", "density", "sort", "in"])
def test_hostile_text_in_any_field_is_shown_escaped_or_not_at_all(
    opened: Open, name: str, text: str
) -> None:
    page = opened("search", **{name: text})
    assert "<script>alert" not in page.html
    assert "<img" not in page.html
    assert "\u202e" not in page.html
    assert page.heading
