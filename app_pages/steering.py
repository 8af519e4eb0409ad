"""Which direction steers best towards a concept, for the damage it does to everything else."""

from __future__ import annotations

import streamlit as st

from app_pages.experiment_frame import begin, chosen_subject, figure, finish, lacks
from backend import experiments, queries, urlstate
from backend.experiment_figures import sizes_of
from backend.experiment_html import missing, subject_pills
from backend.links import STEERING_PATH
from backend.records import Record
from backend.steering_charts import effect_against_damage
from backend.steering_figures import ALL_CONCEPTS, concepts, parted, place_of, points
from backend.steering_html import (
    PUBLISHED,
    answer_html,
    methods_section,
    points_html,
    texts_section,
    written_html,
)
from backend.store import Run
from backend.text_html import notice, plain, safe, tip

EFFECT_UNIT = "effect: rise of the targets' probability"


def steering_page() -> None:
    run = begin(STEERING_PATH, "steering")
    if lacks(run, "steering"):
        return
    every = experiments.figures(run, experiments.STEERING)
    metas = [sae for sae in queries.saes(run) if sae["kind"] == "meta"]
    # of the decomposed SAE there is every method, and texts
    subject = chosen_subject(every, metas[0]["parent_sae_id"] if metas else "")
    rows = [row for row in every if row["subject"] == subject]
    subjects = list(sizes_of(every, queries.saes(run)))
    st.html(
        '<p class="lead">A direction is added to the activation at every token: what the model '
        "writes moves towards a concept, and its prediction of all other text gets worse.</p>"
        + subject_pills(STEERING_PATH, run.name, subjects, subject)
        + f'<p class="answer">{answer_html(rows)}</p>{methods_section(rows)}'
    )
    curves = experiments.curves(run, experiments.STEERING, subject=subject)
    known = concepts(curves)
    if known:
        _lines(run, subject, rows, curves, known)
    else:
        st.html(missing("Effect against damage", "steering", "lines over strengths"))
    st.html(f'<p class="note after">{PUBLISHED}</p>')
    finish(rows, run)


def _lines(
    run: Run, subject: str, rows: list[Record], curves: list[Record], known: list[str]
) -> None:
    st.html(
        "<h2>Effect against damage</h2><p class='note'>A line a method: along it the added "
        f"direction gets longer ({tip('strength')}). Up and left is better; rings mark the "
        f"{tip('Pareto front')}, the dotted line 0.1 nats of damage. Random directions are the "
        "control.</p>"
    )
    wanted = urlstate.text("concept")
    if wanted and wanted not in (*known, ALL_CONCEPTS):
        words = f"Nothing was steered towards “{plain(wanted)[:60]}” here; showing {ALL_CONCEPTS}."
        st.html(notice(words, "problem"))
    concept = urlstate.choice_box(
        "Concept", "concept", [ALL_CONCEPTS, *known], ALL_CONCEPTS, clears=("h",)
    )
    shown = points(curves, concept)
    if concept == ALL_CONCEPTS:
        st.html(f"<p class='note'>Means over {len(known)} concepts at each strength.</p>")
    figure(
        effect_against_damage(shown, EFFECT_UNIT),
        f"front-{subject}-{concept}",
        "Effect against damage, a line a method; its points are in a table below, the methods",
    )
    st.html(points_html(shown))
    sample = known[0] if concept == ALL_CONCEPTS else concept
    st.html(
        "<h2>What it writes</h2>"
        + texts_section(rows)
        + f"<p class='note'>Texts towards {safe(sample)}, beside the {tip('strength')} that was "
        "added; grey is what the model was given. The value is marked where it stands; target "
        "tokens are its first token and those of the entities that have it.</p>"
        + written_html(_written(run, subject, curves, sample), sample)
    )


def _written(run: Run, subject: str, curves: list[Record], concept: str) -> list[Record]:
    """The texts of one concept, method by method, weak steering first."""
    settings = {row["setting"] for row in curves if parted(row["setting"])[0] == concept}
    found = []
    for setting in sorted(settings, key=lambda setting: place_of(parted(setting)[1])):
        own = experiments.continuations(run, experiments.STEERING, subject, setting)
        method = {"method": parted(setting)[1]}
        found += [row | method for row in sorted(own, key=lambda row: row["strength"])]
    return found


steering_page()
