"""The Ask page as HTML: the question in words that can be changed, parts to add, sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape

from backend.arithmetic import Found, Sum
from backend.links import Link, latent_link
from backend.lists_html import bar_html, table_html
from backend.question import Part, Question
from backend.records import Record
from backend.sum_question import FACTORS, SumQuestion
from backend.text_html import latent_name, link, number, safe, tip

Names = Mapping[tuple[str, int], Record]
Here = Callable[[Question], Link]

ROLES = {"required": "with", "excluded": "without", "weighed": "rather"}
_STEPS = (0.5, 1.0, 2.0, -1.0)


def builder_html(question: Question, names: Names, here: Here, run: str) -> str:
    """One line for each part of the question: its role, other roles, and a cross.

    Args:
        names: `backend.answers.names_of` the parts.
        here: address of this page with another question.
        run: name of the run.
    """
    lines = []
    for role, words in ROLES.items():
        for part in getattr(question, role):
            known = names.get(part.key)
            if known is None:
                named = f"{safe(str(part))} <small>is not in this run</small>"
            else:
                to = latent_link(part.sae_id, part.latent, "meta", run)
                named = link(to.href, latent_name(known["label"], part.latent, "meta"))
                named += f" <small>in {known['count']:,} latents</small>"
            lines.append(
                f'<li><b class="role">{words}{_weight(part, role)}</b> <span>{named}</span>'
                f'<span class="roles">{_roles(question, part, role, here)}</span></li>'
            )
    return f'<ul class="asked">{"".join(lines)}</ul>'


def found_parts_html(rows: Sequence[Record], question: Question, here: Here, run: str) -> str:
    """Meta-latents to put into the question: with, without, rather."""
    taken = {part.key for part in question.parts}
    items = []
    for row in rows:
        part = Part(row["sae_id"], int(row["latent"]))
        name = latent_name(row["label"], part.latent, "meta")
        to = latent_link(part.sae_id, part.latent, "meta", run)
        roles = " ".join(
            link(here(question.with_part(part, role)).href, words) for role, words in ROLES.items()
        )
        if part.key in taken:
            roles = "<small>in the question</small>"
        items.append(
            f"<li><span>{link(to.href, name)} <small>in {int(row['count']):,} latents</small>"
            f'</span><span class="roles">{roles}</span></li>'
        )
    return f'<ul class="asked">{"".join(items)}</ul>'


def find_form_html(action: str, params: Mapping[str, str], name: str, typed: str, told: str) -> str:
    """A box to find a part or a latent; the rest of the address goes along.

    Args:
        params: parameters that stay.
        name: the box's parameter.
        typed: what stands in it, untrusted.
        told: its name and what to type.
    """
    hidden = "".join(
        f'<input type="hidden" name="{escape(key, quote=True)}" value="{safe(value)}">'
        for key, value in params.items()
        if key != name
    )
    return (
        f'<form class="find" action="{escape(action, quote=True)}">{hidden}'
        f'<input type="search" name="{escape(name, quote=True)}" value="{safe(typed)}" '
        f'aria-label="{escape(told, quote=True)}" placeholder="{escape(told, quote=True)}">'
        '<button type="submit">Find</button></form>'
    )


def sum_html(
    found: Sum, question: SumQuestion, names: Names, here: Callable[[SumQuestion], Link], run: str
) -> str:
    """The sum as an equation: the amounts that were used, a cross to drop each, and how much."""
    terms = []
    for place, term in enumerate(found.terms):
        sign = "" if place == 0 else "<i>−</i> " if term.amount < 0 else "<i>+</i> "  # noqa: RUF001
        amount = gone = ""
        if place:
            amount = f"<b>{number(abs(term.amount))}</b> "
            without = here(question.without(Part(term.sae_id, term.latent)))
            gone = (
                f'<a class="add" href="{escape(without.href, quote=True)}" '
                'aria-label="Leave this direction out">×</a>'  # noqa: RUF001
            )
        named = _named(names, (term.sae_id, term.latent), run)
        terms.append(f'<span class="term">{sign}{amount}{named}{gone}</span>')
    factors = " ".join(
        f"<b>{value:g}×</b>"  # noqa: RUF001
        if value == question.factor
        else link(here(replace(question, factor=value)).href, f"{value:g}×")  # noqa: RUF001
        for value in FACTORS
    )
    return (
        f'<div class="eq">{" ".join(terms)} <i>=</i> <span class="lhs">?</span></div>'
        f'<nav class="pills" aria-label="How much"><span>{tip("how much", "factor")}</span> '
        f"{factors}</nav>"
    )


def nearest_html(found: Sequence[Found], names: Names, captions: Sequence[str], run: str) -> str:
    """What lies nearest to a sum, with the cosines that show why.

    Args:
        captions: names of the directions of the sum, in the order of `Found.cosines`.
    """
    heads = [("nearest", None), ("to the sum", "cosine"), *((f"to {c}", None) for c in captions)]
    rows = (
        [
            _named(names, (one.sae_id, one.latent), run),
            number(one.cosine) + bar_html(one.cosine, 1.0),
            *(number(value) for value in one.cosines),
        ]
        for one in found
    )
    return table_html(heads, rows)


def choices_html(words: str, parts: Sequence[tuple[Link, str]]) -> str:
    """Parts to choose from, as a row of links: (address, name); "" when there are none."""
    if not parts:
        return ""
    links = " ".join(link(to.href, name) for to, name in parts)
    return f'<p class="pills"><span>{safe(words)}</span> {links}</p>'


def _named(names: Names, key: tuple[str, int], run: str) -> str:
    known = names.get(key, {"label": "", "kind": "sae"})
    to = latent_link(*key, known["kind"], run)
    return link(to.href, latent_name(known["label"], key[1], known["kind"]))


def _weight(part: Part, role: str) -> str:
    return f" {part.weight:g}×" if role == "weighed" else ""  # noqa: RUF001


def _roles(question: Question, part: Part, role: str, here: Here) -> str:
    others = [
        link(here(question.with_part(Part(*part.key), other)).href, words)
        for other, words in ROLES.items()
        if other != role
    ]
    if role == "weighed":
        others += [
            link(here(question.with_part(Part(*part.key, step), role)).href, f"{step:g}×")  # noqa: RUF001
            for step in _STEPS
            if step != part.weight
        ]
    gone = here(question.without_part(part))
    others.append(f'<a href="{escape(gone.href, quote=True)}" aria-label="Remove this part">×</a>')  # noqa: RUF001
    return " ".join(others)
