"""The map page with good, missing and hostile addresses."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from tests.pages.conftest import Opened
from tests.planted import HOSTILE, weights

Open = Callable[..., Opened]
EVERYTHING = "-2_-2_2_-2_2_2_-2_2"  # a box around all points, which lie on a circle of radius 1


def test_the_map_opens_on_the_decomposed_sae_and_says_what_it_is(opened: Open) -> None:
    page = opened("map")
    assert page.heading == "Map of sae-32"
    assert len(page.app.get("plotly_chart")) == 1
    assert "near points have near directions" in page.words
    assert "share of tokens on which it fires, logarithmic scale" in page.words
    assert "dead: fired on none of the tokens: 1" in page.words
    # the ends of the scale are links: "the" fires on 60 % of the tokens
    assert page.words.index("Highest") < page.words.index("the 60.0 %")
    assert 'class="notice' not in page.html


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"colour": "components"}, "number of components 0 3"),
        ({"colour": "part", "part": "1"}, "weight of “scientist” 0.00 0.90 without this part: "),
        ({"colour": "novelty"}, "novel: 15 reconstruction: 16 silent: 1"),
        ({"colour": "stability"}, "without a component, or no other seed was trained: 1"),
        ({"colour": "explained"}, "variance of the direction that its decomposition explains"),
        ({"colour": "hit", "q": "einstein"}, "found by “einstein”"),
        ({"colour": "hit"}, "search hits, and nothing is searched for yet"),
        ({"sae": "meta-4"}, "share of decoder rows on which it fires"),
        ({"sae": "meta-4", "colour": "stability"}, "mean stability in its members"),
    ],
)
def test_each_colour_has_a_legend(opened: Open, params: dict[str, str], told: str) -> None:
    page = opened("map", **params)
    assert told in page.words
    assert len(page.app.get("plotly_chart")) == 1
    assert 'class="notice problem' not in page.html


def test_the_largest_part_is_coloured_first_and_the_others_are_links(opened: Open) -> None:
    members = [sum(weights(i)[m] > 0 for i in range(32)) for m in range(4)]
    page = opened("map", colour="part")
    assert members.index(max(members)) == 3
    assert "weight of “city”" in page.words
    assert "part=0" in page.html


def test_a_selection_is_listed_with_what_it_shares(opened: Open) -> None:
    # a box around berlin (1), whose direction on the circle is 57 degrees, and nothing else
    page = opened("map", lasso="0.5_0.8_0.6_0.8_0.6_0.9_0.5_0.9")
    assert "1 latent selected" in page.words
    assert 'href="latent?run=planted&amp;sae=sae-32&amp;latent=1">berlin</a>' in page.html
    assert "The link to this page holds the selection" in page.words
    page = opened("map", lasso=EVERYTHING)
    assert "32 latents selected" in page.words
    assert "All of 32, highest value first" in page.words
    assert "No part is more frequent among these 32" in page.words


def test_parts_beyond_chance_lead_on(opened: Open) -> None:
    """Four boxes hold four of the six latents with "words in e-": 15 / 35,960 by chance."""
    boxes = []
    for latent in (0, 4, 5, 7):
        x, y = math.cos(latent), math.sin(latent)
        sides = [(x - 0.03, y - 0.03), (x + 0.03, y - 0.03), (x + 0.03, y + 0.03)]
        sides.append((x - 0.03, y + 0.03))
        boxes.append("_".join(f"{value:.3f}" for side in sides for value in side))
    page = opened("map", lasso="~".join(boxes))
    assert "4 latents selected" in page.words
    assert "words in e- 4 of 4 here, 18.8 % of all: 5.33 times as often" in page.words
    assert 'href="ask?run=planted&amp;with=meta-4%2F2">all with it</a>' in page.html
    assert "colour=part&amp;part=2" in page.html


def test_a_ring_marks_one_latent(opened: Open) -> None:
    page = opened("map", latent="3")
    assert "Ringed: paris take the ring away" in page.words


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"sae": "sae-99"}, "There is no “sae-99” in this run; this is sae-32."),
        ({"colour": "red"}, "“red” cannot colour sae-32: there is no such colour."),
        ({"sae": "meta-4", "colour": "novelty"}, "it was stitched to no smaller SAE"),
        ({"sae": "meta-4", "colour": "components"}, "a meta-latent is not split further"),
        ({"colour": "part", "part": "99"}, "There is no meta-latent “99” in meta-4."),
        ({"latent": "32"}, "There is no “32” on the map of sae-32."),
        ({"latent": "-1"}, "There is no “-1” on the map of sae-32."),
        ({"lasso": "1_2"}, "The selection in the address cannot be read"),
        ({"lasso": "5_5_6_5_6_6"}, "No point is inside the selection."),
    ],
)
def test_what_is_not_there_is_said_and_the_map_is_drawn(
    opened: Open, params: dict[str, str], told: str
) -> None:
    page = opened("map", **params)
    assert told in page.words
    assert len(page.app.get("plotly_chart")) == 1


def test_an_sae_without_positions_says_so(opened: Open) -> None:
    page = opened("map", sae="sae-8")
    assert page.heading == "Map of sae-8"
    assert "The latents of sae-8 have no position on a map in this run." in page.words
    assert len(page.app.get("plotly_chart")) == 0


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "' or 1=1 --", "\u202e", "9" * 99])
def test_hostile_addresses_do_no_harm(opened: Open, text: str) -> None:
    names = ("sae", "colour", "part", "small", "q", "latent", "lasso")
    page = opened("map", **dict.fromkeys(names, text))
    assert page.heading == "Map of sae-32"
    assert "<script>alert" not in page.html
    page = opened("map", colour="hit", q=text, small=text)
    assert "<script>alert" not in page.html


def test_hostile_labels_are_escaped_in_the_list(opened: Open) -> None:
    page = opened("map", lasso=EVERYTHING, colour="hit", q="script")
    assert HOSTILE[0] in page.words
    for label in HOSTILE:
        if "<" in label:
            assert label not in page.html


def test_links_keep_what_the_page_shows(opened: Open) -> None:
    page = opened("map", colour="part", part="2", lasso=EVERYTHING, latent="3")
    assert f"colour=novelty&amp;part=2&amp;latent=3&amp;lasso={EVERYTHING}" in page.html
    assert '<input type="hidden" name="colour" value="hit">' in page.html
    assert f'<input type="hidden" name="lasso" value="{EVERYTHING}">' in page.html
    # another SAE has other latents, and its map other places
    assert 'href="map?run=planted&amp;sae=meta-4&amp;colour=part"' in page.html
    assert "h=" in page.html[page.html.index("data-href") :]
