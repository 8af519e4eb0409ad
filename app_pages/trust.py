"""Every control beside the real result: is a decomposition more than chance, and more than easy?"""

from __future__ import annotations

import streamlit as st

from app_pages.frame import actions_html, opened, title
from backend import queries, trust, trust_charts, trust_names, urlstate
from backend.controls_html import margin_words
from backend.links import TRUST_PATH, Link, trust_link
from backend.lists_html import pill_html
from backend.records import Record
from backend.splitting import SIMILAR_COSINE
from backend.store import Run
from backend.text_html import notice, safe, tip
from backend.trust_checks_html import (
    attributes_section,
    composition_section,
    explained_section,
    relations_html,
    sampling_section,
)
from backend.trust_cosines import META_IN_SAES, PANELS, panel, panel_words, values_html
from backend.trust_figures import SPLIT_WORDS, best_split, sae_points, sweep_points
from backend.trust_html import controls_section, methods_section, missing_html, seeds_section
from backend.trust_names_html import names_section
from backend.trust_sizes_html import k_section, sweep_answer

SIZE_QUESTION = "Would another size do better?"
COSINE_QUESTION = "Are meta-latents just latents of smaller SAEs?"
Figures = dict[str, list[Record]]


def trust_page() -> None:
    run = opened(TRUST_PATH)
    title("Trust")
    saes = queries.saes(run)
    metas = [sae for sae in saes if sae["kind"] == "meta"]
    figures, histograms = trust.figures(run), trust.cosine_histograms(run)
    names = trust_names.label_figures(run)
    main_sae = metas[0]["parent_sae_id"] if metas else saes[-1]["sae_id"]
    here = trust_link(run.name, run.manifest.short_hash)
    head = (
        actions_html(run, ["Trust"], here, main_sae)
        + "<h1>How far can you trust it?</h1>"
        + f'<p class="lead">Every {tip("control", "null")} of this run beside its real result. '
        "A plot has one question; its answer is computed from the numbers below it.</p>"
    )
    if not figures and not histograms and not names:
        st.html(head + notice("This run holds no controls: it was made without a meta-SAE."))
        return
    controls = figures.get("controls", [])
    margin = margin_words(
        [row for row in figures.get("meta_sae", []) if row["metric"] == "variance_explained"]
    )
    st.html(head + controls_section(controls, margin) + methods_section(figures.get("methods", [])))
    _size(figures)
    st.html(
        k_section(figures.get("k", []), controls, metas[0]["k"] if metas else None)
        + seeds_section(controls, figures.get("decomposition", []))
        + attributes_section(figures.get("attributes", []))
        + explained_section(figures.get("explained", []))
        + names_section(names)
    )
    _cosines(run, saes, histograms)
    rows = [row for name in trust.EXPERIMENTS for row in figures.get(name, [])] + names
    st.html(
        relations_html(figures.get("relations", []))
        + composition_section(figures.get("composition", []))
        + sampling_section(figures.get("sampling", []))
        + "<h2>All values</h2>"
        + values_html(rows, histograms)
    )


def _size(figures: Figures) -> None:
    rows, methods = figures.get("width_sweep", []), figures.get("methods", [])
    split = best_split(rows)
    lines = sweep_points(rows, split)
    if not lines:
        st.html(missing_html(SIZE_QUESTION, "width_sweep", "meta-SAEs of other sizes"))
        return
    smaller = sae_points(methods, split)
    st.html(
        f"<h2>{SIZE_QUESTION}</h2><p class='note'>More meta-latents fit the rows they are trained "
        "on better, of controls too: what counts is the gap on rows that are held out. "
        f"{tip('Pursuit', 'pursuit')} on a smaller SAE is beside it.</p>"
        f"<p class='answer'>{sweep_answer(lines, smaller)}</p>"
    )
    st.plotly_chart(
        trust_charts.width_sweep(lines, smaller, SPLIT_WORDS[split]),
        config={"displayModeBar": False},
        key="width-sweep",
        alt="Variance explained over the number of meta-latents; the table at the end lists it",
    )


def _cosines(run: Run, saes: list[Record], histograms: list[Record]) -> None:
    if not histograms:
        what = "the cosines of directions with the nearest of other dictionaries"
        st.html(missing_html(COSINE_QUESTION, "cosine_histograms", what))
        return
    kind = urlstate.choice("cosines", list(PANELS), META_IN_SAES)
    pills = "".join(
        pill_html(words, key == kind, Link(TRUST_PATH, {"run": run.name, "cosines": key}))
        for key, words in PANELS.items()
    )
    shown = panel(histograms, saes, kind)
    st.html(
        f"<h2>{COSINE_QUESTION}</h2><p class='note'>For every direction its "
        f"{tip('best match')} in another dictionary; the dotted line is at {SIMILAR_COSINE}.</p>"
        f"<p class='answer'>{panel_words(shown, kind, saes)}</p>"
        f"<div class='pills'><span>best matches of</span>{pills}</div>"
    )
    if not shown.lines:
        st.html(notice(f"This run holds no cosines of {safe(PANELS[kind])}."))
        return
    st.plotly_chart(
        trust_charts.nearest_cosines(shown.lines, shown.control, shown.counted),
        config={"displayModeBar": False},
        key=f"cosines-{kind}",
        alt="Histograms of the best cosines; the table at the end lists mean and share at 0.7",
    )


trust_page()
