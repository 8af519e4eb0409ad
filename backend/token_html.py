"""A context and a latent's activations on it as escaped HTML, shaded token by token.

One scale for the whole page: the shade is the square root of activation / maximum of the latent, so
that weak firings stay visible, and the legend says so. A piece of several tokens has the shade of
the strongest, and all activations in its tooltip. A mark is no bidi isolate: an Arabic or Hebrew
phrase keeps its order and its joined letters whichever of its tokens are shaded; the context as a
whole is one.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from backend.text_html import number, plain, safe
from backend.token_pieces import Piece, pieces

SNIPPET_TOKENS = 18  # shown on each side of the strongest token before "whole context"
LINE_TOKENS = 9  # fewer, because a line is cut where the screen ends
WORD_TOKENS = 4  # a word of more is cut; scripts without spaces are one long word
WIDTHS = ("line", "near", "whole")
SPOKEN_TOKENS = 6  # a screen reader hears the strongest; a dense latent fires on every token
_BLANKS = re.compile(r"[ \t\u00a0\u2002-\u200a\u202f\u3000]")
_BLANK_CLASSES = {" ": "sp", "\t": "tab"}
# letters of these scripts join, and a change of weight inside a word would part them
_JOINED_SCRIPTS = re.compile("[\u0600-\u08ff\u1800-\u18af\ufb50-\ufdff\ufe70-\ufefc]")


@dataclass(frozen=True)
class ContextView:
    """How contexts are shown, as the address says: one of `WIDTHS`, and whether blanks show."""

    width: str = "near"
    marks: bool = False


def shade(activation: float, maximum: float) -> float:
    """Strength of the colour, 0 to 1: square root of the share of the latent's maximum."""
    if not (maximum > 0 and activation > 0):
        return 0.0
    return math.sqrt(min(activation / maximum, 1.0))


def context_html(
    text: str,
    starts: Sequence[int],
    ends: Sequence[int],
    positions: Sequence[int],
    activations: Sequence[float],
    peak: int,
    maximum: float,
    view: ContextView | None = None,
    says_maximum: bool = False,
) -> str:
    """The context around the strongest token; the whole of it unfolds when it is longer.

    Args:
        maximum: end of the colour scale.
        view: how much is shown and whether blanks are.
        says_maximum: `maximum` is the latent's own, so that a screen reader may be told it.
        Others as in `pieces`.
    """
    view = view or ContextView()
    cut = pieces(starts, ends, positions, activations, peak, text)
    drawn = _Drawn(text, cut, maximum, view.marks)
    spoken = _spoken(text, cut, maximum if says_maximum else None)
    css = "ctx marked" if view.marks else "ctx"
    whole = drawn.run(0, len(cut), 0, len(text))
    centre = next((i for i, piece in enumerate(cut) if piece.holds_peak), 0)
    around = LINE_TOKENS if view.width == "line" else SNIPPET_TOKENS
    first, last = _window(text, cut, centre, around)
    is_cut = first > 0 or last < len(cut)
    if view.width == "whole" or not (is_cut or view.width == "line") or not cut:
        return f'{spoken}<div class="{css}" dir="auto">{whole}</div>'
    start = cut[first].start if first else 0
    end = cut[last - 1].end if last < len(cut) else len(text)
    before, after = "… " if first else "", " …" if last < len(cut) else ""
    if view.width == "line" and _mixes_directions(text[start:end]):
        snippet = f"<span>{before}{drawn.run(first, last, start, end)}{after}</span>"
        css += " line-mixed"
    elif view.width == "line":
        peaked = cut[centre]
        snippet = (
            f"<span><span>{before}{drawn.run(first, centre, start, peaked.start)}</span></span>"
            f"<span>{drawn.run(centre, centre + 1, peaked.start, peaked.end)}</span>"
            f"<span>{drawn.run(centre + 1, last, peaked.end, end)}{after}</span>"
        )
        css += " line"
    else:
        snippet = f"{before}{drawn.run(first, last, start, end)}{after}"
    return (
        f'{spoken}<details class="{css}"><summary><span class="snip" dir="auto">{snippet}</span>'
        f'<span class="more">whole context</span></summary><div dir="auto">{whole}</div></details>'
    )


