"""Ask with meta-latents: latents that have these parts and not those, and sums of directions."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

import streamlit as st

from app_pages.asking import remember
from app_pages.frame import actions_html, opened, title
from app_pages.sums import sum_of_directions
from backend import queries, urlstate
from backend.answers import Answer, QuestionError, answer, names_of
from backend.ask_html import (
    builder_html,
    find_form_html,
    found_parts_html,
)
from backend.downloads_html import download_links_html
from backend.facets_html import shared_html
from backend.hits_html import hits_html
from backend.links import ASK_PATH, SEARCH_PATH, Link, ask_link, latent_link
from backend.question import Part, Question
from backend.records import Record
from backend.store import Run
from backend.sum_question import parse_sum
from backend.text_html import latent_name, link, notice, safe

SHOWN = 20
OFFERED = 8  # parts that a text finds, or to begin with


def ask_page() -> None:
    run = opened(ASK_PATH)
    asked = parse_sum(st.query_params.to_dict())
    title("Sum of directions" if asked else "Ask")
    if asked is not None:
        sum_of_directions(run, asked)
    else:
        _parts(run)


def _parts(run: Run) -> None:
    saes = queries.saes(run)
    metas = [sae["sae_id"] for sae in saes if sae["kind"] == "meta"]
    question = urlstate.question(tuple(sae["sae_id"] for sae in saes))
    question = Question(
        required=question.required, excluded=question.excluded, weighed=question.weighed
    )
    remember(run, question)
    find = urlstate.text("find")

    def here(asked: Question, **more: str) -> Link:
        return ask_link({**asked.params, **more}, run.name)

    shared = here(question, h=run.manifest.short_hash)
    st.html(actions_html(run, ["Ask"], shared) + "<h1>Ask with meta-latents</h1>")
    if not metas:
        st.html(notice("No SAE of this run has a meta-SAE, so there are no parts to ask for."))
        return
    form = find_form_html(
        ASK_PATH, {"run": run.name, **question.params}, "find", find, "a part, such as music"
    )
    if not question.parts:
        _begin(run, question, here, form, find, metas[0])
        return
    names = names_of(run, [part.key for part in question.parts])
    st.html(
        "<p class='lead'>Latents made of these parts. Every click changes the question, and the "
        "address is the question.</p>"
        + builder_html(question, names, here, run.name)
        + form
        + _offered(run, question, here, find, metas)
    )
    try:
        found = answer(run, question, SHOWN)
    except QuestionError as error:
        st.html(notice(str(error), "problem"))
        return
    st.html(_answered(run, question, found, here))


def _begin(run: Run, question: Question, here, form: str, find: str, meta_sae_id: str) -> None:
    st.html(
        "<p class='lead'>Which latents are made of “scientist” and “german”, but not of “physics”? "
        "Choose meta-latents; the latents that have them are listed, with how much of each.</p>"
        + form
        + (_offered(run, question, here, find, [meta_sae_id]) if find.strip() else "")
    )
    examples = []
    for row in queries.featured_decompositions(run):
        parts = queries.components(run, row["meta_sae_id"], row["latent"])[:2]
        if parts[0]["label"] == parts[1]["label"]:
            continue
        asked = Question(
            required=tuple(Part(row["meta_sae_id"], part["meta_latent"]) for part in parts)
        )
        words = " and ".join(latent_name(p["label"], p["meta_latent"], "meta") for p in parts)
        examples.append(f"<li>{link(here(asked).href, words)}</li>")
    largest = answer(run, Question(sae_id=meta_sae_id, sort="frequent"), OFFERED)
    st.html(
        f"<h2>For example</h2><ul>{''.join(examples)}</ul>"
        "<h2>The most common parts</h2>"
        + found_parts_html(largest.rows, question, here, run.name)
        + f"<p>{link(Link(SEARCH_PATH, {'run': run.name, 'kind': 'meta'}).href, 'All parts')}</p>"
    )


def _offered(run: Run, question: Question, here, find: str, metas: Sequence[str]) -> str:
    """Parts that a text finds; of the meta-SAE that the question is about, if it is about one."""
    if not find.strip():
        return ""
    meta_sae_id = question.parts[0].sae_id if question.parts else metas[0]
    try:
        found = answer(run, Question(text=find, sae_id=meta_sae_id), OFFERED)
    except QuestionError as error:
        return notice(str(error), "problem")
    if found.rows:
        return found_parts_html(found.rows, question, here, run.name)
    # no part is called so: what the latents are made of that the text finds
    parent = next(s["parent_sae_id"] for s in queries.saes(run) if s["sae_id"] == meta_sae_id)
    latents = answer(run, Question(text=find, sae_id=parent), 1)
    if not latents.shared:
        return notice(f"No part is called “{find}”, and no latent it finds shares parts.")
    rows = [
        {
            "sae_id": r["meta_sae_id"],
            "latent": r["meta_latent"],
            "label": r["label"],
            "count": r["n"],
        }
        for r in latents.shared
    ]
    return (
        f"<p class='note'>No part is called “{safe(find)}”. The {latents.n:,} latents that it "
        "finds share these, in so many of them:</p>"
        + found_parts_html(rows, question, here, run.name)
    )


def _answered(run: Run, question: Question, found: Answer, here) -> str:
    as_search = Link(SEARCH_PATH, {"run": run.name, **question.params})
    count = f"{found.n:,} latent{'' if found.n == 1 else 's'}"
    if not found.rows:
        return f"<h2>{count}</h2>" + notice(
            "No latent has all of these parts and none of the excluded ones. Take one away, or "
            "make it “rather” instead of “with”."
        )

    def to(row: Record, place: int) -> Link:
        page = latent_link(row["sae_id"], int(row["latent"]), row["kind"], run.name)
        packed = {"in": urlencode(question.params), "at": str(place)}
        return Link(page.path, {**page.params, **packed})

    def add(part: Part) -> Link:
        return here(question.with_part(part, "required"))

    more = f"<p>{link(as_search.href, 'All of them, with filters and other orders')}</p>"
    return (
        f"<h2>{count}</h2>{shared_html(found.shared, question, here)}"
        f"{hits_html(found.rows, question, to, add, run.name)}{more}"
        + download_links_html(
            "hits", {"run": run.name, **question.params, "h": run.manifest.short_hash}
        )
    )


ask_page()
