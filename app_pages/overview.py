"""What a run holds, six decompositions worth seeing, and how good its SAEs are."""

from __future__ import annotations

import streamlit as st

from app_pages.frame import actions_html, opened, search_form, title
from backend import queries
from backend.controls_html import controls_html
from backend.equation_html import Decomposition, card_html
from backend.links import OVERVIEW_PATH, Link, latent_link, overview_link, trust_link
from backend.listing import data_dir, list_notes
from backend.lists_html import facts_html, table_html
from backend.records import Record
from backend.store import Run
from backend.text_html import link, notice, number, percent, safe, tip
from backend.tour import tour

FEATURED_RULE = (
    "How these were chosen: latents that one word names well (label score at least 0.5), with "
    "three or more labelled components, firing on at most one token in 1,000; the highest variance "
    "explained times stability, no two with the same strongest component."
)


def overview() -> None:
    run = opened(OVERVIEW_PATH)
    title(run.manifest.title)
    saes = queries.saes(run)
    totals = queries.totals(run)
    decomposed = [sae["parent_sae_id"] for sae in saes if sae["kind"] == "meta"]
    main_sae = decomposed[0] if decomposed else saes[-1]["sae_id"]
    main_meta = next((sae["sae_id"] for sae in saes if sae["kind"] == "meta"), "")
    here = overview_link(run.name, run.manifest.short_hash)
    if notes := list_notes(data_dir()):
        st.html("".join(notice(words) for words in notes))
    st.html(
        actions_html(run, [safe(run.manifest.title)], here, main_sae)
        + "<h1>What is a latent made of?</h1>"
        f'<p class="lead">A {tip("meta-SAE")} splits each {tip("latent")} of a sparse autoencoder '
        f"into parts that many latents share. Search for a word, or start from a "
        f"{tip('decomposition')} below.</p>" + search_form(run, big=True) + _facts(totals)
    )
    stops = "".join(f"<li>{link(stop.to.href, stop.words)}</li>" for stop in tour(run, saes))
    st.html(_featured(run) + f"<h2>Questions to begin with</h2><ul class='stops'>{stops}</ul>")
    if edited := _edited(run):
        st.html(edited)
    st.html(
        "<h2>The SAEs of this run</h2>" + _sae_table(saes, run) + "<h2>Is it more than chance?</h2>"
    )
    st.html(
        controls_html(_of_meta(run, main_meta))
        + f"<p class='after'>{link(trust_link(run.name).href, 'All controls of this run')}: other "
        "methods, other sizes, other seeds, known facts.</p>"
    )
    for sae in saes:
        if sae["architecture"].endswith(f", trained on rows of {main_sae}"):
            head = f"<h2>Does it split {safe(sae['parent_sae_id'])} too?</h2>"
            st.html(head + controls_html(_of_meta(run, sae["sae_id"])))


def _edited(run: Run) -> str:
    """What the label file beside the run says, if there is one, and what is wrong with it."""
    edited = run.edited_labels
    if not (edited.labels or edited.problems):
        return ""
    told = f"{len(edited.labels):,} labels come from {edited.path.name}, beside the run."
    items = "".join(f"<li>{safe(words)}</li>" for words in (*edited.problems, *edited.notes))
    return (
        f"<h2>Labels of your own</h2><p>{safe(told)}</p>"
        + (notice("Some of its lines cannot be used.", "problem") if edited.problems else "")
        + (f"<ul>{items}</ul>" if items else "")
    )


def _of_meta(run: Run, meta_sae_id: str) -> list[Record]:
    """Measurements of one meta-SAE; "" has none."""
    rows = queries.measurements(run, "meta_sae") + queries.measurements(run, "decomposition")
    return [row for row in rows if row["subject"] == meta_sae_id]


def _trained_as(sae: Record) -> str:
    """Architecture, k and seed, as far as they are known: those of published SAEs may not be."""
    words = [sae["architecture"]]
    words += [f"k = {sae['k']:g}"] if sae["k"] is not None else []
    words += [f"seed {sae['seed']}"] if sae["seed"] is not None else []
    return ", ".join(words)


def _facts(totals: dict[str, int]) -> str:
    shown = (
        ("n_saes", "SAEs", "SAE"),
        ("n_latents", "latents", "latent"),
        ("n_decomposed", "decomposed", "decomposition"),
        ("n_meta_latents", "meta-latents", "meta-latent"),
        ("n_dead", "dead", "dead"),
        ("n_terms", "words to search", None),
        ("n_contexts", "texts shown", None),
        ("tokens_seen", "tokens counted", None),
    )
    return facts_html((f"{totals[key]:,}", caption, term) for key, caption, term in shown)


def _featured(run: Run) -> str:
    cards = []
    for row in queries.featured_decompositions(run):
        latent = queries.latent(run, row["sae_id"], row["latent"])
        if latent is not None:
            rows = queries.components(run, row["meta_sae_id"], row["latent"])
            decomposition = Decomposition(latent, row["meta_sae_id"], rows, run.name)
            cards.append(card_html(decomposition, row["mean_stability"]))
    if not cards:
        return "<h2>Decompositions</h2>" + notice(
            "No latent of this run is what this list shows: named by one word, with three "
            "labelled components, firing on at most one token in 1,000. Search for a word to see "
            "its latents."
        )
    return (
        f'<h2>Decompositions worth seeing</h2><div class="cards">{"".join(cards)}</div>'
        f'<p class="note">{FEATURED_RULE}</p>'
    )


def _sae_table(saes: list[Record], run: Run) -> str:
    heads = (
        ("SAE", "SAE"),
        ("latents", "latent"),
        ("L0", "L0"),
        ("variance explained", "variance explained"),
        ("held out", "held out"),
        ("dead", "dead"),
        ("reads", None),
        ("trained as", None),
    )
    rows = []
    for sae in saes:
        is_meta = sae["kind"] == "meta"
        page = latent_link(sae["sae_id"], 0, sae["kind"], run.name)
        to = Link(page.path, {"run": run.name, "sae": sae["sae_id"]})
        reads = f"decoder rows of {sae['parent_sae_id']}" if is_meta else sae["hook_name"]
        rows.append(
            (
                link(to.href, sae["sae_id"]),
                f"{sae['n_latents']:,}",
                number(sae["l0"], 1),
                number(sae["variance_explained"]),
                number(sae["variance_explained_heldout"]),
                percent(sae["dead_fraction"]),
                safe(reads),
                safe(_trained_as(sae)),
            )
        )
    return table_html(heads, rows, words=("reads", "trained as"))


overview()
