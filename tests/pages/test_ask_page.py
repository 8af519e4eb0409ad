"""The Ask page: questions about parts, and sums of directions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.pages.conftest import Opened
from tests.pages.test_search_page import WORST, links

Open = Callable[..., Opened]


def test_an_empty_question_offers_examples_and_parts(opened: Open) -> None:
    page = opened("ask")
    assert page.heading == "Ask with meta-latents"
    # city is part of most latents, so it is offered first
    assert {"run": "planted", "with": "meta-4/3"} in links(page, "with")
    assert {"run": "planted", "without": "meta-4/3"} in links(page, "without")
    assert "scientist and german" in page.words  # einstein's two strongest


def test_a_question_lists_latents_and_marks_what_was_asked(opened: Open) -> None:
    page = opened("ask", **{"with": "meta-4/0,meta-4/1", "without": "meta-4/2"})
    # planck and röntgen have german and scientist; einstein, euler, einsteinium words in e- too
    assert "2 latents" in page.words
    assert "planck" in page.words
    assert "röntgen" in page.words
    assert page.html.count("<mark>") == 4
    assert "parts together 1.20" in page.words  # planck .7 + .5


def test_every_part_can_change_its_role_or_go(opened: Open) -> None:
    page = opened("ask", **{"with": "meta-4/0,meta-4/1"})
    assert {"run": "planted", "with": "meta-4/0", "without": "meta-4/1"} in links(page, "without")
    assert {"run": "planted", "with": "meta-4/1", "weigh": "meta-4/0"} in links(page, "rather")
    assert {"run": "planted", "with": "meta-4/1"} in links(page, "×")  # noqa: RUF001


def test_parts_are_found_by_name_or_through_latents(opened: Open) -> None:
    assert {"run": "planted", "with": "meta-4/1"} in links(opened("ask", find="scient"), "with")
    # no part is called darwin, but the latents that it finds share the part scientist
    page = opened("ask", find="zzz")
    assert "No part is called “zzz”" in page.words


def test_another_page_adds_to_the_question_of_the_session(opened: Open) -> None:
    page = opened("ask", **{"with": "meta-4/0"})
    app = page.app
    app.switch_page("app_pages/latent.py")
    app.query_params["sae"], app.query_params["latent"] = "sae-32", "0"
    app.run()
    assert {"run": "planted", "with": "meta-4/0,meta-4/1"} in links(Opened(app), "+")


def test_no_answer_says_what_to_change(opened: Open) -> None:
    page = opened("ask", **{"with": "meta-4/0,meta-4/1,meta-4/2,meta-4/3"})
    assert "No latent has all of these parts" in page.words


def test_a_sum_shows_its_nearest_latents_and_what_can_replace_a_part(opened: Open) -> None:
    # planck is .7 german + .5 scientist
    page = opened("ask", **{"from": "sae-32/6", "minus": "meta-4/1", "plus": "meta-4/3"})
    assert page.heading == "Take a part away, add another"
    assert "planck − 0." in page.words  # noqa: RUF001
    nearest = page.words.split("Nearest latents")[1].split("Nearest meta-latents")[0]
    assert any(city in nearest for city in ("hamburg", "munich", "berlin"))
    assert {
        "run": "planted",
        "from": "sae-32/6",
        "minus": "meta-4/1,meta-4/0",
        "plus": "meta-4/3",
    } in (links(page, "german"))
    assert len(page.app.get("plotly_chart")) == 1


def test_a_sum_without_changes_asks_for_one(opened: Open) -> None:
    page = opened("ask", **{"from": "sae-32/6"})
    assert "Take one of its parts away above, or add another." in page.words
    assert {"run": "planted", "from": "sae-32/6", "minus": "meta-4/1"} in links(page, "scientist")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"from": "sae-32/999"}, "sae-32/999: not in this run"),
        ({"from": "sae-8/0"}, "The directions of sae-8"),
        ({"from": "sae-32/0", "plus": "sae-8/1"}, "are not kept in this run"),
    ],
)
def test_a_sum_that_cannot_be_made_says_why(
    opened: Open, params: dict[str, str], message: str
) -> None:
    assert message in opened("ask", **params).words


@pytest.mark.parametrize("text", [WORST, "a" * 5000])
@pytest.mark.parametrize("name", ["with", "find", "from", "minus", "plus", "factor", "run"])
def test_hostile_text_in_any_field(opened: Open, name: str, text: str) -> None:
    for base in ({}, {"from": "sae-32/6"}):
        page = opened("ask", **{**base, name: text})
        assert "<script>alert" not in page.html
        assert "\u202e" not in page.html