def _window(text: str, cut: Sequence[Piece], centre: int, around: int) -> tuple[int, int]:
    """First and last (exclusive) piece to show; a word is not cut in two if that costs little."""
    first, last = max(0, centre - around), min(len(cut), centre + around + 1)

    def parts_a_word(at: int) -> bool:
        joint = cut[at].start
        return cut[at - 1].end == joint and text[joint - 1 : joint + 1].isalnum()

    for _ in range(WORD_TOKENS):
        first -= first > 0 and parts_a_word(first)
        last += last < len(cut) and parts_a_word(last)
    return first, last


def _mixes_directions(text: str) -> bool:
    """Whether letters of both directions stand here: columns would put them in disorder."""
    if text.isascii():
        return False
    directions = {unicodedata.bidirectional(character) for character in text}
    return "L" in directions and bool(directions & {"R", "AL"})


def legend_html(maximum: float) -> str:
    """The colour scale: five shades with the activation that each stands for."""
    steps = "".join(
        f'<span class="tok" style="--a:{shade(maximum * part, maximum):.3f}">'
        f"{number(maximum * part)}</span>"
        for part in (0.02, 0.1, 0.25, 0.5, 1.0)
    )
    return (
        f'<div class="legend">activation {steps} '
        f"<span>maximum {number(maximum)}; shade = square root of activation ÷ this maximum; "
        "the strongest token of each context is underlined</span></div>"
    )


class _Drawn:
    """The pieces of one context, each drawn once however often it is shown."""

    def __init__(self, text: str, cut: Sequence[Piece], maximum: float, marks: bool) -> None:
        self._text, self._cut, self._marks = text, cut, marks
        write = _with_blanks if marks else safe
        self._write = write
        self._html = {
            i: _mark(text[piece.start : piece.end], piece, maximum, marks)
            if piece.activations or piece.holds_peak
            else f'<span class="cut">{write(text[piece.start : piece.end])}</span>'
            for i, piece in enumerate(cut)
            if marks or piece.activations or piece.holds_peak
        }  # without marks plain text between shaded tokens is escaped in one go

    def run(self, first: int, last: int, start: int, end: int) -> str:
        """Pieces `first` to `last` with the text around them from `start` to `end`."""
        parts: list[str] = []
        at = start
        for i, html in self._html.items():
            if first <= i < last:
                piece = self._cut[i]
                parts += self._write(self._text[at : piece.start]), html
                at = piece.end
        parts.append(self._write(self._text[at:end]))
        return "".join(parts)


def _mark(words: str, piece: Piece, maximum: float, marks: bool) -> str:
    values = ", ".join(number(value, 3) for value in piece.activations) or "0"
    css = "tok peak" if piece.holds_peak else "tok"
    if _JOINED_SCRIPTS.search(words):
        css += " joined"
    # without a sign a token of spaces only would have no visible shade
    shown = _with_blanks(words) if marks else safe(words) if plain(words).strip() else "␣"
    return (
        f'<mark class="{css}" style="--a:{shade(piece.strongest, maximum):.3f}" '
        f'title="activation {values}">{shown}</mark>'
    )


def _with_blanks(words: str) -> str:
    """Escaped text whose blanks are elements; the style sheet draws a sign over each of them."""
    parts, at = [], 0
    for blank in _BLANKS.finditer(words):
        css = _BLANK_CLASSES.get(blank[0], "other")
        parts += safe(words[at : blank.start()]), f'<span class="ws {css}"> </span>'
        at = blank.end()
    return "".join(parts) + safe(words[at:])


def _spoken(text: str, cut: Sequence[Piece], maximum: float | None) -> str:
    """One sentence for screen readers: where it fires and how strongly; the text follows once."""
    fired = sorted((p for p in cut if p.activations), key=lambda p: -p.strongest)
    if not fired:
        return ""
    told = ", ".join(
        f"“{safe(text[p.start : p.end].strip()) or 'space'}” {number(p.strongest)}"
        for p in fired[:SPOKEN_TOKENS]
    )
    if len(fired) > SPOKEN_TOKENS:
        told += f" and {len(fired) - SPOKEN_TOKENS} more"
    most = "" if maximum is None else f" of at most {number(maximum)}"
    return f'<p class="sr">Fires on {told}{most}:</p>'
