"""One latent: what it is made of first, then the evidence for what it is."""

from __future__ import annotations

import streamlit as st

from app_pages.chosen import chosen_latent
from app_pages.evidence import histogram, vocabulary
from app_pages.frame import actions_html, opened, title
from backend import charts, queries, stitching, trust
from backend.equation_html import Decomposition, equation_html, parts_html, strip_html
from backend.evidence_html import examples_html, graph_links_html, relatives_html
from backend.latent import Latent
from backend.links import LATENT_PATH, META_PATH, latent_link, neuronpedia_url, search_link
from backend.lists_html import density_words, facts_html
from backend.records import Record
from backend.stitch_html import novelty_html
from backend.store import Run
from backend.text_html import latent_name, link, notice, number, safe, tip
from backend.trust_cards_html import ancestors_html, other_methods_html


def latent_page() -> None:
    run = opened(LATENT_PATH)
    saes = queries.saes(run)
    latent, messages = chosen_latent(run, saes, "sae")
    if latent is None:
        st.html("".join(messages))
        return
    sae = next(sae for sae in saes if sae["sae_id"] == latent.sae_id)
    meta_sae_id = queries.meta_sae_of(run, latent.sae_id)
    name = latent_name(latent.label, latent.latent)
    title(name)
    st.html("".join(messages) + _head(run, latent, sae, name))
    if latent.is_dead:
        st.html(
            notice(
                f"This latent is dead: it fired on none of the {latent.tokens_seen:,} tokens seen, "
                "so there are no examples and no histogram. Its direction can still be decomposed."
            )
        )
    elif latent.is_dense:
        st.html(
            notice(
                "This latent is dense: it fires on more than one token in ten. Such latents seldom "
                "have one clear meaning; read its decomposition with care."
            )
        )
    neighbours = queries.neighbours(run, latent.sae_id, latent.latent)
    if meta_sae_id is None:
        st.html(_not_decomposed(run, latent, saes, neighbours))
    else:
        _decomposition(run, latent, meta_sae_id)
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        st.html(_examples(run, latent, sae["threshold"]))
    with right:
        histogram(
            latent,
            "How strongly it fires",
            "activation",
            "tokens",
            "Makes rare strong activations visible.",
        )
        vocabulary(latent, sae)
    if meta_sae_id is not None and latent.n_components:
        _graph(run, latent, meta_sae_id)
    st.html(_novelty(run, latent))
    st.html("<h2>Relatives</h2>" + relatives_html(neighbours, latent.sae_id, run.name))


def _head(run: Run, latent: Latent, sae: Record, name: str) -> str:
    here = latent_link(
        latent.sae_id, latent.latent, run=run.name, short_hash=run.manifest.short_hash
    )
    crumbs = [
        link(search_link("", latent.sae_id, run.name).href, latent.sae_id),
        f"latent {latent.latent:,}",
    ]
    outside = neuronpedia_url(sae["neuronpedia_id"], latent.latent)
    if outside:
        crumbs.append(f'<a href="{safe(outside)}" target="_blank">on Neuronpedia</a>')
    facts = [(density_words(latent.count, latent.tokens_seen), "fires on", "density")]
    if not latent.is_dead:
        facts += [
            (number(latent.max_activation), "maximum", "activation"),
            (number(latent.mean_activation), "mean when it fires", "activation"),
        ]
    if latent.label_score is not None:
        facts.append((number(latent.label_score), f"label score ({latent.label_source})", "label"))
    words = [
        f"{link(search_link(entry.term, run=run.name).href, entry.term)} "
        f"<small>{tip('precision')} {number(entry.precision)}, {tip('recall')} "
        f"{number(entry.recall)}</small>"
        for entry in latent.top_terms[:5]
    ]
    fires = f"<p>Words: {'; '.join(words)}</p>" if words else ""
    return (
        actions_html(run, crumbs, here, latent.sae_id, latent.latent)
        + f"<h1>{safe(name)}</h1>{facts_html(facts)}{fires}"
    )


