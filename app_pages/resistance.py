"""SAEs trained so that a meta-SAE cannot take them apart; below it dead latents and toy models."""

from __future__ import annotations

import streamlit as st

from app_pages.experiment_frame import begin, figure, finish, lacks
from backend import experiments, urlstate
from backend.experiment_html import missing, subject_pills
from backend.links import RESISTANCE_PATH
from backend.records import Record, column
from backend.resistance_charts import trade_off
from backend.resistance_figures import (
    EXPLAINED,
    LOWER_RESISTS,
    META_HELD_OUT,
    change_of,
    changed_metrics,
    subjects,
)
from backend.resistance_html import answer_html, grids_html, published_html, trainings_html
from backend.resistance_lower_html import dead_section, toy_section
from backend.store import Run
from backend.text_html import notice, plain, tip


def resistance_page() -> None:
    run = begin(RESISTANCE_PATH, "resistance")
    if lacks(run, "resistance"):
        return
    resistance = experiments.figures(run, experiments.RESISTANCE)
    if resistance:
        _resistance(run, resistance)
    else:
        st.html(missing("", "resistance", "SAEs trained together with a meta-SAE"))
    dead = experiments.figures(run, experiments.DEAD_LATENTS)
    toys = experiments.figures(run, experiments.TOY_MODELS)
    st.html(dead_section(dead) + toy_section(toys))
    finish([*resistance, *dead, *toys], run)


def _resistance(run: Run, every: list[Record]) -> None:
    width = _width(every)
    rows = [row for row in every if row["setting"] == width]
    widths = list(dict.fromkeys(column(every, "setting")))
    st.html(
        '<p class="lead">An SAE is trained together with a meta-SAE, and pays a '
        f"{tip('penalty', 'decomposability penalty')} for every decoder row that the meta-SAE can "
        "rebuild: λ₂ is its weight, σ² how far a rebuilt row may be off and still cost.</p>"
        + subject_pills(RESISTANCE_PATH, run.name, widths, width, "setting", "width")
        + f'<p class="answer">{answer_html(rows)}</p>'
    )
    grids = grids_html(rows)
    if grids:
        st.html(
            "<h2>What the penalty changes</h2><p class='note'>Each cell: change against the SAE "
            f"trained alone ({tip('solo')}) on the same seeds, in per cent, and its 95 % interval "
            f"over seeds.</p>{grids}"
        )
    _trade_off(run, rows)
    st.html(
        "<h2>Every way of training</h2><p class='note'>The measures themselves; controls are the "
        f"SAE trained alone, and trained alone for as long ({tip('equal compute')}).</p>"
        + trainings_html(rows)
        + "<h2>Beside the published grid</h2>"
        + published_html(rows)
    )


def _width(rows: list[Record]) -> str:
    """The width that the address names, else the last; says when there is none such."""
    widths = list(dict.fromkeys(column(rows, "setting")))
    wanted = urlstate.text("setting")
    if wanted and wanted not in widths:
        words = f"Nothing was trained with “{plain(wanted)[:60]}” here; showing {widths[-1]}."
        st.html(notice(words, "problem"))
    return wanted if wanted in widths else widths[-1]


def _trade_off(run: Run, rows: list[Record]) -> None:
    known = [metric for metric in changed_metrics(rows) if metric in LOWER_RESISTS]
    costs = subjects(rows, change_of(EXPLAINED))
    if not known or not costs:
        return
    metric = urlstate.choice("metric", known, META_HELD_OUT if META_HELD_OUT in known else known[0])
    kept = {"setting": rows[0]["setting"]}
    st.html(
        "<h2>What it costs</h2><p class='note'>Down is harder to take apart, left is a worse "
        "reconstruction; the dotted lines cross at the SAE trained alone.</p>"
        + subject_pills(RESISTANCE_PATH, run.name, known, metric, "metric", "measure", kept)
    )
    figure(
        trade_off(costs, subjects(rows, change_of(metric)), "change of variance explained",
                  f"change of {metric}"),
        f"trade-off-{metric}",
        "Change of a measure of resistance against change of variance explained",
    )  # fmt: skip


resistance_page()
