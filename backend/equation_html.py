"""A decomposition as people read it: an equation, a strip of shares, and a chart of its parts.

    einstein = 0.50 german + 0.60 scientist + bias + residual

Every part links to its meta-latent. The chart is HTML, not Plotly: its rows are links, its figures
are text that a screen reader reads, and it fits a phone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from backend.hits_html import add_html
from backend.latent import Latent
from backend.links import Link, ask_link, latent_link, meta_link
from backend.question import Part
from backend.records import Record
from backend.sum_question import SumQuestion
from backend.text_html import latent_name, link, number, plain, safe, shortened, tip

CARD_TERMS = 4
LABEL_LENGTH = 40  # characters of a label in an equation; the whole is on its own page


@dataclass(frozen=True)
class Decomposition:
    """A latent, its meta-SAE and the rows of `queries.components`."""

    latent: Latent
    meta_sae_id: str
    components: list[Record]
    run: str
    ask: Callable[[Part], Link] | None = None
    """Address of the reader's question with one more part; None draws no such links."""

    def href(self, meta_latent: int) -> str:
        return meta_link(self.meta_sae_id, int(meta_latent), run=self.run).href


def equation_html(decomposition: Decomposition, most_terms: int | None = None) -> str:
    """label = weight meta-latent + ... + bias + residual.

    Args:
        most_terms: cut after so many components and say how many follow; None shows all.
    """
    latent, rows = decomposition.latent, decomposition.components
    left = safe(shortened(latent_name(latent.label, latent.latent), LABEL_LENGTH))
    if most_terms is not None:
        href = latent_link(latent.sae_id, latent.latent, run=decomposition.run).href
        left = link(href, shortened(latent_name(latent.label, latent.latent), LABEL_LENGTH))
    shown = rows if most_terms is None else rows[:most_terms]
    parts = [_term(decomposition, row, first=i == 0) for i, row in enumerate(shown)]
    hidden = len(rows) - len(shown)
    if hidden:
        parts.append(f'<span class="term rest"><i>+</i> {hidden} more</span>')
    if most_terms is None:
        joined = "<i>+</i> " if parts else ""
        parts.append(f'<span class="term rest">{joined}{tip("bias")}</span>')
        parts.append(f'<span class="term rest"><i>+</i> {tip("residual")}</span>')
    else:
        parts.append('<span class="term rest"><i>+</i> …</span>')
    return (
        f'<div class="eq"><span class="lhs">{left}</span> <i class="equals">=</i> '
        f"{' '.join(parts)}</div>"
    )


def strip_html(decomposition: Decomposition) -> str:
    """One bar, its pieces as wide as their shares; a negative share cannot be drawn in it."""
    pieces = _pieces(decomposition)
    drawn = [piece for piece in pieces if piece[2] > 0]
    if not drawn:
        return ""
    spans = "".join(
        f'<span class="{css}" style="flex-grow:{share:.4f}" '
        f'title="{safe(name)}: share {number(share)}"></span>'
        for name, css, share in drawn
    )
    told = safe(", ".join(f"{name} {number(share)}" for name, _, share in pieces))
    return f'<div class="strip" role="img" aria-label="Shares: {told}">{spans}</div>'


def parts_html(decomposition: Decomposition) -> str:
    """The chart: a row for each component, bias and residual; a bar for each figure."""
    latent, rows = decomposition.latent, decomposition.components
    widest = max([1.0, *(abs(share) for _, _, share in _pieces(decomposition))])
    heaviest = max([1.0, *(row["activation"] for row in rows)])
    body = []
    for place, row in enumerate(rows):
        name = latent_name(row["label"], row["meta_latent"], "meta")
        body.append(
            f'<tr><th scope="row"><span class="swatch {_shade_class(place)}"></span>'
            f"{link(decomposition.href(row['meta_latent']), name)}"
            f"{_ask_links(decomposition, row['meta_latent'], name)}"
            f"<small>in {row['n_members']:,} latents</small></th>"
            f"{_bar(row['share'], widest)}{_bar(row['activation'], heaviest)}"
            f"{_bar(row['cosine'])}{_bar(row['stability'])}</tr>"
        )
    for name, css, share in (
        ("bias", "bias", latent.bias_share),
        ("residual", "residual", latent.residual_share),
    ):
        body.append(
            f'<tr class="rest"><th scope="row"><span class="swatch {css}"></span>{tip(name)}</th>'
            f'{_bar(share, widest, css)}<td class="none"></td><td class="none"></td>'
            '<td class="none"></td></tr>'
        )
    heads = "".join(f'<th scope="col">{tip(term)}</th>' for term in _COLUMNS)
    return (
        '<table class="parts"><thead><tr><th scope="col">'
        f"{len(rows)} component{'' if len(rows) == 1 else 's'}</th>{heads}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table>"
    )


def card_html(decomposition: Decomposition, mean_stability: float) -> str:
    """A small card: the equation, its strip, and how well it holds.

    Args:
        mean_stability: over its components; NaN when no other seed was trained.
    """
    explained = decomposition.latent.decomposition_variance_explained
    return (
        f'<article class="card">{equation_html(decomposition, CARD_TERMS)}'
        f"{strip_html(decomposition)}"
        f"<small>{tip('variance explained')} {number(explained)} · {tip('stability')} "
        f"{number(mean_stability)}</small></article>"
    )


_COLUMNS = ("share", "weight", "cosine", "stability")


def _term(decomposition: Decomposition, row: Record, first: bool) -> str:
    name = latent_name(row["label"], row["meta_latent"], "meta")
    weight = float(row["activation"])
    sign = "" if first else "<i>+</i> "
    return (
        f'<span class="term">{sign}<b>{number(weight)}</b> '
        f"{link(decomposition.href(row['meta_latent']), shortened(name, LABEL_LENGTH))}</span>"
    )


def _ask_links(decomposition: Decomposition, meta_latent: int, name: str) -> str:
    """Ask for latents with this part too; take it away from this latent's direction."""
    if decomposition.ask is None:
        return ""
    part = Part(decomposition.meta_sae_id, int(meta_latent))
    latent = decomposition.latent
    less = SumQuestion(Part(latent.sae_id, latent.latent), less=(part,))
    away = ask_link(less.params, decomposition.run)
    told = escape(f"Take “{name}” away and see what is near", quote=True)
    return (
        add_html(decomposition.ask(part), name)
        + f'<a class="add" href="{escape(away.href, quote=True)}" title="{told}" '
        f'aria-label="{told}">−</a>'  # noqa: RUF001
    )


def _pieces(decomposition: Decomposition) -> list[tuple[str, str, float]]:
    """(name, CSS class, share) of every component, of the bias and of the residual."""
    latent = decomposition.latent
    pieces = [
        (
            plain(latent_name(row["label"], row["meta_latent"], "meta")),
            _shade_class(place),
            float(row["share"]),
        )
        for place, row in enumerate(decomposition.components)
    ]
    for name, share in (("bias", latent.bias_share), ("residual", latent.residual_share)):
        if share is not None:
            pieces.append((name, name, share))
    return pieces


def _shade_class(place: int) -> str:
    return f"c{min(place, 5)}"


def _bar(value: float | None, maximum: float = 1.0, css: str = "") -> str:
    if value is None or not math.isfinite(value):
        return '<td class="none" title="not measured">–</td>'  # noqa: RUF001
    width = min(abs(value) / maximum, 1.0)
    sign = " negative" if value < 0 else ""
    return (
        f'<td><span class="value">{number(value)}</span>'
        f'<span class="bar {css}{sign}"><span style="width:{100 * width:.1f}%"></span></span></td>'
    )
