"""Do an SAE's errors hurt more than random ones of the same size? By kind, width, place, token."""

from __future__ import annotations

import streamlit as st

from app_pages.errors_by_layer import layers_section
from app_pages.experiment_frame import begin, chosen_subject, figure, finish, lacks
from backend import error_answers, experiment_charts, experiments, queries, urlstate
from backend.experiment_families import FAMILIES
from backend.experiment_figures import (
    ABLATIONS,
    CE_RISE,
    CONTROLS,
    DISTANCE,
    EPS_RANDOM,
    FAIR,
    INTERVENTIONS,
    KL,
    OVER_RANDOM,
    SAE,
    Figures,
    in_order,
    main_subject,
    over_width,
    sizes_of,
)
from backend.experiment_html import missing, subject_pills, terms_words, value
from backend.links import ERRORS_PATH
from backend.records import Record, grouped
from backend.store import Run
from backend.text_html import is_known, tip
from backend.trust_html import section_html

METRICS = {KL: "KL", CE_RISE: "rise of CE"}
DRAWN = (SAE, EPS_RANDOM, *FAIR)  # lines of all eleven interventions would hide each other
LEAST_COUNT = 20  # of a token to be named, as the experiment counts


def errors_page() -> None:
    run = begin(ERRORS_PATH, "errors")
    if lacks(run, "errors"):
        return
    rows, saes = experiments.figures(run, experiments.ERRORS), queries.saes(run)
    if not rows:
        st.html(missing("", "errors", FAMILIES["errors"].what))
        finish(layers_section(run), run)
        return
    sizes, figures = sizes_of(rows, saes), Figures(rows)
    subject = chosen_subject(rows, main_subject(sizes, saes))
    _main(run, figures, subject, list(sizes))
    widths = _widths(figures, rows, sizes)
    layers = layers_section(run)
    points: list[Record] = []
    if error_answers.cost_of(figures, subject) == KL:
        lines = grouped(experiments.curves(run, experiments.ERRORS, subject=subject), "metric")
        points += _after(lines.get("kl after one token over eps-random", []))
        points += _tokens(lines.get("excess kl by token", []))
        points += _deviations(figures, subject, lines.get("deviations above random", []))
        points += _distribution(lines.get("kl distribution", []))
        points += _positions(lines.get("kl by position", []))
    own = [row for row in rows if row["subject"] == subject or row in widths]
    finish([*own, *layers], run, points)


def _main(run: Run, figures: Figures, subject: str, subjects: list[str]) -> None:
    is_encoder = error_answers.cost_of(figures, subject) == DISTANCE
    metric = DISTANCE if is_encoder else urlstate.choice("metric", list(METRICS), KL)
    kept = {} if metric in (KL, DISTANCE) else {"metric": metric}
    pills = subject_pills(ERRORS_PATH, run.name, subjects, subject, kept=kept)
    if not is_encoder:
        told = list(METRICS)
        pills += subject_pills(
            ERRORS_PATH, run.name, told, metric, "metric", "measured as", {"sae": subject}, METRICS
        )
    rows = figures.of(subject, metric, INTERVENTIONS)
    scale = ", ".join(
        f"{tip(row['setting'] + ' ablation')} {value(row)}"
        for row in figures.of(subject, metric, ABLATIONS)
    )
    clean = figures.row(subject, "clean", "ce")
    untouched = f" The untouched model's {tip('CE')} is {value(clean)} nats." if clean else ""
    far = figures.row(subject, SAE, "distance over norm")
    length = f" The SAE's error is {value(far)} of an activation's length." if far else ""
    st.html(
        f'<p class="answer">{error_answers.answer(figures, subject)}</p>{pills}'
        f'<p class="note">Every token\'s activation is replaced at once: by the '
        f"{tip('SAE', 'SAE reconstruction')}, or by a control (grey) that is as far away. "
        f"What they are: {terms_words(INTERVENTIONS)}. For scale: {scale}.{untouched}{length}</p>"
    )
    unit = "embedding distance, 1 - cosine" if is_encoder else f"{METRICS[metric]}, nats a token"
    counted = _counted(figures, subject)
    figure(
        experiment_charts.bars(rows, "setting", unit, CONTROLS, counted=counted),
        f"errors-{subject}-{metric}",
        "Cost of every intervention",
    )


