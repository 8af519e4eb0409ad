"""How a latent of a small SAE splits in the larger ones, and whether meta-latents find it again."""

from __future__ import annotations

import streamlit as st

from app_pages.chosen import chosen_latent
from app_pages.frame import actions_html, opened, title
from backend import queries, splitting, stitch_charts
from backend.downloads_html import download_links_html
from backend.latent import Latent
from backend.links import SPLITTING_PATH, Link, latent_link, meta_link, splitting_link
from backend.lists_html import facts_html, table_html
from backend.records import Record, grouped
from backend.store import Run
from backend.text_html import latent_name, link, notice, number, percent, safe, tip

N_SUGGESTED = 12
MOST_LISTED = 60


def splitting_page() -> None:
    run = opened(SPLITTING_PATH)
    saes = queries.saes(run)
    latent, messages = chosen_latent(run, saes, "sae", splitting.default_root(run))
    if latent is None:
        st.html("".join(messages))
        return
    name = latent_name(latent.label, latent.latent)
    title(f"{name} · splitting")
    here = splitting_link(latent.sae_id, latent.latent, run.name, run.manifest.short_hash)
    crumbs = [link(Link(SPLITTING_PATH, {"run": run.name}).href, "Splitting"), safe(latent.sae_id)]
    st.html(
        "".join(messages)
        + actions_html(run, crumbs, here, latent.sae_id)
        + f"<h1>{safe(name)}, split</h1>"
        f'<p class="lead">Larger SAEs {tip("split", "splitting")} a latent into finer ones. Below '
        f"{safe(latent.sae_id)}/{latent.latent} stands, size by size, each latent whose nearest "
        "one it is; the colour is the strongest component where there is a decomposition. Click "
        "one to open it.</p>"
    )
    nodes = splitting.descendants(run, latent.sae_id, latent.latent)
    _tree(run, latent, nodes)
    st.html(_suggested(run, latent) + _recovered(run))


def _tree(run: Run, latent: Latent, nodes: list[Record]) -> None:
    if len(nodes) < 2:
        st.html(
            notice(
                f"No latent of a larger SAE has {latent.sae_id}/{latent.latent} as its nearest "
                f"one at a cosine of {splitting.SIMILAR_COSINE} or more."
            )
        )
        return
    leaves = [node for node in nodes if node["sae_id"] == nodes[-1]["sae_id"]]
    sizes = grouped(nodes, "sae_id")
    st.html(facts_html((f"{len(rows):,}", f"in {sae_id}", None) for sae_id, rows in sizes.items()))
    event = st.plotly_chart(
        stitch_charts.split_tree(nodes),
        on_select="rerun",
        selection_mode="points",
        config={"displayModeBar": False},
        key=f"tree-{run.name}-{latent.sae_id}-{latent.latent}",
        alt="Tree of the latent and its descendants in larger SAEs; the table below lists them",
    )
    for point in event["selection"]["points"]:  # a tree returns ids, no customdata
        sae_id, _, number_in_sae = str(point["id"]).rpartition("/")
        target = latent_link(sae_id, int(number_in_sae), run=run.name)
        st.switch_page("app_pages/latent.py", query_params=target.params)
    asked = {"run": run.name, "sae": latent.sae_id, "latent": str(latent.latent)}
    st.html(
        f"{_legend(nodes)}<h2>In {safe(leaves[0]['sae_id'])}</h2>{_leaves(run, leaves)}"
        + download_links_html("splitting", asked | {"h": run.manifest.short_hash})
    )


def _legend(nodes: list[Record]) -> str:
    """What the colours of the tree mean."""
    named = [(label, colour) for _, label, colour in stitch_charts.component_colours(nodes)]
    items = " ".join(
        f'<span><i class="swatch" style="background:{colour}"></i>{safe(label)}</span>'
        for label, colour in [*named, ("another, or none", stitch_charts.QUIET)]
    )
    return f"<p class='note'>Strongest component: {items}</p>"


def _leaves(run: Run, leaves: list[Record]) -> str:
    rows = []
    for leaf in leaves[:MOST_LISTED]:
        href = latent_link(leaf["sae_id"], leaf["latent"], run=run.name).href
        part = ""
        if leaf["meta_latent"] is not None:
            to = meta_link(leaf["meta_sae_id"], leaf["meta_latent"], run.name)
            part = link(to.href, latent_name(leaf["meta_label"], leaf["meta_latent"], "meta"))
        rows.append(
            (
                link(href, latent_name(leaf["label"], leaf["latent"])),
                number(leaf["cosine"]),
                percent(leaf["together_share"]),
                part,
            )
        )
    heads = (
        ("latent", "latent"),
        ("cosine with its parent", "cosine"),
        ("fires with its parent", "fires together"),
        ("strongest component", "component"),
    )
    cut = len(leaves) - len(rows)
    note = f"<p class='note'>{cut:,} more are in the tree.</p>" if cut else ""
    return table_html(heads, rows, words=("strongest component",)) + note


def _suggested(run: Run, latent: Latent) -> str:
    rows = splitting.most_split(run, latent.sae_id, N_SUGGESTED)
    if not rows:
        return ""
    links = "".join(
        f"{link(splitting_link(latent.sae_id, row['latent'], run.name).href, name)} "
        f"<small>{row['n_children']:,}</small> "
        for row in rows
        if (name := latent_name(row["label"], row["latent"]))
    )
    return (
        f"<h2>Most split in {safe(latent.sae_id)}</h2><p class='note'>With their number of "
        f"children in the next larger SAE.</p><div class='pills'>{links}</div>"
    )


def _recovered(run: Run) -> str:
    by_sae = grouped(queries.measurements(run, "splitting"), "subject")
    rows = []
    for sae in queries.saes(run):
        figures = {(row["setting"], row["metric"]): row for row in by_sae.get(sae["sae_id"], [])}
        found = figures.get(("ancestor is a component", "share"))
        if found is None:
            continue
        chance = figures["ancestor is a component", "chance"]
        linked = figures["has an ancestor", "share"]
        rows.append(
            (
                safe(sae["sae_id"]),
                percent(linked["value"]),
                percent(found["value"]),
                f"{percent(found['ci_low'])} to {percent(found['ci_high'])}",
                percent(chance["value"]),
                f"{found['n']:,}",
            )
        )
    if not rows:
        return ""
    heads = (
        ("SAE", "SAE"),
        ("have an ancestor there", "ancestor"),
        ("of these, it is a component", "ancestor found"),
        ("95 % interval", None),
        ("by chance", "chance"),
        ("n", None),
    )
    return (
        "<h2>Do meta-latents find the parents?</h2><p class='note'>Over all decomposed latents: is "
        "the meta-latent nearest to the ancestor one of the latent's components? By chance: "
        "the same with decompositions dealt to latents at random.</p>"
        + table_html(heads, rows, words=("95 % interval",))
    )


splitting_page()
