"""What fires on a reader's own text, as lists: on one token, and over all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from backend.links import Link, latent_link, meta_link
from backend.lists_html import bar_html, table_html
from backend.reading import Token, share_of_maximum
from backend.records import Record
from backend.text_html import latent_name, link, number, percent, safe, shortened, tip

LABEL_LENGTH = 40
MOST_LATENTS = 12  # of a token before the rest is folded away
MOST_ROWS = 25  # of a table
MOST_PARTS = 6  # components in a line


@dataclass(frozen=True)
class Shown:
    """What names and links need: the run, the SAE, its meta-SAE if it has one, and the page."""

    run: str
    sae_id: str
    meta_sae_id: str | None
    here: Callable[..., Link]
    """The page with some parameters changed."""


def token_html(
    token: Token,
    latents: Mapping[int, Record],
    components: Mapping[int, Sequence[Record]],
    shown: Shown,
) -> str:
    """The latents that fire on one token, strongest first, each with its decomposition."""
    items = [
        _fired(latents[latent], activation, components.get(latent, ()), shown)
        for latent, activation in zip(token.latents, token.activations, strict=True)
    ]
    first = f'<ol class="hits">{"".join(items[:MOST_LATENTS])}</ol>'
    rest = items[MOST_LATENTS:]
    if not rest:
        return first
    return (
        f'{first}<details class="fold"><summary>{len(rest)} weaker ones</summary>'
        f'<ol class="hits">{"".join(rest)}</ol></details>'
    )


def pooled_latents_html(rows: Sequence[Record], shown: Shown) -> str:
    """Latents over the whole text: the rows of `reading.pooled_latents`."""
    cells = [
        (
            _latent(row, shown),
            f"{percent(row['share'])}{bar_html(row['share'] or 0.0, 1.0)}",
            number(row["activation"]),
            link(shown.here(latent=str(row["latent"]), token="").href, f"{row['n_tokens']:,}"),
            _density(row),
        )
        for row in rows[:MOST_ROWS]
    ]
    heads = (
        ("latent", "latent"),
        ("of its maximum", "share of maximum"),
        ("activation", "activation"),
        ("tokens here", None),
        ("density", "density"),
    )
    return table_html(heads, cells) + _cut(len(rows), "latents fire")


def pooled_metas_html(rows: Sequence[Record], shown: Shown) -> str:
    """Meta-latents over some tokens: the rows of `reading.pooled_metas`."""
    if shown.meta_sae_id is None or not rows:
        return '<p class="note">None: these latents have no components in this run.</p>'
    heaviest = max(row["weight"] for row in rows)
    cells = [
        (
            _meta(row, shown.meta_sae_id, shown.run),
            f"{number(row['weight'])}{bar_html(row['weight'], heaviest)}",
            number(row["usual"]),
            f"{number(row['ratio'], 1)} ×",  # noqa: RUF001
            f"{row['n_latents']:,}",
        )
        for row in rows[:MOST_ROWS]
    ]
    heads = (
        ("meta-latent", "meta-latent"),
        ("weight", "pooled weight"),
        ("usual", "usual weight"),
        ("times usual", None),
        ("latents", None),
    )
    return table_html(heads, cells) + _cut(len(rows), "meta-latents are behind them")


def _fired(latent: Record, activation: float, parts: Sequence[Record], shown: Shown) -> str:
    share = share_of_maximum(activation, latent)
    href = latent_link(shown.sae_id, latent["latent"], run=shown.run).href
    return (
        f'<li><div class="head">'
        f"{link(href, latent_name(latent['label'], latent['latent']), 'name')}"
        f'<span class="id">{safe(shown.sae_id)}/{latent["latent"]}</span></div>'
        f'<div class="figures"><span>{tip("activation")} <b>{number(activation)}</b></span>'
        f'<span class="share"><b>{percent(share)}</b> {tip("of its maximum", "share of maximum")}'
        f"{bar_html(share or 0.0, 1.0)}</span>"
        f"<span>{tip('density')} {_density(latent)}</span></div>"
        f"{_line(parts, shown)}</li>"
    )


def _line(parts: Sequence[Record], shown: Shown) -> str:
    """The components of one latent in a line, as on search hits but each a link."""
    if shown.meta_sae_id is None:
        return ""
    if not parts:
        return '<div class="oneline none">no component</div>'
    terms = " <i>+</i> ".join(
        f"<b>{number(part['activation'])}</b> {_meta(part, shown.meta_sae_id, shown.run)}"
        for part in parts[:MOST_PARTS]
    )
    return f'<div class="oneline"><i>=</i> {terms} <i>+ …</i></div>'


def _latent(row: Record, shown: Shown) -> str:
    href = latent_link(shown.sae_id, row["latent"], run=shown.run).href
    return link(href, shortened(latent_name(row["label"], row["latent"]), LABEL_LENGTH))


def _meta(row: Record, meta_sae_id: str, run: str) -> str:
    name = latent_name(row["label"], row["meta_latent"], "meta")
    href = meta_link(meta_sae_id, row["meta_latent"], run).href
    return link(href, shortened(name, LABEL_LENGTH))


def _density(latent: Record) -> str:
    seen = latent["tokens_seen"]
    return percent(latent["count"] / seen if seen else None)


def _cut(found: int, what: str) -> str:
    if found <= MOST_ROWS:
        return ""
    return f'<p class="note">{found:,} {what}; the first {MOST_ROWS} are listed.</p>'
