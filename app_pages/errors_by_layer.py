"""The part of the Errors page about other layers of the model, each with an SAE of its own."""

from __future__ import annotations

import streamlit as st

from app_pages.experiment_frame import figure
from backend import error_answers, experiment_charts, experiments, urlstate
from backend.experiment_figures import CE_RISE, DISTANCE, FAIR, KL, OVER_RANDOM, SAE, in_order
from backend.experiment_html import missing
from backend.records import Record, column
from backend.store import Run
from backend.text_html import number, tip
from backend.trust_figures import first_number
from backend.trust_html import section_html

QUESTION = "Is it so at every layer?"
ONE_TOKEN = " of one token"
CHANGED = {"": "every token changed", ONE_TOKEN: "one token changed"}


def layers_section(run: Run) -> list[Record]:
    """Draw the ratios over the layers; returns the figures that are drawn."""
    rows = experiments.figures(run, experiments.LAYERS)
    if not rows:
        st.html(missing(QUESTION, "layers", "the same with an SAE for each layer of the model"))
        return []
    rows = sorted(rows, key=lambda row: first_number(row["subject"]))
    metric = _metric(rows)
    explained = column([row for row in rows if row["metric"] == "variance explained"], "value")
    told = (
        "For each layer an SAE was trained, all alike; its errors and the fair controls as "
        f"multiples of {tip('eps-random')}, the dotted line at 1. The SAEs explain "
        f"{number(min(explained))} to {number(max(explained))} of the held-out variance."
    )
    if metric == DISTANCE:
        told += (
            " After the last layer the embedding is only the mean over the tokens, in which "
            "independent noise averages out, but not what the errors of all tokens share."
        )
    st.html(section_html(QUESTION, told, error_answers.layers_answer(rows, metric), ""))
    drawn: list[Record] = []
    for changed, words in CHANGED.items():
        wanted = f"{metric}{changed}{OVER_RANDOM}"
        points = [
            {**row, "x": first_number(row["subject"]), "step": first_number(row["subject"])}
            for row in in_order(rows, (SAE, *FAIR))
            if row["metric"] == wanted
        ]
        if not points:
            continue
        is_distance = metric == DISTANCE
        chart = experiment_charts.lines(
            points,
            "layer",
            f"times eps-random, {words}",
            control=FAIR,
            at=1,
            counted="texts" if is_distance else "contexts" if changed else "tokens",
        )
        figure(chart, f"errors-layers-{metric}{changed}", f"Ratio to eps-random by layer, {words}")
        drawn += points
    return drawn


def _metric(rows: list[Record]) -> str:
    """KL or rise of CE as the address has it; of an encoder the distance of embeddings."""
    if any(row["metric"] == DISTANCE for row in rows):
        return DISTANCE
    return urlstate.choice("metric", [KL, CE_RISE], KL)
