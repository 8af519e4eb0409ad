"""One meta-latent: the latents it is part of, and what they have in common."""

from __future__ import annotations

import math

import streamlit as st

from app_pages.asking import add_link
from app_pages.chosen import chosen_latent
from app_pages.evidence import histogram, vocabulary
from app_pages.experiments_on import experiments_on
from app_pages.frame import actions_html, opened, title
from backend import queries, urlstate
from backend.downloads_html import download_links_html
from backend.elsewhere import said_elsewhere
from backend.elsewhere_html import elsewhere_html
from backend.evidence_html import example_html, relatives_html
from backend.heads_html import heads_html
from backend.label_html import label_html
from backend.latent import Latent
from backend.links import META_PATH, Link, latent_link, map_link, meta_link, search_link
from backend.lists_html import bar_html, density_words, facts_html, table_html
from backend.question import Part
from backend.records import Record
from backend.store import Run
from backend.text_html import latent_name, link, notice, number, safe, tip

MEMBERS_A_PAGE = 25


def meta_page() -> None:
    run = opened(META_PATH)
    saes = queries.saes(run)
    meta, messages = chosen_latent(run, saes, "meta")
    if meta is None:
        st.html("".join(messages))
        return
    sae = next(sae for sae in saes if sae["sae_id"] == meta.sae_id)
    name = latent_name(meta.label, meta.latent, "meta")
    title(name)
    here = meta_link(meta.sae_id, meta.latent, run.name, run.manifest.short_hash)
    facts = [
        (density_words(meta.count, meta.tokens_seen, "latents"), "part of", "members"),
        (number(meta.max_activation), "largest weight", "weight"),
        (number(meta.mean_activation), "mean weight", "weight"),
        (
            number(queries.member_stability(run, meta.sae_id, meta.latent)),
            "mean stability",
            "stability",
        ),
    ]
    naming = label_html(
        meta.label_kind, meta.label_source, meta.label_accuracy, meta.label_auc, meta.label_tests
    )
    crumbs = [
        safe(f"{meta.sae_id}, parts of {sae['parent_sae_id']}"),
        f"meta-latent {meta.latent:,}",
    ]
    st.html(
        "".join(messages)
        + actions_html(run, crumbs, here, meta.sae_id, meta.latent)
        + f"<h1>{safe(name)}</h1>{naming}{facts_html(facts)}{_next_steps(run, meta, sae)}"
    )
    if meta.is_dead:
        st.html(notice("This meta-latent is dead: it is a component of no latent."))
    else:
        _members(run, meta, sae["parent_sae_id"])
        left, right = st.columns([1.75, 1], gap="large")
        with left:
            st.html(_pooled(run, meta, sae["parent_sae_id"]))
        with right:
            histogram(
                meta,
                "How much it weighs",
                "weight",
                "latents",
                "Makes rare heavy weights visible.",
            )
            vocabulary(meta, sae)
            if meta.head_shares:
                st.html(heads_html(meta.head_shares, sae["d_in"]))
    experiments_on(run, meta, "meta-latent")
    neighbours = queries.neighbours(run, meta.sae_id, meta.latent)
    st.html("<h2>Nearest latents</h2>" + relatives_html(neighbours, meta.sae_id, run.name))
    said, problems = said_elsewhere(run.folder, sae, meta.latent)
    own = (meta.count, meta.tokens_seen, meta.max_activation)
    if elsewhere := elsewhere_html(said, problems, *own):
        st.html(elsewhere)


def _next_steps(run: Run, meta: Latent, sae: Record) -> str:
    """Where this part leads: into the question, onto the map of the latents it is part of."""
    asked = add_link(run, Part(meta.sae_id, meta.latent))
    steps = [link(asked.href, "Ask for latents with this part")]
    on_map = map_link(sae["parent_sae_id"], "part", run.name)
    on_map = Link(on_map.path, {**on_map.params, "part": str(meta.latent)})
    steps.append(link(on_map.href, "Its members on the map"))
    return f'<p class="pills">{" ".join(steps)}</p>'


def _members(run: Run, meta: Latent, parent: str) -> None:
    n_pages = math.ceil(meta.count / MEMBERS_A_PAGE)
    page = min(max(urlstate.whole_number("page") or 1, 1), n_pages)
    rows = queries.members(
        run, meta.sae_id, meta.latent, MEMBERS_A_PAGE, (page - 1) * MEMBERS_A_PAGE
    )
    heads = (
        ("member", "members"),
        ("weight", "weight"),
        ("share", "share"),
        ("cosine", "cosine"),
        ("components", "components"),
        ("tokens", None),
    )
    cells = (
        (
            link(
                latent_link(parent, int(row["latent"]), run=run.name).href,
                latent_name(row["label"], int(row["latent"])),
            ),
            number(row["activation"]) + bar_html(row["activation"], meta.max_activation),
            number(row["share"]),
            number(row["cosine"]),
            f"{row['n_components']:.0f}",
            f"{int(row['count']):,}",
        )
        for row in rows
    )
    terms = queries.member_terms(run, meta.sae_id, meta.latent)
    shared = ", ".join(
        f"{link(search_link(row['term'], run=run.name).href, row['term'])} "
        f"<small>{int(row['n_members'])}</small>"
        for row in terms
    )
    words = (
        f"<p>Words that its strongest members fire on (how many of them): {shared}</p>"
        if shared
        else ""
    )
    taken = {"run": run.name, "sae": meta.sae_id, "latent": str(meta.latent)}
    st.html(
        f"<h2>Members</h2>{words}{table_html(heads, cells)}{_paging(run, meta, page, n_pages)}"
        + download_links_html("members", {**taken, "h": run.manifest.short_hash})
    )


def _paging(run: Run, meta: Latent, page: int, n_pages: int) -> str:
    if n_pages == 1:
        return ""

    def to(number: int, words: str) -> str:
        params = meta_link(meta.sae_id, meta.latent, run.name).params
        return link(Link(META_PATH, {**params, "page": str(number)}).href, words)

    before = to(page - 1, "‹ Stronger") if page > 1 else ""  # noqa: RUF001
    after = to(page + 1, "Weaker ›") if page < n_pages else ""  # noqa: RUF001
    return f'<nav class="pills">{before} page {page:,} of {n_pages:,} {after}</nav>'


def _pooled(run: Run, meta: Latent, parent: str) -> str:
    rows = queries.member_examples(run, meta.sae_id, meta.latent)
    if not rows:
        return "<h2>Where its members fire</h2>" + notice("No text of its members may be shown.")

    def member(row: dict) -> str:
        to = latent_link(parent, row["latent"], run=run.name)
        return link(to.href, latent_name(row["label"], row["latent"]))

    items = "".join(
        f'<li><span class="value">{number(row["weight"])}</span><div>{member(row)}'
        f"{example_html(row, float(row['activation']))}</div></li>"
        for row in rows
    )
    return (
        "<h2>Where its members fire</h2><p class='note'>The strongest context of each of the "
        f"strongest members, with the member that fired and its {tip('weight')}; shades are "
        f"relative to the strongest token of each line.</p><ol class='examples'>{items}</ol>"
    )


meta_page()