def _decomposition(run: Run, latent: Latent, meta_sae_id: str) -> None:
    rows = queries.components(run, meta_sae_id, latent.latent)
    if not rows:
        st.html(
            "<h2>Decomposition</h2>"
            + notice(
                f"No meta-latent of {meta_sae_id} is active on this latent's direction, so it has "
                "no component: the meta-SAE sees it as bias and residual only."
            )
        )
        return
    decomposition = Decomposition(latent, meta_sae_id, rows, run.name)
    facts = facts_html(
        [
            (
                number(latent.decomposition_variance_explained),
                "variance explained",
                "variance explained",
            ),
            (number(latent.decomposition_cosine), "cosine with the sum", "cosine"),
            (number(_mean_stability(rows)), "mean stability", "stability"),
        ]
    )
    others = other_methods_html(
        rows,
        latent.decomposition_variance_explained,
        trust.other_decompositions(run, latent.sae_id, latent.latent),
        meta_sae_id,
        run.name,
    )
    st.html(
        f"<h2>Decomposition</h2>{equation_html(decomposition)}{strip_html(decomposition)}"
        f"{facts}{parts_html(decomposition)}<h2>The same latent by other methods</h2>{others}"
    )


def _mean_stability(rows: list[Record]) -> float | None:
    known = [row["stability"] for row in rows if row["stability"] is not None]
    return sum(known) / len(known) if known else None


def _not_decomposed(run: Run, latent: Latent, saes: list[Record], neighbours: list[Record]) -> str:
    decomposed = {sae["parent_sae_id"] for sae in saes}
    near = [row for row in neighbours if row["other_sae_id"] in decomposed][:3]
    links = ", ".join(
        link(
            latent_link(row["other_sae_id"], row["other_latent"], run=run.name).href,
            latent_name(row["label"], row["other_latent"]),
        )
        + f" <small>cosine {number(row['cosine'])}</small>"
        for row in near
    )
    told = notice(
        f"{latent.sae_id} has no meta-SAE in this run, so its latents are not decomposed."
    )
    if links:
        told += f"<p>Nearest latents that are: {links}.</p>"
    return f"<h2>Decomposition</h2>{told}"


def _examples(run: Run, latent: Latent, threshold: float) -> str:
    if latent.is_dead:
        return "<h2>Examples</h2>" + notice("None: this latent never fired.")
    rows = queries.examples(run, latent.sae_id, latent.latent)
    if not rows:
        return "<h2>Examples</h2>" + notice(
            f"None: it fired on {latent.count:,} tokens, but in no text that may be shown."
        )
    return "<h2>Examples</h2>" + examples_html(rows, threshold, latent.max_activation)


def _novelty(run: Run, latent: Latent) -> str:
    rows = stitching.novelty(run, latent.sae_id, latent.latent)
    errors = {row["small_sae_id"]: stitching.error_of(run, row["small_sae_id"]) for row in rows}
    known = {sae_id: mse for sae_id, mse in errors.items() if mse is not None}
    table = novelty_html(rows, known, latent.sae_id, latent.latent, run.name)
    chain = trust.ancestors(run, latent.sae_id, latent.latent)
    name = latent_name(latent.label, latent.latent)
    line = ancestors_html(chain, latent.sae_id, latent.latent, name, run.name)
    return f"<h2>Novel, or a reconstruction?</h2>{line}{table}"


def _graph(run: Run, latent: Latent, meta_sae_id: str) -> None:
    graph = queries.decomposition_graph(run, meta_sae_id, latent.latent)
    st.html(
        "<h2>What shares its parts</h2><p class='note'>The latent, its meta-latents and the "
        "latents in which these weigh most; thicker lines weigh more. Every node opens its "
        "page; the same links are listed below.</p>"
    )
    event = st.plotly_chart(
        charts.node_link(graph),
        on_select="rerun",
        selection_mode="points",
        config={"displayModeBar": False},
        key=f"graph-{run.name}-{latent.sae_id}-{latent.latent}",
        alt="Graph of the latent, its meta-latents and their other members",
    )
    for point in event["selection"]["points"]:
        sae_id, index, role = point["customdata"][:3]
        if role == "latent":
            continue
        target = latent_link(sae_id, index, "meta" if role == "meta" else "sae", run.name)
        page = "app_pages/meta.py" if target.path == META_PATH else "app_pages/latent.py"
        st.switch_page(page, query_params=target.params)
    st.html(graph_links_html(graph, run.name))


latent_page()
