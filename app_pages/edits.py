"""Whether a fact of an entity can be edited by its meta-latents, and what else changes then."""

from __future__ import annotations

import streamlit as st

from app_pages.experiment_frame import begin, chosen_subject, figure, finish, lacks
from backend import compare, experiments, queries, urlstate
from backend.edit_charts import described, plane
from backend.edit_example_html import edited_html, latents_html, parts_html, told_html
from backend.edit_figures import (
    CAUSE,
    CHOICES,
    DISENTANGLE,
    ISOLATE,
    SCORES,
    Place,
    chosen_place,
    scores,
)
from backend.edit_html import (
    PUBLISHED,
    answer_html,
    attributes_html,
    facts_of,
    scores_section,
)
from backend.experiment_figures import sizes_of
from backend.experiment_html import missing, subject_pills
from backend.links import EDITS_PATH, latent_link
from backend.store import Run
from backend.text_html import link, notice, plain, tip

NAMES = {"kind": "Table", "entity": "Entity", "other": "Towards", "attribute": "Fact"}
SAID = {"kind": "table", "entity": "entity", "other": "other entity", "attribute": "fact"}
MOST_LINKS = 200  # of one edit: it moves the few parts of two latents


def edits_page() -> None:
    run = begin(EDITS_PATH, "edits")
    if lacks(run, "edits"):
        return
    every = experiments.figures(run, experiments.EDITS)
    parent = _decomposed(run)
    subject = chosen_subject(every, parent)
    rows = [row for row in every if row["subject"] == subject]
    subjects = list(sizes_of(every, queries.saes(run)))
    st.html(
        '<p class="lead">An entity such as a city has a latent, and the latent has parts. Swapped '
        f"against another entity's, do single {tip('meta-latents', 'meta-latent')} carry single "
        "facts?</p>"
        + subject_pills(EDITS_PATH, run.name, subjects, subject)
        + f'<p class="answer">{answer_html(rows)}</p>{facts_of(rows)}{scores_section(rows)}'
    )
    causes, isolates = scores(rows, CAUSE), scores(rows, ISOLATE)
    if causes.keys() & isolates.keys():
        st.html(
            "<h2>What changes against what stays</h2><p class='note'>The best place is on the top "
            "right: every fact aimed at changes, every other stays. The dotted line is as good as "
            "doing nothing. Hollow: the SAE's error is left out of the edited activation. Lines: "
            "95 % intervals.</p>"
        )
        alt = described(list(scores(rows, DISENTANGLE).values()))
        figure(plane(causes, isolates), f"plane-{subject}", alt)
    score = urlstate.choice("metric", SCORES, DISENTANGLE)
    kept = {name: urlstate.text(name) for name in ("sae", *CHOICES) if urlstate.text(name)}
    st.html(
        "<h2>By table and attribute</h2>"
        + subject_pills(EDITS_PATH, run.name, SCORES, score, "metric", "score", kept)
        + attributes_html(rows, score)
        + f'<p class="note after">{PUBLISHED}</p>'
    )
    _explorer(run, parent)
    finish(rows, run)


def _decomposed(run: Run) -> str:
    """The SAE whose latents have parts; "" in a run without a meta-SAE."""
    metas = [sae for sae in queries.saes(run) if sae["kind"] == "meta"]
    return metas[0]["parent_sae_id"] if metas else ""


def _explorer(run: Run, sae_id: str) -> None:
    st.html("<h2>One edit</h2>")
    if not experiments.edit_values(run, CHOICES[0]):
        st.html(missing("", "edits", "single edits"))
        return
    place = _place(run)
    rows = experiments.edits(run, **place.chosen)
    latents = {n for row in rows for n in (row["latent"], row["other_latent"]) if n is not None}
    parts = {part for row in rows for part in (*row["removed"], *row["added"])}
    st.html(
        told_html(rows, place.chosen)
        + edited_html(rows, place.chosen)
        + "<p class='note'>Log-probabilities in nats, before and after the edit, of the answer "
        f"that is the entity's own and of the other's. {tip('Lead', 'lead')}: own minus other.</p>"
        + latents_html(rows, _links(run, sae_id, latents))
        + parts_html(rows, _links(run, queries.meta_sae_of(run, sae_id), parts, "meta"))
    )


def _place(run: Run) -> Place:
    """The edit that the address asks for; draws the four choices."""
    place = chosen_place(
        lambda name, before: experiments.edit_values(run, name, **before),
        {name: urlstate.text(name) for name in CHOICES},
    )
    for name in place.missed:
        words = (
            f"There is no edit with the {SAID[name]} “{plain(urlstate.text(name))[:60]}” "
            f"here; showing {plain(place.chosen[name])}."
        )
        st.html(notice(words, "problem"))
    for names, number in zip(st.columns(4), range(4), strict=True):
        name = CHOICES[number]
        with names:
            urlstate.choice_box(
                NAMES[name],
                name,
                place.known[name],
                place.chosen[name],
                clears=(*CHOICES[number + 1 :], "h"),
            )
    return place


def _links(run: Run, sae_id: str | None, latents: set[int], kind: str = "sae") -> dict[int, str]:
    """A link for each of some latents, by name and number."""
    if not sae_id or not latents:
        return {}
    names = compare.names(run, [(sae_id, one) for one in sorted(latents)[:MOST_LINKS]])
    return {
        one: link(latent_link(sae_id, one, kind, run.name).href, name) + f" <small>{one}</small>"
        for (_, one), name in names.items()
    }


edits_page()
