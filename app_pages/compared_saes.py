"""Whole SAEs side by side, of one run or of several: the other half of the Compare page."""

from __future__ import annotations

from itertools import permutations

import streamlit as st

from app_pages.chosen import default_sae
from app_pages.compared import Runs, chosen_saes
from app_pages.frame import actions_html, title
from backend import queries, trust_charts
from backend.compare_saes import found_in, sae_figures
from backend.compare_saes_html import (
    ComparedSae,
    chart_lines,
    found_table,
    runs_table,
    saes_table,
)
from backend.compared import in_run
from backend.links import COMPARE_PATH, Link, compare_link
from backend.store import Run
from backend.text_html import link, notice, safe


def whole_links(run: Run, runs: Runs) -> str:
    """Each SAE beside the widest; and the widest one beside that of every other run."""
    own = [sae["sae_id"] for sae in queries.saes(run)]
    wide = widest(run)
    choices = [f"{sae_id},{wide}" for sae_id in own if sae_id != wide]
    for name in runs.listed:
        if name != run.name:
            choices.append(f"{wide},{in_run(wide, name, run.name)}")
    pills = "".join(
        link(
            Link(COMPARE_PATH, {"run": run.name, "saes": saes}).href,
            saes.replace(",", " and "),
        )
        for saes in choices
    )
    return f'<div class="pills">{pills}</div>' if pills else notice("This run has one SAE only.")


def whole_page(run: Run, runs: Runs) -> None:
    """What `/compare?saes=sae-8,sae-32` shows."""
    title("Compare SAEs")
    chosen, messages = chosen_saes(run, runs)
    params = {"run": run.name, "saes": ",".join(one.name for one in chosen)}
    here = Link(COMPARE_PATH, {**params, "h": run.manifest.short_hash})
    names = " and ".join(safe(one.name) for one in chosen) or "Compare SAEs"
    back = link(compare_link((), run.name).href, "Compare")
    st.html(
        actions_html(run, [back, "SAEs"], here, widest(run))
        + f"<h1>{names}</h1>{''.join(messages)}"
    )
    if len(chosen) < 2:
        st.html(notice("Two to four SAEs are needed.") + whole_links(run, runs))
    if not chosen:
        return
    saes = [
        ComparedSae(one.run.name, one.name, one.sae, sae_figures(one.run, one.sae["sae_id"]))
        for one in chosen
    ]
    found = {
        (i, j): found_in(chosen[i].run, saes[i].sae["sae_id"], saes[j].sae["sae_id"])
        if saes[i].run == saes[j].run
        else None
        for i, j in permutations(range(len(saes)), 2)
    }
    manifests = {one.run.name: one.run.manifest for one in chosen}
    found_words = f"<h2>One in the other</h2>{found_table(saes, found)}" if found else ""
    st.html(f"{saes_table(saes)}{runs_table(manifests)}{found_words}")
    lines = chart_lines(saes, found)
    if lines:
        counted = " and ".join(sorted({f"{row['n']:,}" for _, row in lines}))
        st.plotly_chart(
            trust_charts.nearest_cosines(lines, None, f"n = {counted} latents"),
            config={"displayModeBar": False},
            key=f"nearest-{run.name}-{params['saes']}",
            alt="Histogram of the cosine of each latent's nearest in the other SAE",
        )


def widest(run: Run) -> str:
    """The SAE that the run is about, else the widest."""
    saes = queries.saes(run)
    return default_sae(saes, {sae["sae_id"]: sae for sae in saes if sae["kind"] == "sae"})
