"""Is the encoder the bottleneck? The same directions with other choices of latents."""

from __future__ import annotations

import streamlit as st

from app_pages.experiment_frame import begin, chosen_subject, figure, finish, lacks
from backend import experiment_charts, experiments, pursuit_answers, queries
from backend.experiment_figures import (
    EMBEDDING,
    ENCODER_CONTROLS,
    GAIN,
    LOSS,
    METHODS,
    VARIANCE,
    Figures,
    in_order,
    main_subject,
    over_width,
    sizes_of,
)
from backend.experiment_html import subject_pills, terms_words
from backend.links import PURSUIT_PATH
from backend.records import Record
from backend.text_html import tip
from backend.trust_html import section_html

GREY = ENCODER_CONTROLS[1:]


def pursuit_page() -> None:
    run = begin(PURSUIT_PATH, "pursuit")
    if lacks(run, "pursuit"):
        return
    rows, saes = experiments.figures(run, experiments.PURSUIT), queries.saes(run)
    sizes, figures = sizes_of(rows, saes), Figures(rows)
    subject = chosen_subject(rows, main_subject(sizes, saes))
    metric = pursuit_answers.effect_of(figures, subject)
    points = experiments.curves(run, experiments.PURSUIT, subject=subject)
    told = (
        f"One dictionary, five ways to use it: {terms_words(METHODS[1:])}, and the encoder as "
        f"it is, one point. {tip('L0')} is the mean number of latents a token. 1 is the "
        "untouched model."
    )
    st.html(
        f'<p class="answer">{pursuit_answers.answer(figures, subject)}</p>'
        + subject_pills(PURSUIT_PATH, run.name, list(sizes), subject)
        + f'<p class="note">{told}</p>'
    )
    _lines(points, metric, subject)
    st.html(section_html("And the variance explained?", _variance_told(), "", ""))
    _lines(points, VARIANCE, subject)
    _gains(figures, subject, metric)
    _widths(figures, rows, sizes, metric)
    drawn = [row for row in points if row["metric"] in (metric, VARIANCE)]
    finish(rows, run, drawn)


def _lines(points: list[Record], metric: str, subject: str) -> None:
    own = [row for row in points if row["metric"] == metric]
    by_method = in_order(own, METHODS)
    words = {LOSS: "share of the loss given back", EMBEDDING: "share of the embedding given back"}
    figure(
        experiment_charts.lines(
            by_method,
            "latents a token (L0)",
            words.get(metric, metric),
            log_x=True,
            control=GREY,
            counted=_counted(metric),
        ),
        f"pursuit-{subject}-{metric}",
        f"{metric.capitalize()} over L0 by method",
    )


def _counted(metric: str) -> str:
    """What n counts in a metric's figures."""
    return "texts" if metric == EMBEDDING else "tokens"


def _variance_told() -> str:
    return (
        f"The same reconstructions by {tip('variance explained')}: a search that fits activations "
        "better need not help the model more."
    )


def _gains(figures: Figures, subject: str, metric: str) -> None:
    rows = figures.of(subject, GAIN, METHODS)
    told = (
        f"{tip('Gain over the encoder', GAIN)} at the encoder's own L0, on the same tokens; grey: "
        "the encoder's own latents. The dotted line is the encoder."
    )
    st.html(section_html("How much at the same number of latents?", told, "", ""))
    figure(
        experiment_charts.bars(
            rows,
            "setting",
            f"{metric}, beyond the encoder",
            GREY,
            at=0,
            counted=_counted(metric),
        ),
        f"pursuit-gain-{subject}",
        "Gain of every method over the encoder",
    )


def _widths(figures: Figures, rows: list[Record], sizes: dict[str, int], metric: str) -> None:
    shown = [row for row in in_order(rows, METHODS) if row["metric"] == GAIN]
    answer = pursuit_answers.widths_answer(figures, sizes)
    told = "The same gain for every SAE of the suite, each at its own encoder's L0."
    st.html(section_html("Does it change with the number of latents?", told, answer, ""))
    figure(
        experiment_charts.lines(
            over_width(shown, sizes),
            "latents of the SAE",
            GAIN,
            True,
            control=GREY,
            at=0,
            counted=_counted(metric),
        ),
        "pursuit-widths",
        "Gain over the encoder over the number of latents",
    )


pursuit_page()
