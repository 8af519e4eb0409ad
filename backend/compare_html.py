"""Latents side by side as HTML: their heads, what they share and what only one has.

Each latent has a letter, A to D, with a colour and a pattern of its own; no figure is told by
colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from backend.compared import Compared, SharedRow, without
from backend.equation_html import Decomposition, equation_html
from backend.links import COMPARED
from backend.lists_html import density_words
from backend.text_html import (
    MISSING,
    bar_width,
    is_known,
    link,
    number,
    safe,
    shortened,
    tip,
)

EQUATION_TERMS = 6
NAME_LENGTH = 28  # characters of a name in a sentence or a head of a table
LETTERS = tuple(letter.upper() for letter in COMPARED)
_ALL = {1: "it", 2: "both", 3: "all three", 4: "all four"}
_KINDS = {"word": "a word", "spelling": "a spelling", "meaning": "a meaning", "none": "nothing"}


def letter_html(place: int) -> str:
    """The letter of a latent in its colour."""
    return f'<b class="who w{place}">{LETTERS[place]}</b>'


def short_name(item: Compared) -> str:
    """A name cut to the length that a sentence or a head can take; not escaped."""
    return shortened(item.name, NAME_LENGTH)


def heads_html(items: Sequence[Compared]) -> str:
    """A card for each latent: what it is, how often it fires, what it is made of."""
    cards = "".join(_head(items, place) for place in range(len(items)))
    return f'<div class="cards compared n{len(items)}">{cards}</div>'


def shared_words(items: Sequence[Compared], rows: Sequence[SharedRow]) -> str:
    """The answer first, as HTML: which parts all of the latents share."""
    if len(items) < 2 or not rows:
        return ""
    whole = [row for row in rows if row.n_owners == len(items)]
    unsplit = [item for item in items if item.kind == "sae" and item.meta_sae is None]
    decoders = {key[0] for item in items for key in item.parts}
    if whole:
        names = _listed([f"<b>{_part(row)}</b>" for row in whole])
        words = f"{_ALL[len(items)].capitalize()} share {names}."
    elif unsplit:
        names = _listed([f"{safe(item.name)} ({safe(item.latent.sae_id)})" for item in unsplit])
        words = f"Not decomposed: {names}. Its parts are not known."
    elif len(decoders) > 1:
        words = "They were split by different meta-SAEs, so that no part can be the same."
    elif any(row.n_owners > 1 for row in rows):
        words = f"No component is in {_ALL[len(items)]}; some are in two of them or more."
    else:
        words = "They share no component."
    return f'<p class="answer">{words}</p>'


def shared_table(
    items: Sequence[Compared], rows: Sequence[SharedRow], what: str, figure: str, absent: str
) -> str:
    """What the latents have, shared rows first; a column with figure and bar for each latent.

    Args:
        what: what a row is, e.g. "component".
        figure: glossary term of the figure.
        absent: what a dash means.
    """
    longest = max((abs(v) for row in rows for v in row.values if v is not None), default=1.0) or 1.0
    body, group = [], None
    for row in rows:
        owners = tuple(i for i, value in enumerate(row.values) if value is not None)
        if owners != group:
            group = owners
            body.append(
                f'<tr class="group"><th colspan="{len(items) + 1}" scope="colgroup">'
                f"{_owners(items, owners)}</th></tr>"
            )
        name = link(row.link.href, row.name) if row.link else safe(row.name) or "(empty)"
        cells = "".join(
            _cell(item, row, place, longest, absent) for place, item in enumerate(items)
        )
        body.append(f'<tr><th scope="row">{name}</th>{cells}</tr>')
    heads = "".join(
        f'<th scope="col">{letter_html(place)} {safe(shortened(item.name, NAME_LENGTH))}</th>'
        for place, item in enumerate(items)
    )
    return (
        f'<div class="scroll"><table class="side n{len(items)}"><thead><tr>'
        f'<th scope="col">{safe(what)}, {tip(figure)}</th>'
        f"{heads}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
        f'<p class="note">{MISSING} {safe(absent)}</p>'
    )


def _head(items: Sequence[Compared], place: int) -> str:
    item = items[place]
    latent, sae_id = item.latent, item.latent.sae_id
    noun = "meta-latent" if item.kind == "meta" else "latent"
    where = f"{noun} {sae_id}/{latent.latent}"
    if item.run != item.home:
        where += f" of run {item.run}"
    unit = "decoder rows" if item.kind == "meta" else "tokens"
    lines = [f"fires on {density_words(latent.count, latent.tokens_seen, unit)}"]
    if latent.is_dead:
        lines = [f"dead: fires on none of {latent.tokens_seen:,} {unit}"]
    else:
        lines.append(f"{tip('maximum', 'activation')} {number(latent.max_activation)}")
    lines.append(f"{tip('label')} names {_KINDS.get(latent.label_kind, safe(latent.label_kind))}")
    if item.components and item.meta_sae is not None:
        made = Decomposition(latent, item.meta_sae["sae_id"], item.components, item.run)
        equation = equation_html(made, EQUATION_TERMS)
    elif item.kind == "meta":
        equation = '<p class="none">A meta-latent: a part, not a whole.</p>'
    elif item.meta_sae is None:
        equation = f'<p class="none">{safe(sae_id)} is not decomposed.</p>'
    else:
        equation = '<p class="none">No component.</p>'
    return (
        f'<article class="card"><div class="head">{letter_html(place)} '
        f"{link(item.page.href, item.name, 'name')}"
        f"{_remove(items, place)}</div>"
        f"<small>{safe(where)} · {' · '.join(lines)}</small>{equation}</article>"
    )


def _remove(items: Sequence[Compared], place: int) -> str:
    href = without(items, place).href
    return (
        f'<a class="remove" href="{safe(href)}" aria-label="Remove {safe(items[place].name)}">'
        "remove</a>"
    )


def _cell(item: Compared, row: SharedRow, place: int, longest: float, absent: str) -> str:
    value = row.values[place]
    if value is None:
        return f'<td class="none" title="{safe(absent)}">{MISSING}</td>'
    share = row.shares[place] if row.shares else None
    if row.shares and item.kind == "meta":
        return '<td><span class="value">itself</span></td>'
    told = f" <small>{tip('share')} {number(share)}</small>" if is_known(share) else ""
    negative = " negative" if value < 0 else ""
    return (
        f'<td><span class="value">{number(value)}</span>'
        f'<span class="bar w{place}{negative}">'
        f'<span style="width:{bar_width(abs(value) / longest):.1f}%"></span></span>{told}</td>'
    )


def _owners(items: Sequence[Compared], owners: tuple[int, ...]) -> str:
    letters = " ".join(letter_html(place) for place in owners)
    if len(owners) == 1:
        return f"{letters} only {safe(short_name(items[owners[0]]))}"
    if len(owners) == len(items):
        return f"{letters} {_ALL[len(items)]}"
    return f"{letters} only these {'three' if len(owners) == 3 else 'two'}"


def _part(row: SharedRow) -> str:
    return link(row.link.href, row.name) if row.link else safe(row.name)


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence: a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
