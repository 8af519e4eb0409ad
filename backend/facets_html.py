"""Filters as HTML: those in force as removable chips, the others as links with counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape

from backend.facets import FACETS, Facet, words_of
from backend.links import Link
from backend.question import RANGES, Part, Question, Range
from backend.records import Record
from backend.text_html import bar_width, latent_name, link, safe, tip

Here = Callable[[Question], Link]  # this page with another question

SORT_WORDS = {
    "best": "best match",
    "frequent": "fires most",
    "rare": "rarest",
    "parts": "most components",
    "explained": "best explained",
    "unexplained": "least explained",
    "stable": "most stable",
    "alone": "most alone",
    "named": "best named",
}
_ROLES = {"required": "with", "excluded": "without", "weighed": "weighed"}


def chips_html(question: Question, names: Mapping[tuple[str, int], str], here: Here) -> str:
    """Every filter in force with a cross that takes it away; "" when none is.

    Args:
        names: label of each part that the question names.
        here: address of this page with another question.
    """
    chips = []
    if question.sae_id:
        chips.append(_chip("SAE", question.sae_id, here(replace(question, sae_id=""))))
    for facet in FACETS:
        told = words_of(facet, question)
        if not told:
            continue
        caption = facet.caption
        if facet.name == "novelty":
            caption = f"To {question.against or 'the next smaller SAE'}"
        chips.append(_chip(caption, told, here(without(question, facet))))
    for role, words in _ROLES.items():
        for part in getattr(question, role):
            weight = f" × {part.weight:g}" if role == "weighed" else ""  # noqa: RUF001
            name = latent_name(names.get(part.key, ""), part.latent, "meta")
            chips.append(_chip(words, name + weight, here(question.without_part(part))))
    if len(chips) > 1:
        clear = Question(text=question.text, way=question.way, index=question.index)
        chips.append(link(here(clear).href, "clear all"))
    return f'<div class="chips">{"".join(chips)}</div>' if chips else ""


def without(question: Question, facet: Facet) -> Question:
    """The question without this filter."""
    if facet.name in RANGES:
        return question.with_range(facet.name, None)
    cleared = {facet.name: "", "against": ""} if facet.name == "novelty" else {facet.name: ""}
    return replace(question, **cleared)


def facets_html(
    question: Question,
    counts: Mapping[str, Mapping[str, int]],
    saes: Sequence[str],
    smaller: Sequence[str],
    here: Here,
) -> str:
    """All filters with what each value would leave; values that would leave nothing are omitted.

    Args:
        question: what is asked now.
        counts: as in `backend.answers.Answer`.
        saes: every SAE and meta-SAE.
        smaller: SAEs that novelty can be measured against.
        here: address of this page with another question.
    """
    blocks = [_sae_facet(question, counts.get("sae", {}), saes, here)]
    for facet in FACETS:
        found = counts.get(facet.name, {})
        values = [
            (
                value.words,
                found.get(value.key, 0),
                _chosen(question, facet, value.key),
                here(_with(question, facet, value.key)),
            )
            for value in facet.values
        ]
        more = _against(question, smaller, here) if facet.name == "novelty" else ""
        blocks.append(_facet(tip(facet.caption, facet.term), values, more))
    return f'<div class="facets">{"".join(blocks)}</div>'


def shared_html(rows: Sequence[Record], question: Question, here: Here) -> str:
    """Meta-latents that the answers have in common, to require or to exclude with one click."""
    if not rows:
        return ""
    items = []
    for row in rows:
        part = Part(row["meta_sae_id"], int(row["meta_latent"]))
        name = latent_name(row["label"], part.latent, "meta")
        more = here(question.with_part(part, "required"))
        less = here(question.with_part(part, "excluded"))
        told = escape(f"Leave out latents with “{name}”", quote=True)
        items.append(
            f"<li>{link(more.href, name)} <small>{row['n']:,}, {row['lift']:.0f}×</small>"  # noqa: RUF001
            f'<a class="add" href="{escape(less.href, quote=True)}" title="{told}" '
            f'aria-label="{told}">−</a></li>'  # noqa: RUF001
        )
    return (
        f'<div class="shared"><span>{tip("They share", "shared parts")}</span>'
        f"<ul>{''.join(items)}</ul></div>"
    )


def sorts_html(question: Question, here: Here) -> str:
    """The orders of a list as a row of choices."""
    items = [
        f"<b>{words}</b>"
        if key == question.sort
        else link(here(replace(question, sort=key)).href, words)
        for key, words in SORT_WORDS.items()
    ]
    return f'<nav class="pills" aria-label="Order">{"".join(items)}</nav>'


def _with(question: Question, facet: Facet, key: str) -> Question:
    if facet.name in RANGES:
        return question.with_range(facet.name, Range.parse(key))
    return replace(question, **{facet.name: key})


def _chosen(question: Question, facet: Facet, key: str) -> bool:
    if facet.name in RANGES:
        return str(question.ranges.get(facet.name, "")) == key
    return getattr(question, facet.name) == key


def _sae_facet(
    question: Question, found: Mapping[str, int], saes: Sequence[str], here: Here
) -> str:
    values = [
        (
            sae_id,
            found.get(sae_id, 0),
            sae_id == question.sae_id,
            here(replace(question, sae_id=sae_id)),
        )
        for sae_id in saes
    ]
    if question.sae_id:  # the text was searched in one SAE, so others have no count
        values = [(words, n if chosen else -1, chosen, to) for words, n, chosen, to in values]
    return _facet("SAE", values)


def _against(question: Question, smaller: Sequence[str], here: Here) -> str:
    """Which smaller SAE the novelty is about."""
    items = [("the next smaller", "")] + [(sae_id, sae_id) for sae_id in smaller]
    links = " ".join(
        f"<b>{safe(words)}</b>"
        if key == question.against
        else link(here(replace(question, against=key)).href, words)
        for words, key in items
    )
    return f'<p class="against"><span>compared with</span> {links}</p>' if smaller else ""


def _facet(caption: str, values: Sequence[tuple[str, int, bool, Link]], more: str = "") -> str:
    """One filter; a count of -1 is not known and not shown. `more` is HTML for its end."""
    shown = [value for value in values if value[1] or value[2]]
    if not shown or (len(shown) == 1 and not shown[0][2]):
        return ""
    largest = max(value[1] for value in shown) or 1
    items = "".join(
        f"<li>{f'<b>{safe(words)}</b>' if chosen else link(to.href, words)}"
        + (
            f'<span class="value">{n:,}</span>'
            f'<span class="bar"><span style="width:{bar_width(n / largest):.1f}%"></span></span>'
            if n >= 0
            else ""
        )
        + "</li>"
        for words, n, chosen, to in shown
    )
    opened = " open" if any(value[2] for value in shown) else ""
    return (
        f'<details class="facet"{opened}><summary>{caption}</summary><ul>{items}</ul>{more}'
        "</details>"
    )


def _chip(caption: str, words: str, to: Link) -> str:
    told = escape(f"Remove the filter {caption}: {words}", quote=True)
    return (
        f'<span class="chip"><small>{safe(caption)}</small> {safe(words)} '
        f'<a href="{escape(to.href, quote=True)}" aria-label="{told}" title="{told}">×</a></span>'  # noqa: RUF001
    )
