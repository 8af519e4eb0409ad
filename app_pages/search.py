"""Latents and meta-latents that a text, filters or parts find, best first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st

from app_pages.frame import actions_html, opened, title
from backend import queries, stitching, urlstate
from backend.ahead import ahead
from backend.answers import Answer, QuestionError, answer, part_names
from backend.downloads_html import download_links_html
from backend.facets_html import chips_html, facets_html, shared_html, sorts_html
from backend.hits_html import hits_html
from backend.links import SEARCH_PATH, Link, latent_link, search_link
from backend.lists_html import pages_html, pill_html
from backend.question import INDEXES, Part, Question
from backend.records import Record
from backend.search import clean_text, did_you_mean, phrases_with
from backend.store import Run
from backend.text_html import link, notice, safe, tip

HITS_A_PAGE = 20
INDEX_WORDS = {
    "any": "everything",
    "fires": "fires on",
    "promotes": "promotes",
    "label": "name",
    "number": "number",
}


def search() -> None:
    run = opened(SEARCH_PATH)
    saes = [sae["sae_id"] for sae in queries.saes(run)]
    question = urlstate.question(tuple(saes))
    text = clean_text(question.text)
    title(f"{text} · search" if text else "Search")
    number = max(urlstate.whole_number("page") or 1, 1)

    def here(asked: Question, **more: str) -> Link:
        return Link(SEARCH_PATH, {"run": run.name, **asked.params, **more})

    phrases = _asked_phrases(run, question)
    try:
        found = answer(run, question, HITS_A_PAGE, (number - 1) * HITS_A_PAGE)
        if not found.rows and found.n:  # a page beyond the last
            number = math.ceil(found.n / HITS_A_PAGE)
            found = answer(run, question, HITS_A_PAGE, (number - 1) * HITS_A_PAGE)
    except QuestionError as error:
        _head(run, question, here, None)
        st.html(_text_choices(question, here) + notice(str(error), "problem"))
        return
    _head(run, question, here, found.drawn, number)
    names = part_names(run, question)
    chips = chips_html(question, names, here)
    choices = _text_choices(question, here) if text else ""
    if not found.rows:
        st.html(f"{choices}{chips}{_nothing(run, question, here)}")
        return

    def to(row: Record, place: int) -> Link:
        at = (number - 1) * HITS_A_PAGE + place
        return _in_answer(row, question, at, run)

    def add(part: Part) -> Link:
        return here(question.with_part(part, "required"))

    taken = {"run": run.name, **question.params, "h": run.manifest.short_hash}
    filters = facets_html(question, found.counts, saes, _smaller(run, question), here)
    pages = pages_html(
        lambda page: here(question, page=page), number, math.ceil(found.n / HITS_A_PAGE), "hits"
    )
    st.html(
        f"{choices}{_phrases_html(phrases(), question, here)}{chips}"
        f'<div class="answer-grid"><aside aria-label="Filters"><details class="all-facets" open>'
        f"<summary>Filters</summary>{filters}</details>"
        f"</aside><div>{_counted(found, number)}{sorts_html(question, here)}"
        f"{shared_html(found.shared, question, here)}"
        f"{hits_html(found.rows, question, to, add, run.name)}{pages}"
        f"{download_links_html('hits', taken)}</div></div>"
    )


def _head(run: Run, question: Question, here, drawn: Record | None, number: int = 1) -> None:
    more = {"h": run.manifest.short_hash} | ({"page": str(number)} if number > 1 else {})
    first = "Search" if clean_text(question.text) else "All latents"
    to = None if drawn is None else _in_answer(drawn, question, drawn["at"], run)
    st.html(
        actions_html(run, [first], here(question, **more), random_to=to)
        + f"<h1>{safe(clean_text(question.text)) or 'All latents and meta-latents'}</h1>"
    )


def _text_choices(question: Question, here) -> str:
    kinds = [
        pill_html(words, key == question.index, here(replace(question, index=key)))
        for key, words in INDEX_WORDS.items()
        if key in INDEXES
    ]
    is_regex = question.way == "regex"
    other = here(replace(question, way="words" if is_regex else "regex"))
    way = link(other.href, "as words") if is_regex else link(other.href, "as a pattern")
    return (
        f'<nav class="pills" aria-label="Where to search">{"".join(kinds)}'
        f"<span>{way} {tip('?', 'regular expression')}</span></nav>"
    )


def _asked_phrases(run: Run, question: Question) -> Callable[[], list[tuple[str, int]]]:
    """Phrases with the text in them, where it is asked for as words."""
    if question.way == "regex" or question.index not in ("any", "fires") or not question.text:
        return list
    return ahead(phrases_with, run, question.text)


def _phrases_html(found: list[tuple[str, int]], question: Question, here) -> str:
    if not found:
        return ""
    items = " ".join(
        f"{link(here(replace(question, text=phrase)).href, phrase)} <small>{count:,}</small>"
        for phrase, count in found
    )
    return f'<p class="pills"><span>In phrases</span> {items}</p>'


def _counted(found: Answer, number: int) -> str:
    first = (number - 1) * HITS_A_PAGE + 1
    count = f"{found.n:,} latent{'' if found.n == 1 else 's'}"
    if found.n > len(found.rows):
        count += f", {first:,} to {first + len(found.rows) - 1:,} shown"
    return f"<p class='note'>{count}</p>"


def _smaller(run: Run, question: Question) -> list[str]:
    """SAEs that the one in question, or any, was compared with by stitching."""
    pairs = stitching.pairs(run)
    found = {p["small_sae_id"] for p in pairs if question.sae_id in ("", p["large_sae_id"])}
    return [sae["sae_id"] for sae in queries.saes(run) if sae["sae_id"] in found]


def _in_answer(row: Record, question: Question, at: int | None, run: Run) -> Link:
    """A latent's page that knows its place in this answer."""
    to = latent_link(row["sae_id"], int(row["latent"]), row["kind"], run.name)
    if question.is_empty or at is None:
        return to
    return Link(to.path, {**to.params, "in": urlencode(question.params), "at": str(at)})


def _nothing(run: Run, question: Question, here) -> str:
    text = clean_text(question.text)
    if question.has_filter:
        freed = here(Question(text=question.text, way=question.way, index=question.index))
        told = notice("No latent of this run passes all of these filters.")
        more = "Search without filters" if text else "All latents"
        return f"{told}<p>{link(freed.href, more)}, or remove one above.</p>"
    told = notice(f"Nothing in this run fires on, promotes or is called “{text}”.")
    if question.index != "any":
        told += f"<p>{link(here(replace(question, index='any')).href, 'Search everything')}</p>"
    if question.way == "regex":
        return told
    near = " or ".join(
        link(search_link(term, run=run.name).href, term) for term in did_you_mean(run, text)
    )
    return told + (f"<p>Did you mean {near}?</p>" if near else "")


search()
