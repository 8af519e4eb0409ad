"""A context and a latent's activations on it as escaped HTML, shaded token by token.

The text stays as it was written: tokens are character spans of it. Spans that overlap (two byte
pieces of one emoji) are drawn as one, with the strongest of their activations as the shade and all
of them in the tooltip. One scale for the whole page: the shade is the square root of
activation / maximum of the latent, so that weak firings stay visible, and the legend says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from backend.text_html import number, plain, safe

SNIPPET_TOKENS = 18  # shown on each side of the strongest token before "whole context"


@dataclass(frozen=True)
class Piece:
    """Characters `start` to `end` of the text and the activations of the tokens in them."""

    start: int
    end: int
    activations: tuple[float, ...]
    holds_peak: bool

    @property
    def strongest(self) -> float:
        return max(self.activations, default=0.0)


def shade(activation: float, maximum: float) -> float:
    """Strength of the colour, 0 to 1: square root of the share of the latent's maximum."""
    if not (maximum > 0 and activation > 0):
        return 0.0
    return math.sqrt(min(activation / maximum, 1.0))


def pieces(
    starts: Sequence[int],
    ends: Sequence[int],
    positions: Sequence[int],
    activations: Sequence[float],
    peak: int,
) -> list[Piece]:
    """Tokens of a context in reading order, those whose spans overlap merged into one piece.

    Args:
        starts: character offset where each token starts.
        ends: character offset where it ends.
        positions: tokens on which the latent fires.
        activations: activation at each of `positions`.
        peak: token where it fires most strongly.
    """
    fired = {int(p): float(a) for p, a in zip(positions, activations, strict=True)}
    merged: list[Piece] = []
    for token, (start, end) in enumerate(zip(starts, ends, strict=True)):
        here = (fired[token],) if token in fired else ()
        if merged and start < merged[-1].end:
            last = merged.pop()
            merged.append(
                Piece(
                    last.start,
                    max(last.end, int(end)),
                    last.activations + here,
                    last.holds_peak or token == peak,
                )
            )
        elif end > start or here:
            merged.append(Piece(int(start), int(end), here, token == peak))
    return merged


def context_html(
    text: str,
    starts: Sequence[int],
    ends: Sequence[int],
    positions: Sequence[int],
    activations: Sequence[float],
    peak: int,
    maximum: float,
) -> str:
    """The context around the strongest token; the whole of it unfolds when it is longer.

    Args:
        maximum: largest activation of the latent anywhere, the end of the colour scale.
        Others as in `pieces`.
    """
    cut = pieces(starts, ends, positions, activations, peak)
    whole = _run_of(text, cut, 0, len(text), maximum)
    centre = next((i for i, piece in enumerate(cut) if piece.holds_peak), 0)
    first, last = max(0, centre - SNIPPET_TOKENS), min(len(cut), centre + SNIPPET_TOKENS + 1)
    if first == 0 and last == len(cut):
        return f'<div class="ctx">{whole}</div>'
    start = cut[first].start if first else 0
    end = cut[last - 1].end if last < len(cut) else len(text)
    snippet = _run_of(text, cut[first:last], start, end, maximum)
    before, after = "… " if first else "", " …" if last < len(cut) else ""
    return (
        f'<details class="ctx"><summary><span class="snip">{before}{snippet}{after}</span>'
        f'<span class="more">whole context</span></summary><div>{whole}</div></details>'
    )


def legend_html(maximum: float) -> str:
    """The colour scale: five shades with the activation that each stands for."""
    steps = "".join(
        f'<span class="tok" style="--a:{shade(maximum * part, maximum):.3f}">'
        f"{number(maximum * part)}</span>"
        for part in (0.02, 0.1, 0.25, 0.5, 1.0)
    )
    return (
        f'<div class="legend">activation {steps} '
        "<span>shade = square root of activation ÷ this latent’s maximum; "  # noqa: RUF001
        "the strongest token of each context is underlined</span></div>"
    )


def _run_of(text: str, cut: Sequence[Piece], start: int, end: int, maximum: float) -> str:
    parts: list[str] = []
    at = start
    for piece in cut:
        if not (piece.activations or piece.holds_peak):
            continue  # plain text between marks is escaped in one go
        parts.append(safe(text[at : piece.start]))
        parts.append(_mark(text[piece.start : piece.end], piece, maximum))
        at = piece.end
    parts.append(safe(text[at:end]))
    return "".join(parts)


def _mark(words: str, piece: Piece, maximum: float) -> str:
    values = ", ".join(number(value, 3) for value in piece.activations) or "0"
    css = "tok peak" if piece.holds_peak else "tok"
    # a token of spaces only would have no visible shade
    shown = safe(words) if plain(words).strip() else "␣"
    return (
        f'<mark class="{css}" style="--a:{shade(piece.strongest, maximum):.3f}" '
        f'title="activation {values}">{shown}<span class="sr"> [{values}]</span></mark>'
    )
