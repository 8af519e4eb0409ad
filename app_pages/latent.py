"""One latent: what it is made of first, then the evidence for what it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from app_pages.chosen import chosen_latent
from app_pages.decomposition import decomposition, not_decomposed
from app_pages.evidence import histogram, vocabulary
from app_pages.examples import examples
from app_pages.experiments_on import experiments_on
from app_pages.frame import actions_html, opened, title
from backend import charts, queries, stitching, trust
from backend.ahead import ahead
from backend.downloads_html import are_served, download_links_html
from backend.elsewhere import said_elsewhere
from backend.elsewhere_html import elsewhere_html
from backend.evidence_html import graph_links_html, relatives_html
from backend.heads_html import heads_html
from backend.label_html import label_html
from backend.latent import Latent
from backend.links import (
    LATENT_PATH,
    META_PATH,
    Link,
    compare_link,
    latent_link,
    map_link,
    neuronpedia_url,
    search_link,
)
from backend.lists_html import density_words, facts_html, latents_html
from backend.records import Record
from backend.stitch_html import novelty_html
from backend.store import Run
from backend.text_html import latent_name, link, notice, number, safe, tip
from backend.trust_cards_html import ancestors_html

Rows = Callable[[], list[Record]]


@dataclass(frozen=True)
class _Asked:
    """Answers that the page needs further down, in the order in which it does.

    Without a meta-SAE there are no other methods, without components no graph.
    """

    by_other_methods: Rows
    examples: Rows
    graph: Callable[[], queries.Graph] | None
    novelty: Rows
    ancestors: Rows
    neighbours: Rows
    together: Rows

    @classmethod
    def of(cls, run: Run, latent: Latent, meta_sae_id: str | None) -> _Asked:
        own = (run, latent.sae_id, latent.latent)
        graph = None
        if meta_sae_id is not None and latent.n_components:
            graph = ahead(queries.decomposition_graph, run, meta_sae_id, latent.latent)
        return cls(
            list if meta_sae_id is None else ahead(trust.other_decompositions, *own),
            list if latent.is_dead else ahead(queries.examples, *own),
            graph,
            ahead(stitching.novelty, *own),
            ahead(trust.ancestors, *own),
            ahead(queries.neighbours, *own),
            ahead(queries.cofiring, *own),
        )


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
    asked = _Asked.of(run, latent, meta_sae_id)
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
    if meta_sae_id is None:
        st.html(not_decomposed(run, latent, saes, asked.neighbours()))
    else:
        decomposition(run, latent, meta_sae_id, asked.by_other_methods)
    left, right = st.columns([1.75, 1], gap="large")
    with left:
        shown = examples(run, latent, sae["threshold"], asked.examples())
        st.html(shown + _taken(run, latent, "examples"))
    with right:
        histogram(
            latent,
            "How strongly it fires",
            "activation",
            "tokens",
            "Makes rare strong activations visible.",
        )
        vocabulary(latent, sae)
        if latent.head_shares:
            st.html(heads_html(latent.head_shares, sae["d_in"]))
    if asked.graph is not None:
        _graph(run, latent, asked.graph())
    experiments_on(run, latent)
    novelty = _novelty(run, latent, asked.novelty(), asked.ancestors())
    st.html(novelty + _taken(run, latent, "novelty"))
    st.html(
        "<h2>Relatives</h2>"
        + relatives_html(asked.neighbours(), latent.sae_id, run.name)
        + _taken(run, latent, "neighbours")
    )
    if together := _together(run, latent, asked.together()):
        st.html(together)
    said, problems = said_elsewhere(run.folder, sae, latent.latent)
    own = (latent.count, latent.tokens_seen, latent.max_activation)
    if elsewhere := elsewhere_html(said, problems, *own):
        st.html(elsewhere)


def _taken(run: Run, latent: Latent, what: str) -> str:
    """Links to one list about this latent; the first row of them says when there are none."""
    if not are_served():
        return ""
    of = {"sae": latent.sae_id, "latent": str(latent.latent)}
    return download_links_html(what, {"run": run.name, **of, "h": run.manifest.short_hash})


def _together(run: Run, latent: Latent, rows: list[Record]) -> str:
    if not rows:
        return ""
    listed = latents_html(
        (
            (
                latent_link(latent.sae_id, row["other_latent"], run=run.name),
                latent_name(row["label"], row["other_latent"]),
                row["jaccard"],
            )
            for row in rows
        ),
        f"of {rows[0]['tokens_seen']:,} tokens",
        "Jaccard",
    )
    return f"<h2>Fires together with</h2>{listed}{_taken(run, latent, 'cofiring')}"


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
    words = [
        f"{link(search_link(entry.term, run=run.name).href, entry.term)} "
        f"<small>{tip('precision')} {number(entry.precision)}, {tip('recall')} "
        f"{number(entry.recall)}</small>"
        for entry in latent.top_terms[:5]
    ]
    naming = label_html(
        latent.label_kind,
        latent.label_source,
        latent.label_accuracy,
        latent.label_auc,
        latent.label_tests,
    )
    fires = f"<p>Words: {'; '.join(words)}</p>" if words else ""
    return (
        actions_html(run, crumbs, here, latent.sae_id, latent.latent)
        + f"<h1>{safe(name)}</h1>{naming}{facts_html(facts)}{fires}{_next_steps(run, latent)}"
    )


def _next_steps(run: Run, latent: Latent) -> str:
    """Where a reader may go from here, as links."""
    own = (latent.sae_id, latent.latent)
    on_map = map_link(latent.sae_id, run=run.name)
    steps = [link(compare_link([own], run.name).href, "Compare with another")]
    if latent.x is not None:
        marked = Link(on_map.path, {**on_map.params, "latent": str(latent.latent)})
        steps.append(link(marked.href, "On the map"))
    return f'<p class="pills">{" ".join(steps)}</p>'


def _novelty(run: Run, latent: Latent, rows: list[Record], chain: list[Record]) -> str:
    errors = {row["small_sae_id"]: stitching.error_of(run, row["small_sae_id"]) for row in rows}
    known = {sae_id: mse for sae_id, mse in errors.items() if mse is not None}
    table = novelty_html(rows, known, latent.sae_id, latent.latent, run.name)
    name = latent_name(latent.label, latent.latent)
    line = ancestors_html(chain, latent.sae_id, latent.latent, name, run.name)
    return f"<h2>Novel, or a reconstruction?</h2>{line}{table}"


def _graph(run: Run, latent: Latent, graph: queries.Graph) -> None:
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
