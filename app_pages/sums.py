"""Sums of directions: a latent, less some of its parts, plus others, and what lies near that."""

from __future__ import annotations

import streamlit as st

from app_pages.frame import actions_html
from backend import queries, urlstate
from backend.answers import answer, names_of
from backend.arithmetic import Sum, add_up, counterparts
from backend.ask_charts import analogy
from backend.ask_html import Names, choices_html, find_form_html, nearest_html, sum_html
from backend.links import ASK_PATH, Link, ask_link
from backend.question import Part, Question
from backend.store import Run
from backend.sum_question import SumQuestion
from backend.text_html import latent_name, link, notice, shortened

OFFERED = 8  # parts that a text finds
CAPTION_LENGTH = 16  # characters of a direction's name above a column


def sum_of_directions(run: Run, question: SumQuestion) -> None:
    """The half of the Ask page that `from` in the address opens."""
    shared = ask_link(question.params, run.name, run.manifest.short_hash)
    crumbs = [link(ask_link({}, run.name).href, "Ask"), "sum of directions"]
    st.html(actions_html(run, crumbs, shared) + "<h1>Take a part away, add another</h1>")
    meta_sae_id = queries.meta_sae_of(run, question.start.sae_id) or ""
    names = names_of(run, [part.key for part in question.parts])
    unknown = [str(part) for part in question.parts if part.key not in names]
    if unknown:
        st.html(notice(f"{', '.join(unknown)}: not in this run.", "problem"))
        return
    found = add_up(run, question, meta_sae_id)
    if found is None:
        told = (
            f"The directions of {question.start.sae_id}, or of another SAE named here, are not "
            "kept in this run, so they cannot be added. Those of the decomposed SAEs are."
        )
        st.html(notice(told, "problem"))
        return
    near = [(one.sae_id, one.latent) for one in (*found.latents, *found.meta_latents)]
    names |= names_of(run, near)

    def here(asked: SumQuestion) -> Link:
        return ask_link(asked.params, run.name)

    st.html(
        sum_html(found, question, names, here, run.name)
        + _choices(run, question, meta_sae_id, here)
    )
    if question.less or question.more:
        _results(run, question, found, names)
    else:
        st.html(notice("Take one of its parts away above, or add another."))


def _results(run: Run, question: SumQuestion, found: Sum, names: Names) -> None:
    captions = [shortened(_name(names, part.key), CAPTION_LENGTH) for part in question.parts]
    left, right = st.columns([1.1, 1], gap="large")
    with left:
        st.html(f"<h2>Nearest latents</h2>{nearest_html(found.latents, names, captions, run.name)}")
    with right:
        swapped = bool(question.less and question.more)
        axes = (1, 1 + len(question.less)) if swapped else (0, 1)
        st.plotly_chart(
            analogy(
                found,
                captions,
                [_name(names, (one.sae_id, one.latent)) for one in found.latents],
                axes,
            ),
            config={"displayModeBar": False},
            key=f"analogy-{run.name}",
            alt=f"Latents by their cosine with {captions[axes[0]]} and with {captions[axes[1]]}; "
            "the table beside it has the figures",
        )
    if found.meta_latents:
        st.html(
            "<h2>Nearest meta-latents</h2>"
            + nearest_html(found.meta_latents, names, captions, run.name)
        )


def _choices(run: Run, question: SumQuestion, meta_sae_id: str, here) -> str:
    """Parts of the start to take away, what could replace one, and a box to find others."""
    if not meta_sae_id:
        return ""
    taken = {part.key for part in question.parts}
    away = [
        (
            here(question.minus(Part(meta_sae_id, row["meta_latent"]))),
            latent_name(row["label"], row["meta_latent"], "meta"),
        )
        for row in queries.components(run, meta_sae_id, question.start.latent)
        if (meta_sae_id, row["meta_latent"]) not in taken
    ]
    instead = []
    if question.less and question.less[-1].sae_id == meta_sae_id:
        near = [p for p in counterparts(run, question.less[-1]) if p.key not in taken]
        known = names_of(run, [part.key for part in near])
        instead = [(here(question.plus(p)), _name(known, p.key)) for p in near if p.key in known]
    find = urlstate.text("find")
    form = find_form_html(
        ASK_PATH, here(question).params, "find", find, "add another part, such as french"
    )
    return (
        choices_html("take away", away)
        + choices_html("put in its place", instead)
        + form
        + _found(run, question, meta_sae_id, find, here)
    )


def _found(run: Run, question: SumQuestion, meta_sae_id: str, find: str, here) -> str:
    if not find.strip():
        return ""
    rows = answer(run, Question(text=find, sae_id=meta_sae_id), OFFERED).rows
    if not rows:
        return notice(f"No part is called “{find}”.")
    return choices_html(
        "add",
        [
            (
                here(question.plus(Part(row["sae_id"], row["latent"]))),
                latent_name(row["label"], row["latent"], "meta"),
            )
            for row in rows
        ],
    )


def _name(names: Names, key: tuple[str, int]) -> str:
    known = names[key]
    return latent_name(known["label"], key[1], known["kind"])
