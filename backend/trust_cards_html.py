"""On the page of one latent: the same row by other methods, and its line through smaller SAEs."""

from __future__ import annotations

from collections.abc import Sequence

from backend.links import latent_link, meta_link, splitting_link
from backend.records import Record, grouped
from backend.splitting import SIMILAR_COSINE
from backend.text_html import bar_width, latent_name, link, notice, number, safe, shortened, tip
from backend.trust_figures import META_SAE, SAE_PURSUIT, method_kind
from backend.trust_html import method_html

LABEL_LENGTH = 60  # a label can be the words of several latents
_PART_NOUNS = {
    "pursuit on k-means": "cluster",
    "k-means": "cluster",
    "pursuit on principal axes": "axis",
}


def other_methods_html(
    own: Sequence[Record], explained: float | None, others: Sequence[Record], meta: str, run: str
) -> str:
    """Cards side by side, the meta-SAE's first.

    Args:
        own: rows of `queries.components`, heaviest first.
        explained: variance explained of this row by the meta-SAE.
        others: rows of `trust.other_decompositions`.
        meta: id of the meta-SAE.
    """
    if not others:
        return notice("This run holds no decomposition of this latent by another method.")
    parts = [
        (
            row["activation"],
            link(
                meta_link(meta, row["meta_latent"], run).href,
                shortened(latent_name(row["label"], row["meta_latent"], "meta"), LABEL_LENGTH),
            ),
        )
        for row in own
    ]
    cards = [_card(META_SAE, explained, parts)]
    by_method = grouped(others, "method")
    for method in sorted(by_method, key=_place):
        rows = by_method[method]
        parts = [(row["weight"], _part_html(row, run)) for row in rows]
        cards.append(_card(method, rows[0]["variance_explained"], parts))
    told = f"Bars: {tip('variance explained')} of this row; below them its parts, with weights."
    return f'<p class="note">{told}</p><div class="cards methods">{"".join(cards)}</div>'


def ancestors_html(chain: Sequence[Record], sae_id: str, latent: int, name: str, run: str) -> str:
    """One line of links from the ancestor in the smallest SAE to this latent.

    Args:
        chain: rows of `trust.ancestors`.
        name: of this latent, untrusted.
    """
    if not chain:
        return ""
    near = [row for row in chain if row["cosine"] >= SIMILAR_COSINE]
    head = tip("Ancestors", "ancestor")
    if not near:
        return (
            f'<p class="lineage">{head}: none. The nearest latent of {safe(chain[0]["sae_id"])}, '
            f"{_latent(chain[0], run)}, has a cosine of {number(chain[0]['cosine'])}, below "
            f"{SIMILAR_COSINE}.</p>"
        )
    steps = [
        f"{_latent(row, run)} <small>{safe(row['sae_id'])}, cosine {number(row['cosine'])}</small>"
        for row in reversed(near)
    ]
    oldest = near[-1]
    tree = link(splitting_link(oldest["sae_id"], oldest["latent"], run).href, "tree")
    arrow = ' <span aria-hidden="true">→</span><span class="sr">, then</span> '
    here = f"<b>{safe(shortened(name, LABEL_LENGTH))}</b> <small>{safe(sae_id)}/{latent}</small>"
    return f'<p class="lineage">{head}: {arrow.join([*steps, here])} ({tree})</p>'


def _place(method: str) -> tuple[bool, bool, str]:
    """Smaller SAEs first, random directions last."""
    return method_kind(method) == "null", not method.startswith(SAE_PURSUIT), method


def _card(method: str, explained: float | None, parts: Sequence[tuple[float, str]]) -> str:
    kind = method_kind(method)
    css = "bar" if kind == "own" else f"bar {kind}"
    width = 0.0
    if explained is not None:
        width = bar_width(abs(explained))
        css += " negative" if explained < 0 else ""
    items = "".join(f"<li><b>{number(weight)}</b> {html}</li>" for weight, html in parts)
    return (
        f'<article class="card"><h3>{method_html(method)}</h3>'
        f'<div class="explained"><span class="{css}"><span style="width:{width:.1f}%"></span>'
        f"</span><span>{number(explained)}</span></div>"
        f"<ul>{items or '<li>no part</li>'}</ul></article>"
    )


def _part_html(row: Record, run: str) -> str:
    label, part = row["label"], row["part"]
    if row["part_sae_id"]:
        href = latent_link(row["part_sae_id"], part, run=run).href
        return link(href, shortened(latent_name(label, part), LABEL_LENGTH))
    noun = _PART_NOUNS.get(row["method"], "direction")
    return safe(shortened(label, LABEL_LENGTH)) if label.strip() else f"{noun} {part}"


def _latent(row: Record, run: str) -> str:
    href = latent_link(row["sae_id"], row["latent"], run=run).href
    return link(href, shortened(latent_name(row["label"], row["latent"]), LABEL_LENGTH))