def _counted(figures: Figures, subject: str) -> str:
    """What n counts in the figures of all tokens."""
    return "texts" if error_answers.cost_of(figures, subject) == DISTANCE else "tokens"


def _widths(figures: Figures, rows: list[Record], sizes: dict[str, int]) -> list[Record]:
    metrics = {f"{error_answers.cost_of(figures, subject)}{OVER_RANDOM}" for subject in sizes}
    shown = [row for row in in_order(rows, (SAE, *FAIR)) if row["metric"] in metrics]
    points = over_width(shown, sizes)
    told = (
        f"The SAE's errors and the fair controls, as multiples of {tip('eps-random')}, which is "
        "the dotted line at 1."
    )
    st.html(
        section_html(
            "Do wider SAEs err worse?", told, error_answers.widths_answer(figures, sizes), ""
        )
    )
    figure(
        experiment_charts.lines(
            points,
            "latents of the SAE",
            "times eps-random",
            True,
            control=FAIR,
            at=1,
            counted=_counted(figures, next(iter(sizes))),
        ),
        "errors-widths",
        "Ratio to eps-random over the number of latents",
    )
    return shown


def _after(points: list[Record]) -> list[Record]:
    if not points:
        return []
    own = [row for row in points if row["setting"] == SAE]
    told = "One token of each context is changed; the KL at that token and at those after it."
    st.html(section_html("How long is one error felt?", told, error_answers.after_answer(own), ""))
    drawn = in_order(points, (SAE, *FAIR))
    figure(
        experiment_charts.lines(
            drawn,
            "tokens after the changed one",
            "KL, times eps-random",
            control=FAIR,
            at=1,
            counted="contexts",
        ),
        "errors-after",
        "Ratio to eps-random by token after the change",
    )
    return drawn


def _positions(points: list[Record]) -> list[Record]:
    if not points:
        return []
    told = "Every token is changed; the mean KL of the predictions at each place of a context."
    st.html(section_html("Does it depend on the place in the context?", told, "", ""))
    drawn = in_order(points, DRAWN)
    figure(
        experiment_charts.lines(
            drawn,
            "place in the context, from 0",
            "KL, nats",
            control=(EPS_RANDOM, *FAIR),
            counted="contexts",
        ),
        "errors-positions",
        "Mean KL by position",
    )
    return drawn


def _tokens(points: list[Record]) -> list[Record]:
    points = sorted(points, key=lambda row: row["step"])
    told = (
        f"Mean KL of the SAE's error less that of {tip('eps-random')}, by the token whose "
        f"activation was replaced; tokens that occur at least {LEAST_COUNT} times, largest first."
    )
    answer = error_answers.tokens_answer(points, LEAST_COUNT)
    st.html(section_html("On which tokens?", told, answer, ""))
    if points:
        figure(
            experiment_charts.bars(
                points, "setting", "KL beyond eps-random, nats", at=0, counted="times"
            ),
            "errors-tokens",
            "Excess KL by token",
        )
    return points


def _distribution(points: list[Record]) -> list[Record]:
    if not points:
        return []
    told = (
        "Share of tokens by the logarithm of their KL: whether the whole distribution is shifted, "
        "or only a few tokens are hit hard."
    )
    st.html(section_html("A few tokens, or all?", told, "", ""))
    drawn = in_order(points, DRAWN)
    figure(
        experiment_charts.lines(
            drawn,
            "log10 of KL (KL in nats; start of the bin)",
            "share of tokens",
            control=(EPS_RANDOM, *FAIR),
            counted="tokens",
        ),
        "errors-distribution",
        "Histogram of KL",
    )
    return drawn


def _deviations(figures: Figures, subject: str, points: list[Record]) -> list[Record]:
    if not points:
        return []
    draws = max(row["n"] for row in points)
    told = (
        f"One token at a time against {draws:,} eps-random vectors of its own; each point is a "
        "token, from the one where the SAE does least."
    )
    answer = error_answers.deviations_answer(figures, subject)
    st.html(section_html("And for single tokens?", told, answer, ""))
    drawn = [row for row in points if is_known(row["value"])]
    figure(
        experiment_charts.lines(
            drawn, "share of tokens", "standard deviations above random", at=0, counted="vectors"
        ),
        "errors-deviations",
        "Deviations of single tokens, sorted",
    )
    return drawn


errors_page()
