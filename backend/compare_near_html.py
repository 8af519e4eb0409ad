"""Around compared latents as HTML: search to add one, the same in other SAEs, novelty."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from backend.compare_html import letter_html, short_name
from backend.compared import Compared, SharedRow, in_run
from backend.links import COMPARE_PATH, COMPARED, Link, latent_link
from backend.lists_html import table_html
from backend.records import Record
from backend.text_html import MISSING, latent_name, link, notice, number, plain, safe

Names = Mapping[tuple[str, str, int], str]
"""Names by run, SAE and latent."""

Adding = Callable[[str, int], Link | None]
"""The page with one latent more, or None when it cannot take it."""


def add_form(items: Sequence[Compared], home: str, text: str, runs: Sequence[str]) -> str:
    """A box that searches for a latent to add; with a choice of run when there are several.

    Args:
        text: what was searched.
        runs: names, the one to search first.
    """
    if len(items) >= len(COMPARED):
        return '<p class="note">Four is the most; remove one to add another.</p>'
    hidden = [("run", home)]
    hidden += [
        (name, f"{item.place[0]}/{item.place[1]}")
        for name, item in zip(COMPARED, items, strict=False)
    ]
    kept = "".join(
        f'<input type="hidden" name="{name}" value="{safe(value)}">' for name, value in hidden
    )
    choice = ""
    if len(runs) > 1:
        options = "".join(f'<option value="{safe(name)}">{safe(name)}</option>' for name in runs)
        choice = f'<select name="from" aria-label="Run to search">{options}</select>'
    return (
        f'<form class="find another" action="{COMPARE_PATH}" role="search">{kept}{choice}'
        f'<input type="search" name="find" value="{safe(text)}" '
        'aria-label="Find a latent to add" placeholder="add a latent: a word, or sae-8/123">'
        '<button type="submit">Find</button></form>'
    )


def found_html(hits: Sequence[Record], text: str, adding: Adding) -> str:
    """The best hits, each with a link that adds it.

    Args:
        hits: with the columns sae_id, kind, latent and label.
    """
    if not hits:
        return notice(f"Nothing fires on, promotes or is called “{text}”.")
    lines = []
    for row in hits:
        name = latent_name(row["label"], row["latent"], row["kind"])
        to = adding(row["sae_id"], row["latent"])
        action = "there already" if to is None else _add(name, to)
        lines.append(
            f"<li><span>{safe(name)} <small>{safe(row['sae_id'])}/{row['latent']}</small></span>"
            f"{action}</li>"
        )
    return f'<ul class="adds">{"".join(lines)}</ul>'


def pairs_to_start(pairs: Sequence[tuple[Link, str]]) -> str:
    """Comparisons to start from."""
    lines = "".join(f"<li>{link(to.href, words)}</li>" for to, words in pairs)
    return f'<ul class="starts">{lines}</ul>' if lines else ""


def nearest_html(
    items: Sequence[Compared],
    lists: Sequence[Sequence[Record]],
    names: Names,
    kinds: Mapping[str, str],
    adding: Adding,
) -> str:
    """For each latent the nearest one in every other SAE, each with a link that adds it.

    Args:
        lists: of each latent the best row of `compare.nearest` in each other SAE.
        kinds: `sae` or `meta` by SAE.
    """
    parts = []
    for place, (item, rows) in enumerate(zip(items, lists, strict=True)):
        lines = []
        for row in rows:
            sae_id, latent = row["other_sae_id"], row["other_latent"]
            name = names[item.run, sae_id, latent]
            page = latent_link(sae_id, latent, kinds[sae_id], item.run)
            to = adding(in_run(sae_id, item.run, item.home), latent)
            lines.append(
                f"<li><span>{link(page.href, name)} <small>{safe(sae_id)}</small>"
                f'</span><span class="value">{number(row["cosine"])}</span>{_add(name, to)}</li>'
            )
        none = f"<li>{MISSING} no neighbours were stored</li>"
        parts.append(
            f'<div class="listing near"><div class="caption"><span>{letter_html(place)} '
            f"{safe(short_name(item))}</span><span>cosine</span></div>"
            f"<ul>{''.join(lines) or none}</ul></div>"
        )
    return f'<div class="listings">{"".join(parts)}</div>'


def shared_rows(
    nearest: Mapping[tuple[str, str, int], tuple[float | None, ...]],
    names: Names,
    kinds: Mapping[str, str],
) -> list[SharedRow]:
    """The latents of `compared.shared_nearest` as rows of a table."""
    return [
        SharedRow(
            f"{names[key]} ({key[1]})",
            values,
            latent_link(key[1], key[2], kinds[key[1]], key[0]),
        )
        for key, values in nearest.items()
        if key in names
    ]


def novelty_table(items: Sequence[Compared], rows: Sequence[Sequence[Record]]) -> str:
    """What each latent is against each smaller SAE; "" when that was measured for none.

    Args:
        rows: of `compare.novelty`, of each latent.
    """
    by_sae: dict[str, dict[int, Record]] = {}
    for place, own in enumerate(rows):
        for row in own:
            by_sae.setdefault(row["small_sae_id"], {})[place] = row
    if not by_sae:
        return ""
    cells = []
    for small, own in by_sae.items():
        line = [safe(small)]
        for place, item in enumerate(items):
            row = own.get(place)
            if row is None:
                line.append(MISSING)
                continue
            name = latent_name(row["nearest_label"], row["nearest_latent"])
            to = latent_link(small, row["nearest_latent"], run=item.run)
            line.append(
                f"<b>{safe(row['kind'])}</b> <small>nearest {link(to.href, name)} "
                f"{number(row['max_cosine'])}</small>"
            )
        cells.append(line)
    heads = [("against", None), *((plain(short_name(item)), None) for item in items)]
    # every column but the first holds words
    return table_html(heads, cells, words=[head for head, _ in heads])


def _add(name: str, to: Link | None) -> str:
    if to is None:
        return "<span></span>"
    return f'<a href="{safe(to.href)}" aria-label="Add {safe(name)}">add</a>'
