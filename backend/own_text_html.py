"""A reader's own text: the box it is typed in, its tokens as links, and what to say of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from backend.links import TEXT_PATH, Link
from backend.reading import LONGEST_TEXT, Reading, Token
from backend.text_html import link, notice, percent, plain, safe
from backend.torch_python import ENABLE, VARIABLE

Here = Callable[..., Link]  # the page with some parameters changed


def form_html(run: str, sae_id: str, text: str) -> str:
    """The box for the text, as a plain form."""
    # faithful, not `safe`: what stands in the box is sent again; its first line break is eaten
    return (
        f'<form class="yourtext" action="{TEXT_PATH}">'
        f'<input type="hidden" name="run" value="{safe(run)}">'
        f'<input type="hidden" name="sae" value="{safe(sae_id)}">'
        f'<textarea name="t" rows="4" maxlength="{LONGEST_TEXT}" dir="auto" '
        'aria-label="Your text" placeholder="a sentence, or a paragraph">'
        f"\n{escape(text)}</textarea>"
        '<button type="submit">Read it</button></form>'
    )


def words_html(
    text: str, reading: Reading, shares: Sequence[float], here: Here, chosen: int | None
) -> str:
    """The text with a link on every token; tokens that share a character are one link.

    Args:
        shares: for each token the share of a latent's maximum that its shade stands for.
        chosen: position of the token that is shown below.
    """
    parts, at = [], 0
    # the text is in every address, so it is encoded once
    href = escape(f"{here(token='').href}&token=", quote=True)
    for start, end, positions in _pieces(reading.tokens):
        words = text[start:end]
        lead = len(words) - len(words.lstrip())  # a token may begin with its space
        if lead == len(words):
            lead = 0
        parts.append(_lines(text[at : start + lead]))
        token = max(positions, key=lambda position: shares[position])
        css = "tok word chosen" if chosen in positions else "tok word"
        current = ' aria-current="true"' if chosen in positions else ""
        told = f"{_latents(len(reading.tokens[token].latents))}, {percent(shares[token])}"
        shown = safe(words[lead:]) if plain(words).strip() else "␣"
        parts.append(
            f'<a class="{css}" href="{href}{token + 1}"{current} title="{told}" '
            f'style="--a:{shade(shares[token]):.3f}">{shown}</a>'
        )
        at = end
    rest = f'<span class="unread">{_lines(text[at:])}</span>' if text[at:].strip() else ""
    return f'<div class="typed" dir="auto">{"".join(parts)}{rest}</div>'


def shade(share: float) -> float:
    """Strength of the colour: the square, or tokens of a trained SAE would all look alike."""
    return min(max(share, 0.0), 1.0) ** 2


def legend_html(of_what: str) -> str:
    """The colour scale in words and swatches; `of_what` is HTML."""
    steps = "".join(
        f'<span class="tok" style="--a:{shade(part):.3f}">{percent(part)}</span>'
        for part in (0.25, 0.5, 0.75, 1.0)
    )
    return f'<div class="legend">{steps} <span>shade: {of_what}</span></div>'


def token_head_html(text: str, reading: Reading, chosen: int, here: Here) -> str:
    """The token that is shown, and the ones before and after it."""
    token, last = reading.tokens[chosen], len(reading.tokens) - 1
    words = text[token.start : token.end]
    steps = ""
    if chosen > 0:
        steps += link(here(token=str(chosen)).href, "‹ before")  # noqa: RUF001
    if chosen < last:
        steps += link(here(token=str(chosen + 2)).href, "after ›")  # noqa: RUF001
    return (
        f"<h2>On <bdi>“{safe(words.strip() or '␣')}”</bdi></h2>"
        f'<div class="pills"><span>token {chosen + 1} of {last + 1}, '
        f"{_latents(len(token.latents))}</span>{steps}</div>"
    )


def limits_html(reading: Reading, is_cut: bool) -> str:
    """What was not read: characters beyond ours, tokens beyond the model's limit."""
    told = notice(f"Only the first {LONGEST_TEXT:,} characters were taken.") if is_cut else ""
    if len(reading.tokens) < reading.n_tokens:
        told += notice(
            f"Only the first {len(reading.tokens):,} of {reading.n_tokens:,} tokens were read: "
            "longer contexts were never shown to these SAEs. The rest is grey."
        )
    return told


def enable_html() -> str:
    """How the host of the app makes it read text."""
    return (
        "<h2>How to enable it</h2><p>The app itself needs no torch; the language model runs in a "
        "process of its own, with another Python. In the folder of this repository:</p>"
        f'<pre class="command"><code>{"<br>".join(ENABLE)}</code></pre>'
        "<p>Or name a Python that has these packages in the environment variable "
        f"<code>{VARIABLE}</code>, and start the app again.</p>"
    )


def _latents(count: int) -> str:
    return f"{count} latent{'' if count == 1 else 's'}"


def _pieces(tokens: Sequence[Token]) -> list[tuple[int, int, list[int]]]:
    """(start, end, positions of the tokens) of what is drawn as one: spans that overlap."""
    pieces: list[tuple[int, int, list[int]]] = []
    for position, token in enumerate(tokens):
        if pieces and (token.start < pieces[-1][1] or token.end == token.start):
            start, end, positions = pieces.pop()
            pieces.append((start, max(end, token.end), [*positions, position]))
        else:
            pieces.append((token.start, token.end, [position]))
    return pieces


def _lines(text: str) -> str:
    return "<br>".join(map(safe, text.split("\n")))
