"""What stands around the map: its legend, the latents that a selection holds, and what they share.

Everything that the points show is here in words and links too, for readers without a pointer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from backend.latent_map import Points
from backend.links import MAP_PATH, Link, ask_link, latent_link, meta_link, search_link
from backend.lists_html import pill_html, table_html
from backend.map_charts import SCALES, group_colours
from backend.map_colours import COLOURS, Colouring
from backend.records import Record
from backend.text_html import latent_name, link, notice, number, percent, safe, tip

Here = Callable[..., Link]
"""The address of the page with some parameters changed; None leaves one out."""


def legend_html(colouring: Colouring, theme: str) -> str:
    """What the colours mean: scale with both ends, or categories, and what grey is, with counts."""
    known = colouring.known
    title = tip(colouring.title, colouring.term) if colouring.term else safe(colouring.title)
    n_grey = int((~known).sum())
    grey = (
        f'<span class="whole"><i class="swatch grey"></i>{safe(colouring.grey)}: {n_grey:,}</span>'
        if n_grey
        else ""
    )
    if colouring.groups:
        counts = [int((colouring.values == place).sum()) for place in range(len(colouring.groups))]
        items = " ".join(
            f'<span class="whole"><i class="swatch" style="background:{colour}"></i>'
            f"{safe(group)}: {count:,}</span>"
            for group, colour, count in zip(
                colouring.groups, group_colours(colouring), counts, strict=True
            )
        )
        return f'<p class="maplegend"><span>Colour: {title}</span> {items} {grey}</p>'
    if not known.any():
        return f'<p class="maplegend"><span>Colour: {title}</span> {grey}</p>'
    low, high = (safe(colouring.show(end)) for end in (colouring.low, colouring.high))
    values = colouring.values[known]
    if values.min() < np.float32(colouring.low):
        low += " or less"
    if values.max() > np.float32(colouring.high):
        high += f" or more, at most {safe(colouring.show(float(values.max())))}"
    scale = ",".join(SCALES[theme])
    return (
        f'<p class="maplegend"><span>Colour: {title}</span> <span>{low} '
        f'<i class="scale" style="background:linear-gradient(90deg,{scale})"></i> {high}</span> '
        f"{grey}</p>"
    )


def order_by_value(points: Points, colouring: Colouring, among: NDArray[np.intp]) -> NDArray:
    """Places of points: highest value or first category first, then by density; grey ones last."""
    first = colouring.rank
    if first is None:
        first = colouring.values if colouring.groups else -colouring.values
    keys = np.nan_to_num(first[among], nan=np.inf)
    return among[np.lexsort((points.latents[among], -points.density[among], keys))]


def latents_table(
    points: Points,
    colouring: Colouring,
    places: NDArray[np.intp],
    sae_id: str,
    kind: str,
    run: str,
    here: Here,
) -> str:
    """Points as rows: link to the page, value of the colour, density, components, place on the map.

    Args:
        places: of the points, in the order of the rows.
        here: address of the map.
    """
    is_density = colouring.name == "density"
    has_parts = bool(np.isfinite(points.n_components).any())
    heads: list[tuple[str, str | None]] = [(_noun(kind), _noun(kind))]
    if not is_density:
        heads.append((colouring.name, colouring.term))
    heads.append(("fires on", "density"))
    if has_parts:
        heads.append(("components", "components"))
    heads.append(("on the map", None))
    rows = []
    for place in places.tolist():
        latent = int(points.latents[place])
        name = latent_name(points.labels[place], latent, kind)
        cells = [link(latent_link(sae_id, latent, kind, run).href, name)]
        if not is_density:
            cells.append(value_words(colouring, place))
        cells.append(percent(float(points.density[place])))
        if has_parts:
            cells.append(number(float(points.n_components[place]), 0))
        cells.append(link(here(latent=str(latent)).href, f"mark {latent}"))
        rows.append(cells)
    return table_html(heads, rows)


def value_words(colouring: Colouring, place: int) -> str:
    """The value of one point, or why it is grey; HTML."""
    value = float(colouring.values[place])
    return safe(colouring.show(value) if np.isfinite(value) else colouring.grey)


def ends_html(
    points: Points, colouring: Colouring, most: int, sae_id: str, kind: str, run: str
) -> str:
    """Links to the points with the highest and the lowest values, or to the commonest of each
    category: the map for readers who cannot see it."""
    known = np.flatnonzero(colouring.known)
    if colouring.groups:
        lists = [
            (group, order_by_value(points, colouring, np.flatnonzero(colouring.values == place)))
            for place, group in enumerate(colouring.groups)
        ]
        how = "best first" if colouring.rank is not None else "most frequent first"
        shown = [(f"{group}, {how}", places[:most]) for group, places in lists]
    else:
        ordered = order_by_value(points, colouring, known)
        shown = [("Highest", ordered[:most])]
        if len(ordered) > most:
            shown.append(("Lowest", ordered[::-1][: min(most, len(ordered) - most)]))
    listings = ""
    for caption, places in shown:
        items = "".join(
            f"<li>{link(latent_link(sae_id, int(points.latents[place]), kind, run).href, name)} "
            f"<small>{_figure(points, colouring, place)}</small></li>"
            for place in places.tolist()
            if (name := latent_name(points.labels[place], int(points.latents[place]), kind))
        )
        listings += f"<h3>{safe(caption)}</h3><ul class='maplist'>{items or '<li>none</li>'}</ul>"
    return listings


def terms_html(rows: Sequence[Record], n_selected: int, run: str) -> str:
    """Words that several of the selected latents fire on."""
    if not rows:
        return "<h3>Words they share</h3>" + notice("No word is among the best five of two.")
    pills = " ".join(
        f"{link(search_link(row['term'], run=run).href, row['term'])} "
        f"<small>{row['n_latents']:,}</small>"
        for row in rows
    )
    return (
        f"<h3>Words they share</h3><p class='note'>With how many of the {n_selected:,} fire on it; "
        f"of each latent its five best words count.</p><div class='pills'>{pills}</div>"
    )


def parts_html(rows: Sequence[Record], meta_sae_id: str, n: int, run: str, here: Here) -> str:
    """Parts that the selected latents have more often than chance: shares, lift, what to do next.

    Args:
        rows: of `map_shared.shared_parts`.
        n: latents that are selected.
    """
    head = f"<h3>{tip('Parts', 'component')} they share beyond chance</h3>"
    if not rows:
        return head + notice(f"No part is more frequent among these {n:,} than chance may make it.")
    items = "".join(
        f"<li>{link(meta_link(meta_sae_id, row['latent'], run).href, _part_name(row))} "
        f"<small>{row['n_inside']:,} of {n:,} here, {percent(row['overall'])} of all: "
        f"{row['lift']:.3g} times as often · "
        f"{link(_asked(meta_sae_id, row, run).href, 'all with it')} · "
        f"{link(here(colour='part', part=str(row['latent'])).href, 'show on the map')}"
        "</small></li>"
        for row in rows
    )
    return f"{head}<ul class='maplist'>{items}</ul>"


def find_form(params: dict[str, str], text: str) -> str:
    """A search whose hits are coloured.

    Args:
        params: of the page; the form keeps all but the colour.
        text: what is searched for now.
    """
    kept = {name: value for name, value in params.items() if name != "q"} | {"colour": "hit"}
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{safe(value)}">' for name, value in kept.items()
    )
    return (
        f'<form class="find mapfind" action="{MAP_PATH}" role="search">{hidden}'
        f'<input type="search" name="q" value="{safe(text)}" aria-label="Find on the map" '
        'placeholder="a word or a number"><button type="submit">Find on the map</button></form>'
    )


def controls_html(chosen: str, reasons: dict[str, str], sae_id: str, here: Here) -> str:
    """The colours that an SAE can have as links, and why it cannot have the others."""
    pills = "".join(
        pill_html(words, name == chosen, here(colour=name))
        for name, words in COLOURS.items()
        if not reasons[name]
    )
    without: dict[str, list[str]] = {}
    for name, why in reasons.items():
        if why:
            without.setdefault(why, []).append(COLOURS[name])
    missing = "; ".join(f"{', '.join(names)} ({why})" for why, names in without.items())
    note = f"<p class='note'>Not for {safe(sae_id)}: {safe(missing)}.</p>" if missing else ""
    return f"<div class='pills'><span>colour</span>{pills}</div>{note}"


def part_pills(rows: Sequence[Record], chosen: int, here: Here) -> str:
    """The largest parts as links that colour the map; the chosen one is bold."""
    pills = "".join(
        pill_html(_part_name(row), row["latent"] == chosen, here(part=str(row["latent"])))
        for row in rows
    )
    return f'<div class="pills"><span>part, largest first</span>{pills}</div>'


def _figure(points: Points, colouring: Colouring, place: int) -> str:
    """The value of a point, or how often it fires where the value is the head of the list."""
    if colouring.groups:
        return f"fires on {percent(float(points.density[place]))}"
    return value_words(colouring, place)


def _part_name(row: Record) -> str:
    return latent_name(row["label"], row["latent"], "meta")


def _asked(meta_sae_id: str, row: Record, run: str) -> Link:
    return ask_link({"with": f"{meta_sae_id}/{row['latent']}"}, run)


def _noun(kind: str) -> str:
    return "meta-latent" if kind == "meta" else "latent"
