"""The tokens of a context as pieces of its text that a page can draw.

The text stays as it was written: tokens are character spans of it. Spans that overlap (two byte
pieces of one emoji) or that would split what a reader sees as one character become one piece.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass


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


def pieces(
    starts: Sequence[int],
    ends: Sequence[int],
    positions: Sequence[int],
    activations: Sequence[float],
    peak: int,
    text: str = "",
) -> list[Piece]:
    """Tokens of a context in reading order, those whose spans overlap merged into one piece.

    Args:
        starts: character offset where each token starts.
        ends: character offset where it ends.
        positions: tokens on which the latent fires.
        activations: activation at each of `positions`.
        peak: token where it fires most strongly.
        text: where given, tokens that share one visible character are merged too.
    """
    fired = {int(p): float(a) for p, a in zip(positions, activations, strict=True)}
    splits = not text.isascii()
    merged: list[Piece] = []
    for token, (start, end) in enumerate(zip(starts, ends, strict=True)):
        here = (fired[token],) if token in fired else ()
        last = merged[-1] if merged else None
        if last and (start < last.end or (splits and start == last.end and _splits(text, start))):
            merged[-1] = Piece(
                last.start,
                max(last.end, int(end)),
                last.activations + here,
                last.holds_peak or token == peak,
            )
        elif end > start or here:
            merged.append(Piece(int(start), int(end), here, token == peak))
    return merged


def _splits(text: str, at: int) -> bool:
    """Whether a cut here would part an accent, an emoji or a flag from what it belongs to."""
    if not 0 < at < len(text) or text[at].isascii():
        return False
    before, after = text[at - 1], text[at]
    if _is_flag_half(after):
        halves = re.search("[\U0001f1e6-\U0001f1ff]*$", text[:at])
        return halves is not None and len(halves[0]) % 2 == 1
    return (
        before == "\u200d"
        or after == "\u200d"
        or unicodedata.category(after) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
    )


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
