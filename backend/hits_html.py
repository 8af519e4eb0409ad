"""Latents that answer a question, as cards: what matched, how well, on which text, made of what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from backend.links import Link, meta_link
from backend.question import Part, Question
from backend.records import Record
from backend.text_html import is_known, latent_name, link, number, percent, safe, tip
from backend.token_html import context_html

MOST_COMPONENTS = 6  # of one line; the latent's page has them all

_MATCHES = {
    "exact": "exact",
    "prefix": "starts with",
    "substring": "contains",
    "label": "label",
    "number": "number",
}
_FOUND_IN = {
    "fires": "fires on “{}”",
    "phrases": "fires in “{}”",
    "pieces": "fires on the piece “{}”",
    "promotes": "promotes “{}”",
    "label": "label “{}”",
    "number": "number {}",
}


def hits_html(
    rows: Sequence[Record],
    question: Question,
    to: Callable[[Record, int], Link],
    add: Callable[[Part], Link],
    run: str,
) -> str:
    """The rows of `backend.answers.answer` as an ordered list.

    Args:
        question: what was asked: parts it names stand out.
        to: address of a row, given its place on this page.
        add: address of the same question with one more part required.
        run: name of the run.
    """
    asked = {part.key for part in question.parts}
    items = "".join(_hit(row, to(row, i), asked, add, run) for i, row in enumerate(rows))
    return f'<ol class="hits">{items}</ol>'


def _hit(
    row: Record, to: Link, asked: set[tuple[str, int]], add: Callable[[Part], Link], run: str
) -> str:
    name = latent_name(row["label"], row["latent"], row["kind"])
    head = (
        f'<div class="head">{link(to.href, name, "name")}'
        f'<span class="id">{safe(row["sae_id"])}/{int(row["latent"])}</span></div>'
    )
    return (
        f'<li>{head}<div class="figures">{" ".join(_figures(row))}</div>'
        f"{_equation(row, asked, add, run)}{_example_line(row)}</li>"
    )


def _figures(row: Record) -> list[str]:
    figures = []
    if row["match"] is not None:
        figures.append(f'<span class="badge">{_MATCHES[row["match"]]}</span>')
        figures.append(
            f"<span>{safe(_FOUND_IN[row['matched_in']].format(row['matched_term']))}</span>"
        )
    for term in ("precision", "recall"):
        if is_known(row[term]):
            figures.append(f"<span>{tip(term)} <b>{number(row[term])}</b></span>")
    if is_known(row["lift"]):
        figures.append(f"<span>{tip('lift')} <b>{_times(row['lift'])}</b></span>")
    if is_known(row["part_score"]):
        figures.append(
            f"<span>{tip('parts together', 'part score')} <b>{number(row['part_score'])}</b></span>"
        )
    unit = "decoder rows" if row["kind"] == "meta" else "tokens"
    figures.append(
        f"<span>{tip('fires on', 'density')} {int(row['count']):,} {unit} "
        f"({percent(row['density'])})</span>"
    )
    if row["n_components"]:
        figures.append(f"<span>{tip('components')} {row['n_components']}</span>")
    if is_known(row["explained"]):
        figures.append(
            f"<span>{tip('explained', 'variance explained')} {number(row['explained'])}</span>"
        )
    if row["novelty"] == "novel":
        figures.append(f'<span class="badge">{tip("novel")}</span>')
    return figures


def _times(lift: float) -> str:
    return f"{lift:,.0f}×" if lift >= 10 else f"{lift:.1f}×"  # noqa: RUF001


def _equation(
    row: Record, asked: set[tuple[str, int]], add: Callable[[Part], Link], run: str
) -> str:
    if row["kind"] == "meta":
        return '<div class="oneline none">a meta-latent: a part, not a whole</div>'
    components = row["components"]
    if components is None:
        told = "no component" if is_known(row["n_components"]) else "not decomposed"
        return f'<div class="oneline none">{told}</div>'
    terms = [_term(part, asked, add, run) for part in components[:MOST_COMPONENTS]]
    return f'<div class="oneline"><i>=</i> {" <i>+</i> ".join(terms)} <i>+ …</i></div>'


def _term(part: Record, asked: set[tuple[str, int]], add: Callable[[Part], Link], run: str) -> str:
    sae_id, latent = part["meta_sae_id"], int(part["meta_latent"])
    name = latent_name(part["label"], latent, "meta")
    named = link(meta_link(sae_id, latent, run).href, name)
    weight = f"<i>{number(part['activation'])}</i>"
    if (sae_id, latent) in asked:
        return f'<span class="term"><mark>{weight} {named}</mark></span>'
    plus = add_html(add(Part(sae_id, latent)), name)
    return f'<span class="term">{weight} {named}{plus}</span>'


def add_html(to: Link, name: str) -> str:
    """A small link that adds a part to the question."""
    told = escape(f"Ask for latents with “{name}” too", quote=True)
    return (
        f'<a class="add" href="{escape(to.href, quote=True)}" title="{told}" '
        f'aria-label="{told}">+</a>'
    )


def _example_line(row: Record) -> str:
    if not isinstance(row["text"], str):
        return ""
    position, activation = int(row["position"]), float(row["activation"])
    return context_html(
        row["text"],
        row["token_starts"],
        row["token_ends"],
        [position],
        [activation],
        peak=position,
        maximum=activation,
    )
