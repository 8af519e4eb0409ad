"""Hostile text in every field that a search or a question reads."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.hostile import HTML, SQL, TEN_MEGABYTES, WRITING
from tests.pages.conftest import Opened

Open = Callable[..., Opened]
FIELDS = (
    "q", "way", "index", "sae", "kind", "naming", "novelty", "against", "density", "parts", "with",
    "without", "weigh", "sort", "page", "in", "at", "h", "find", "from", "minus", "plus", "factor",
)  # fmt: skip


@pytest.mark.parametrize("page", ["search", "ask"])
@pytest.mark.parametrize("place", range(len(HTML) + len(SQL) + len(WRITING)))
def test_text_in_every_field_at_once_is_shown_escaped_or_not_at_all(
    opened: Open, page: str, place: int
) -> None:
    text = (*HTML, *SQL, *WRITING)[place]
    shown = opened(page, **dict.fromkeys(FIELDS, text))
    assert "<" not in text or text not in shown.html
    for mark in ("<script", "<img", "<svg", "<iframe", "<style", "onerror=alert(1)>", "\u202e"):
        assert mark not in shown.html
    assert shown.heading


@pytest.mark.parametrize("name", ["q", "with", "density", "in", "find", "from"])
def test_ten_megabytes_in_a_field_cost_nothing(opened: Open, name: str) -> None:
    start = time.monotonic()
    page = opened("ask" if name in ("find", "from") else "search", **{name: TEN_MEGABYTES})
    assert page.heading
    assert len(page.html) < 1_000_000
    assert time.monotonic() - start < 60  # of which most is a busy machine's
