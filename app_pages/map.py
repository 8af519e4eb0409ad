"""All latents of one SAE as points: coloured, clicked, or encircled for what they share."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app_pages.frame import actions_html, opened, title
from app_pages.map_address import Shown, shown_map
from backend import latent_map, map_charts, map_shared, queries, urlstate
from backend.links import MAP_PATH, Link, latent_link
from backend.lists_html import pill_html
from backend.map_area import area_text, drawn_areas, inside, rounded
from backend.map_colours import Colouring, colouring
from backend.map_html import (
    controls_html,
    ends_html,
    find_form,
    latents_table,
    legend_html,
    order_by_value,
    part_pills,
    parts_html,
    terms_html,
)
from backend.records import Record
from backend.text_html import link, notice, safe, tip

N_PARTS = 12
N_ENDS = 10
N_LISTED = 50
N_SHARED = 12
MEMORY = "_map_drawn"
_OPEN = "<script>document.querySelector('a.opens')?.click()</script>"  # as a reader would
HOW = (
    "Click a point to open it. To select many, choose the lasso or the box above the map and "
    "draw around them."
)


def map_page() -> None:
    run = opened(MAP_PATH)
    saes = queries.saes(run)
    shown = shown_map(run, saes)
    title(f"Map of {shown.sae_id}")
    st.html(_head(shown, saes))
    if not len(shown.points.latents):
        st.html(notice(f"The latents of {shown.sae_id} have no position on a map in this run."))
        return
    coloured = colouring(run, shown.points, shown.sae, shown.colour, shown.setting)
    theme = "dark" if st.context.theme.type == "dark" else "light"
    st.html(_controls(shown) + legend_html(coloured, theme))
    left, right = st.columns([1.7, 1], gap="medium")
    with left:
        _chart(shown, coloured, theme)
    # the address may have changed with the selection, but the script then starts anew
    selected = np.flatnonzero(inside(shown.areas, shown.points.x, shown.points.y))
    with right:
        st.html(_beside(shown, coloured, selected))
    if len(selected):
        st.html(_listed(shown, coloured, selected))


def _head(shown: Shown, saes: list[Record]) -> str:
    run, points, is_meta = shown.run, shown.points, shown.kind == "meta"
    here = Link(MAP_PATH, {**shown.here().params, "h": run.manifest.short_hash})
    # Random leads to a latent, so on the map of a meta-SAE to one that it splits
    drawn_from = shown.sae["parent_sae_id"] if is_meta else shown.sae_id
    pills = "".join(
        pill_html(
            sae["sae_id"],
            sae["sae_id"] == shown.sae_id,
            shown.here(sae=sae["sae_id"], part=None, small=None, latent=None, lasso=None),
        )
        for sae in saes
    )
    part = ""
    if len(points.latents) < points.n_placed:
        part = (
            f" Of {points.n_placed:,}, a fixed random {len(points.latents):,} are drawn; "
            "selections hold only these."
        )
    return (
        actions_html(run, ["Map", safe(shown.sae_id)], here, drawn_from)
        + f"<h1>Map of {safe(shown.sae_id)}</h1>"
        f'<p class="lead">Each point is a {tip("meta-latent" if is_meta else "latent")}, placed by '
        "t-SNE of the decoder directions: near points have near directions; far distances and the "
        f"axes mean nothing.{part}</p>{''.join(shown.messages)}"
        f"<div class='pills'><span>{tip('SAE')}</span>{pills}</div>"
    )


def _controls(shown: Shown) -> str:
    more = ""
    if shown.colour == "part":
        rows = latent_map.largest_parts(shown.run, shown.setting.meta_sae_id, N_PARTS)
        more = part_pills(rows, shown.setting.part, shown.here)
    elif shown.colour == "novelty":
        against = "".join(
            pill_html(small, small == shown.setting.small, shown.here(small=small))
            for small in shown.smaller
        )
        more = f"<div class='pills'><span>compared with</span>{against}</div>"
    return controls_html(shown.colour, shown.reasons, shown.sae_id, shown.here) + more


def _chart(shown: Shown, coloured: Colouring, theme: str) -> None:
    """The points; a click opens one, a lasso or box goes into the address."""
    # The browser draws a new selection itself, so the figure that it has must stay as it is: drawn
    # into a figure are only areas that came with the address, by a link, by Back or by a reload.
    what, now = shown.here(lasso=None).href + theme, urlstate.text("lasso")
    memory = st.session_state.get(MEMORY) or {"times": 0, "key": "map-0"}
    was_left = memory["key"] not in st.session_state  # another page was drawn since
    if was_left or memory["what"] != what or memory["now"] != now:
        times = memory["times"] + 1  # with the same key the browser would keep its selection
        key = f"map-{shown.run.name}-{times}"
        drawn = rounded(shown.areas, shown.points.extent)  # as the browser will tell of them
        memory = {"what": what, "now": now, "drawn": drawn, "times": times, "key": key}
        memory["held"] = area_text(drawn)
        st.session_state[MEMORY] = memory
    key = memory["key"]

    def select() -> None:
        selection = st.session_state[key]["selection"]
        areas = area_text(drawn_areas(selection, shown.points.extent))
        points = selection["points"]
        # a click comes with the areas that are there already
        if len(points) == 1 and areas == memory["held"]:
            memory["clicked"] = int(points[0]["customdata"])
        elif areas != memory["held"]:
            memory["held"] = memory["now"] = areas
            urlstate.put("lasso", areas, "")

    st.plotly_chart(
        map_charts.latent_map(
            shown.points,
            coloured,
            theme,
            shown.kind,
            memory["drawn"],
            shown.marked,
        ),
        on_select=select,
        selection_mode=("points", "lasso", "box"),
        key=key,
        config={"displayModeBar": True, "modeBarButtonsToRemove": ["autoScale2d"]},
        alt=f"Map of {len(shown.points.latents):,} points coloured by {coloured.title}; beside it "
        "are links to the ends of the scale and a search",
    )
    latent = memory.pop("clicked", None)
    if latent is not None:
        to = latent_link(shown.sae_id, latent, shown.kind, shown.run.name)
        # not by `st.switch_page`: on the way back it would show this page with the parameters of
        # the other, so without colour and selection
        st.html(link(to.href, "Open it", "opens sr") + _OPEN, unsafe_allow_javascript=True)


def _beside(shown: Shown, coloured: Colouring, selected: NDArray[np.intp]) -> str:
    """The search, then what a selection shares, or the ends of the scale without one."""
    run, points = shown.run.name, shown.points
    html = find_form(shown.here().params, shown.setting.text) + f"<p class='note'>{HOW}</p>"
    if shown.marked is not None:
        to = latent_link(shown.sae_id, shown.marked.latent, shown.kind, run)
        gone = link(shown.here(latent=None).href, "take the ring away")
        html += f"<p>Ringed: {link(to.href, shown.marked.name)} <small>{gone}</small></p>"
    if not shown.areas:
        return html + ends_html(points, coloured, N_ENDS, shown.sae_id, shown.kind, run)
    clear = f"<small>{link(shown.here(lasso=None).href, 'clear the selection')}</small>"
    noun = "meta-latent" if shown.kind == "meta" else "latent"
    plural = "" if len(selected) == 1 else "s"
    html += f"<h2>{len(selected):,} {noun}{plural} selected</h2><p>{clear}</p>"
    if not len(selected):
        return html + notice("No point is inside the selection.")
    latents = points.latents[selected]
    if shown.kind == "sae" and shown.setting.meta_sae_id:
        meta = shown.setting.meta_sae_id
        parts = map_shared.shared_parts(shown.run, meta, points.n_latents, latents, N_SHARED)
        html += parts_html(parts, meta, len(selected), run, shown.here)
    terms = map_shared.shared_terms(shown.run, shown.sae_id, latents, N_SHARED)
    return html + terms_html(terms, len(selected), run)


def _listed(shown: Shown, coloured: Colouring, selected: NDArray[np.intp]) -> str:
    ordered = order_by_value(shown.points, coloured, selected)[:N_LISTED]
    first = "all" if len(ordered) == len(selected) else f"the first {len(ordered)}"
    how = "best hits" if coloured.rank is not None else "highest value"
    if coloured.groups and coloured.rank is None:
        how = f"{coloured.groups[0]} ones"
    table = latents_table(
        shown.points, coloured, ordered, shown.sae_id, shown.kind, shown.run.name, shown.here
    )
    return (
        f"<h2>Selected</h2><p class='note'>{first.capitalize()} of {len(selected):,}, {how} first. "
        "The link to this page holds the selection, its outline with at most 30 corners.</p>"
        f"{table}"
    )


map_page()
