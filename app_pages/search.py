"""Latents and meta-latents that a word, a label or a number finds, best first."""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st

from app_pages.frame import actions_html, opened, title
from backend import queries, urlstate
from backend.links import SEARCH_PATH, Link, search_link
from backend.lists_html import hits_html, pages_html, pill_html
from backend.schema import TERM_INDEXES
from backend.search import count_hits, did_you_mean, search_latents
from backend.store import Run
from backend.text_html import link, notice, safe

Here = Callable[..., Link]  # this page's link with some parameters changed

HITS_A_PAGE = 20
INDEX_WORDS = {"any": "everything", "fires": "words it fires on", "promotes": "tokens it promotes"}


def search() -> None:
    run = opened(SEARCH_PATH)
    text = urlstate.text("q")
    sae_ids = [sae["sae_id"] for sae in queries.saes(run)]
    sae_id = urlstate.choice("sae", sae_ids, "")
    index = urlstate.choice("index", TERM_INDEXES, "any")
    title(f"{text} · search" if text.strip() else "Search")
    number = max(urlstate.whole_number("page") or 1, 1)

    def here(**changes: str) -> Link:
        """This page with some parameters changed; empty ones are left out."""
        kept = search_link(text, sae_id, run.name).params
        kept |= {"index": "" if index == "any" else index}
        return Link(SEARCH_PATH, {k: v for k, v in {**kept, **changes}.items() if v})

    shared = here(h=run.manifest.short_hash, page=str(number) if number > 1 else "")
    st.html(actions_html(run, ["Search"], shared, sae_id or sae_ids[0]))
    if not text.strip():
        st.html(
            "<h1>Search</h1>"
            + notice(
                "Type a word to find the latents that fire on it, promote it or are named after "
                "it. A part of a word works too, and so does a number (123) or a number in one "
                "SAE (" + sae_ids[0] + "/123)."
            )
        )
        return
    asked = (run, text, sae_id or None, index, HITS_A_PAGE)
    hits = search_latents(*asked, offset=(number - 1) * HITS_A_PAGE)
    if not hits and number > 1:  # a page beyond the last
        number = max(1, math.ceil(count_hits(run, text, sae_id or None, index) / HITS_A_PAGE))
        hits = search_latents(*asked, offset=(number - 1) * HITS_A_PAGE)
    if not hits:
        filters = _filters(here, sae_ids, sae_id, index)
        st.html(f"<h1>{safe(text)}</h1>{filters}{_nothing(run, text, sae_id, index)}")
        return
    found = hits[0]["n_hits"]
    n_pages = math.ceil(found / HITS_A_PAGE)
    first = (number - 1) * HITS_A_PAGE + 1
    count = f"{found:,} latent{'' if found == 1 else 's'}"
    if n_pages > 1:
        count += f", {first:,} to {first + len(hits) - 1:,} shown"
    st.html(
        f"<h1>{safe(text)}</h1><p class='note'>{count}</p>"
        f"{_filters(here, sae_ids, sae_id, index)}{hits_html(hits, run.name)}"
        f"{pages_html(here, number, n_pages, 'hits')}"
    )


def _filters(here: Here, sae_ids: list[str], sae_id: str, index: str) -> str:
    saes = [pill_html("all SAEs", not sae_id, here(sae=""))]
    saes += [pill_html(other, other == sae_id, here(sae=other)) for other in sae_ids]
    kinds = [
        pill_html(words, key == index, here(index="" if key == "any" else key))
        for key, words in INDEX_WORDS.items()
    ]
    return f'<div class="pills">{"".join(saes)}</div><div class="pills">{"".join(kinds)}</div>'


def _nothing(run: Run, text: str, sae_id: str, index: str) -> str:
    words = f"Nothing in this run fires on, promotes or is called “{text}”"
    words += f" in {sae_id}." if sae_id else "."
    if sae_id or index != "any":
        words += " Searching all SAEs and everything may find more."
    near = " or ".join(
        link(search_link(term, run=run.name).href, term) for term in did_you_mean(run, text)
    )
    return notice(words) + (f"<p>Did you mean {near}?</p>" if near else "")


search()
