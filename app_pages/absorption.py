"""Do latents go silent where they should fire? Letters and classes of words, by SAE and width."""

from __future__ import annotations

import streamlit as st

from app_pages.experiment_frame import begin, chosen_subject, figure, finish, lacks
from backend import absorption_answers, experiment_charts, experiments, queries, urlstate
from backend.absorption_answers import (
    ATTRIBUTION,
    ATTRIBUTION_CONTROL,
    CONCEPTS,
    FULL,
    RATE,
    SAME_KIND,
    SHUFFLED,
    SPLITS,
    Concepts,
    by_concept,
    named,
)
from backend.experiment_figures import Figures, in_order, main_subject, over_width, sizes_of
from backend.experiment_html import subject_pills
from backend.links import ABSORPTION_PATH
from backend.records import Record
from backend.store import Run
from backend.text_html import tip
from backend.trust_html import section_html

MOST_CONCEPTS = 26  # single letters or classes in one figure


def absorption_page() -> None:
    run = begin(ABSORPTION_PATH, "absorption")
    if lacks(run, "absorption"):
        return
    rows, saes = experiments.figures(run, experiments.ABSORPTION), queries.saes(run)
    sizes, figures = sizes_of(rows, saes), Figures(rows)
    subject = chosen_subject(rows, main_subject(sizes, saes))
    held = absorption_answers.held_concepts(figures, subject)
    chosen = urlstate.choice("concept", held, held[0] if held else "letters")
    concepts = CONCEPTS[chosen]
    told = (
        f"A {tip('probe')} finds the direction of each {concepts.one} in the model's activations; "
        f"a {tip('sparse probe')} finds its {tip('main latents')}. Control: the same activations "
        f"with {tip('decoder rows shuffled')}, grey."
    )
    st.html(
        f'<p class="answer">{absorption_answers.answer(figures, subject, concepts)}</p>'
        + subject_pills(ABSORPTION_PATH, run.name, list(sizes), subject, kept={"concept": chosen})
        + subject_pills(
            ABSORPTION_PATH, run.name, held, chosen, "concept", "asked of words", {"sae": subject}
        )
        + f'<p class="note">{told}</p>'
    )
    _widths(figures, rows, sizes, concepts)
    points = _one_by_one(run, subject, concepts)
    if not concepts.prefix:
        _attribution(figures, subject)
    points += _splits(run, figures, rows, sizes, subject, concepts)
    _carried(figures, subject, concepts)
    finish(rows, run, points)


def _widths(
    figures: Figures, rows: list[Record], sizes: dict[str, int], concepts: Concepts
) -> None:
    own = [row for row in rows if row["metric"] == FULL]
    shown = named(in_order(own, (concepts.latents, concepts.shuffled)), concepts)
    if not shown:
        return
    figure(
        experiment_charts.lines(
            over_width(shown, sizes),
            "latents of the SAE",
            f"{FULL}, share of words",
            True,
            by="name",
            control=(SHUFFLED,),
            counted="words",
        ),
        f"absorption-widths-{concepts.many}",
        "Full absorption over the number of latents",
    )
    answer = absorption_answers.widths_answer(figures, sizes, concepts)
    st.html(f'<p class="answer">{answer}</p>')


def _one_by_one(run: Run, subject: str, concepts: Concepts) -> list[Record]:
    points = experiments.curves(run, experiments.ABSORPTION, f"{FULL} by concept", subject)
    shown = by_concept(points, concepts)[:MOST_CONCEPTS]
    if not shown:
        return []
    told = (
        f"{tip('Full absorption', FULL)} of every {concepts.one} that the probe knows; n = words."
    )
    st.html(section_html(f"Which {concepts.many}?", told, "", ""))
    figure(
        experiment_charts.bars(shown, "name", f"{FULL}, share of words", counted="words"),
        f"absorption-each-{subject}-{concepts.many}",
        f"Full absorption by {concepts.one}",
    )
    return shown


def _attribution(figures: Figures, subject: str) -> None:
    settings = (ATTRIBUTION, f"{ATTRIBUTION}, without logits", ATTRIBUTION_CONTROL)
    rows = figures.of(subject, RATE, settings)
    if not rows:
        return
    told = (
        f"The published form: a word counts where the latent of largest effect on the model's "
        f"answer ({tip('attribution')}) is none of the main ones, and points to the letter."
    )
    answer = absorption_answers.attribution_answer(figures, subject)
    st.html(section_html("And by its effect on the answer?", told, answer, ""))
    figure(
        experiment_charts.bars(
            rows, "setting", f"{RATE}, share of words", (ATTRIBUTION_CONTROL,), counted="words"
        ),
        f"absorption-attribution-{subject}",
        "Absorption rate by attribution",
    )


def _splits(
    run: Run,
    figures: Figures,
    rows: list[Record],
    sizes: dict[str, int],
    subject: str,
    concepts: Concepts,
) -> list[Record]:
    answer = absorption_answers.splits_answer(figures, subject, concepts)
    if not answer:
        return []
    st.html(section_html(f"Over how many latents is a {concepts.one} spread?", "", answer, ""))
    splits = [r for r in rows if r["metric"] == SPLITS and r["setting"] == concepts.latents]
    if len(splits) > 1:
        figure(
            experiment_charts.lines(
                over_width(splits, sizes),
                "latents of the SAE",
                f"splits a {concepts.one}",
                True,
                counted=concepts.many,
            ),
            f"absorption-splits-{concepts.many}",
            "Splits over the number of latents",
        )
    points = experiments.curves(
        run, experiments.ABSORPTION, "f1 of k latents", setting=concepts.latents
    )
    if points:
        order = [row for name in sizes for row in points if row["subject"] == name]
        figure(
            experiment_charts.lines(
                order,
                "latents that the probe sees (k)",
                "F1 on test words",
                by="subject",
                counted=concepts.many,
            ),
            f"absorption-f1-{concepts.many}",
            "F1 of k latents by SAE",
        )
    return points


def _carried(figures: Figures, subject: str, concepts: Concepts) -> None:
    answer = absorption_answers.carried_answer(figures, subject, concepts)
    own, *controls = concepts.carriers
    if answer:
        told = (
            f"Absorbing latents should have a {tip('component')} along the {concepts.one}. The "
            f"controls, grey, are latents at random, and the same latents with others' probes; "
            f"{tip('main latents')} show what a latent that stands for it has."
        )
        st.html(section_html(f"Do meta-latents carry the {concepts.one}?", told, answer, ""))
        rows = named(
            figures.of(subject, concepts.cosine, (own, concepts.main, *controls)), concepts
        )
        grey = [row["name"] for row in rows if row["setting"] in controls]
        figure(
            experiment_charts.bars(
                rows, "name", f"cosine with the {concepts.one}", grey, counted="latents"
            ),
            f"absorption-carried-{subject}-{concepts.many}",
            "Cosine of the best component",
        )
    settings = (own, f"{concepts.prefix}sub-classes shuffled")
    alike = figures.of(subject, SAME_KIND, settings)
    if alike:
        told = (
            "Of the other words of the class on which an absorbing latent fires, the share of the "
            "same sub-class, e.g. bird for animal; grey: sub-classes dealt out anew."
        )
        answer = absorption_answers.kinds_answer(*alike)
        st.html(section_html("Do absorbing latents stand for a kind of it?", told, answer, ""))
        figure(
            experiment_charts.bars(
                named(alike, concepts),
                "name",
                SAME_KIND,
                ("sub-classes shuffled",),
                counted="words",
            ),
            f"absorption-kinds-{subject}",
            "Share of the same sub-class",
        )


absorption_page()
