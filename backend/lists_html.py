"""Lists as HTML: latents as links, tokens with bars, facts, SAEs, measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from backend.latent import TokenLogit
from backend.links import Link
from backend.text_html import bar_width, link, number, percent, safe, tip


def facts_html(facts: Iterable[tuple[str, str, str | None]]) -> str:
    """Figures in a row: (figure, caption, glossary term of the caption or None)."""
    cells = "".join(
        f"<div><dd>{safe(figure)}</dd>"
        f"<dt>{tip(caption, term) if term else safe(caption)}</dt></div>"
        for figure, caption, term in facts
    )
    return f'<dl class="facts">{cells}</dl>'


def latents_html(rows: Iterable[tuple[Link, str, float]], caption: str, term: str) -> str:
    """Latents as links with one figure and its bar: (link, name, figure).

    Args:
        caption: head of the list, untrusted.
        term: glossary term of the figure.
    """
    items = "".join(
        f'<li>{link(to.href, name)}<span class="value">{number(figure)}</span>'
        f'<span class="bar"><span style="width:{bar_width(figure):.1f}%"></span></span></li>'
        for to, name, figure in rows
    )
    return (
        f'<div class="listing"><div class="caption"><span>{safe(caption)}</span>{tip(term)}</div>'
        f"<ul>{items}</ul></div>"
    )


def tokens_html(tokens: Sequence[TokenLogit], term: str) -> str:
    """Promoted or suppressed tokens with their logits, bars on the scale of the longest."""
    longest = max((abs(token.logit) for token in tokens), default=0.0) or 1.0
    items = "".join(
        f"<li><code>{safe(token.token) or '(empty)'}</code>"
        f'<span class="value">{number(token.logit)}</span>'
        f'<span class="bar{" negative" if token.logit < 0 else ""}">'
        f'<span style="width:{100 * abs(token.logit) / longest:.1f}%"></span></span></li>'
        for token in tokens
    )
    return (
        f'<div class="listing"><div class="caption"><span>{tip(term)}</span>{tip("logit")}</div>'
        f"<ul>{items or '<li>none</li>'}</ul></div>"
    )


def table_html(
    heads: Sequence[tuple[str, str | None]],
    rows: Iterable[Sequence[str]],
    words: Sequence[str] = (),
) -> str:
    """A table whose first column heads its rows; the other columns hold figures.

    Args:
        heads: (words, glossary term or None) of each column.
        rows: cells that are HTML already: made by `safe`, `link` or `number`.
        words: heads of the columns which hold words, and so start at their left.
    """
    css = ["" if i == 0 or head in words else ' class="n"' for i, (head, _) in enumerate(heads)]
    head = "".join(
        f'<th scope="col"{align}>{tip(words, term) if term else escape(words)}</th>'
        for (words, term), align in zip(heads, css, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(f"<td{align}>{cell}</td>" for cell, align in zip(rest, css[1:], strict=True))
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f'<div class="scroll"><table class="plain"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def density_words(count: int, tokens_seen: int, unit: str = "tokens") -> str:
    """How often a latent fires, in words; not HTML."""
    if not tokens_seen:
        return f"no {unit} seen"
    return f"{count:,} of {tokens_seen:,} {unit} ({percent(count / tokens_seen)})"


def bar_html(value: float, maximum: float) -> str:
    """A bar for one figure of a table."""
    share = bar_width(value / maximum) if maximum > 0 else 0.0
    return f'<span class="bar"><span style="width:{share:.1f}%"></span></span>'


def pill_html(words: str, chosen: bool, to: Link) -> str:
    """One choice of a row of choices: a link, or bold when it is the one in force."""
    return f"<b>{safe(words)}</b>" if chosen else link(to.href, words)


def pages_html(here: Callable[..., Link], page: int, n_pages: int, what: str) -> str:
    """Links to the page before and after; nothing when there is one page only.

    Args:
        here: this page's link with some parameters changed.
        what: what the pages hold, for a screen reader.
    """
    if n_pages <= 1:
        return ""
    before = link(here(page=str(page - 1)).href, "‹ Previous") if page > 1 else ""  # noqa: RUF001
    after = link(here(page=str(page + 1)).href, "Next ›") if page < n_pages else ""  # noqa: RUF001
    return (
        f'<nav class="pills" aria-label="Pages of {safe(what)}">{before} page {page:,} of '
        f"{n_pages:,} {after}</nav>"
    )
