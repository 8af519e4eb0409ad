"""A decomposition as a figure for a paper: one SVG file, light background, nothing outside it.

The equation stands on top, a bar for each component, for bias and for residual below, on one
labelled axis of shares; weight, cosine and stability are printed beside each bar. No script, no
style sheet, only the generic fonts, so that every viewer draws the same.
"""

from __future__ import annotations

import math
import re
from html import escape
from itertools import pairwise
from unicodedata import east_asian_width

from backend.citation import LABEL_LENGTH, Quoted, part_name
from backend.links import SVG_NAMESPACE
from backend.manifest import HASH_PREFIX_LENGTH
from backend.text_html import MISSING, number, plain, shortened

WIDTH = 760  # px; two columns of a paper, or a slide
MARGIN = 24
NAMES_WIDTH = 210
BARS_LEFT, BARS_RIGHT = MARGIN + NAMES_WIDTH, 520
FIGURE_COLUMNS = (("weight", "activation", 590), ("cosine", "cosine", 660),
                  ("stability", "stability", WIDTH - MARGIN))  # fmt: skip
ROW_HEIGHT, BAR_HEIGHT = 26, 13
EQUATION_SIZE, EQUATION_LINE = 20, 29
STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0)
MOST_TICKS = 6
INK, MUTED, LINE, BAR, QUIET = "#221f1b", "#69625a", "#d8d2c5", "#cf6b2c", "#b9b3a7"

_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def decomposition_svg(quoted: Quoted) -> str:
    """The figure as text of an .svg file."""
    lines = _equation_lines(quoted)
    top = MARGIN + EQUATION_LINE * len(lines)
    facts = quoted.facts
    n = len(quoted.components)
    told = (
        f"{quoted.latent_id} decomposed by {quoted.meta_sae_id}: n = {n} "
        f"component{'' if n == 1 else 's'}, variance explained "
        f"{number(facts['decomposition_variance_explained'])}, "
        f"cosine with the sum {number(facts['decomposition_cosine'])}"
    )
    pieces = [
        *(
            _text(MARGIN, MARGIN + EQUATION_SIZE + EQUATION_LINE * i, line, EQUATION_SIZE, "serif")
            for i, line in enumerate(lines)
        ),
        _text(MARGIN, top + 18, told, 12, colour=MUTED),
    ]
    bars_top = top + 58
    rows = _rows(quoted)
    pieces += _bars(rows, bars_top)
    bottom = bars_top + ROW_HEIGHT * len(rows) + 62
    source = (
        f"Run {quoted.run}, content hash {quoted.content_hash[:HASH_PREFIX_LENGTH]}; "
        f"{quoted.model_id}, {quoted.hook_name}"
    )
    pieces.append(_text(MARGIN, bottom, _fitting(source, WIDTH - 2 * MARGIN, 11), 11, colour=MUTED))
    height = bottom + MARGIN
    return (
        f'<svg xmlns="{SVG_NAMESPACE}" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{_safe(quoted.name)}: its decomposition</title><desc>{_safe(told)}</desc>"
        '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><rect width="2" height="5" fill="{QUIET}"/></pattern>'
        "</defs>"
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>{"".join(pieces)}</svg>\n'
    )


def ticks(low: float, high: float) -> list[float]:
    """Round values of an axis from `low` to `high`, 0 among them, at most `MOST_TICKS`."""
    step = next((s for s in STEPS if (high - low) / s <= MOST_TICKS - 1), STEPS[-1])
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(place * step, 10) for place in range(first, last + 1)]


def _rows(quoted: Quoted) -> list[tuple[str, float | None, str, tuple[str, ...]]]:
    """(name, share, fill, figures) of every component, of the bias and of the residual."""
    rows = [
        (
            part_name(row),
            row["share"],
            BAR,
            tuple(number(row[name]) for _, name, _ in FIGURE_COLUMNS),
        )
        for row in quoted.components
    ]
    facts = quoted.facts
    rows.append(("bias", facts["bias_share"], QUIET, ()))
    rows.append(("residual", facts["residual_share"], "url(#hatch)", ()))
    return rows


def _bars(rows: list[tuple[str, float | None, str, tuple[str, ...]]], top: int) -> list[str]:
    shares = [share for _, share, _, _ in rows if share is not None and math.isfinite(share)]
    marks = ticks(min([0.0, *shares]), max([0.1, *shares]))
    scale = (BARS_RIGHT - BARS_LEFT) / (marks[-1] - marks[0])

    def x(share: float) -> float:
        return BARS_LEFT + (share - marks[0]) * scale

    pieces = [
        _text(at, top - 12, words, 11, colour=MUTED, anchor="end")
        for words, _, at in FIGURE_COLUMNS
    ]
    axis = top + ROW_HEIGHT * len(rows) + 4
    for mark in marks:
        shade = MUTED if mark == 0 else LINE
        pieces.append(
            f'<line x1="{x(mark):.1f}" y1="{top - 6}" x2="{x(mark):.1f}" y2="{axis}" '
            f'stroke="{shade}" stroke-width="1"/>'
        )
        words = f"{mark:g}".replace("-", "\u2212")
        pieces.append(_text(x(mark), axis + 14, words, 11, colour=MUTED, anchor="middle"))
    middle = (BARS_LEFT + BARS_RIGHT) / 2
    pieces.append(
        _text(middle, axis + 31, "share of the decoder row", 11, colour=MUTED, anchor="middle")
    )
    for place, (name, share, fill, figures) in enumerate(rows):
        y = top + ROW_HEIGHT * place
        base = y + BAR_HEIGHT
        pieces.append(_text(MARGIN, base - 1, _fitting(name, NAMES_WIDTH - 12, 13), 13, whole=name))
        if share is not None and math.isfinite(share):
            left, right = sorted((x(0), x(share)))
            pieces.append(
                f'<rect x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{BAR_HEIGHT}" '
                f'fill="{fill}"/>'
            )
        shown = MISSING if share is None else number(share)
        right = max(x(0), x(share or 0))
        pieces.append(_text(right + 5, base - 2, shown, 11))
        pieces += [
            _text(at, base - 2, figure, 11, anchor="end")
            for figure, (_, _, at) in zip(figures, FIGURE_COLUMNS, strict=False)
        ]
    return pieces


def _equation_lines(quoted: Quoted) -> list[str]:
    """The equation, broken before a plus sign where a line would be too wide."""
    parts = [f"{weight} {shortened(name, LABEL_LENGTH)}" for weight, name in quoted.terms]
    pieces = [f"{shortened(quoted.name, LABEL_LENGTH)} ="]
    for i, part in enumerate([*parts, "bias", "residual"]):
        pieces.append(part if i == 0 else f"+ {part}")
    lines = [pieces[0]]
    for _, piece in pairwise(pieces):
        longer = f"{lines[-1]} {piece}"
        if _width(longer, EQUATION_SIZE) <= WIDTH - 2 * MARGIN:
            lines[-1] = longer
        else:
            lines.append(piece)
    return [_fitting(line, WIDTH - 2 * MARGIN, EQUATION_SIZE) for line in lines]


def _width(text: str, size: float) -> float:
    """About how wide text is, in px: there are no fonts here to measure it with."""
    return size * sum(1.0 if east_asian_width(c) in "WF" else 0.5 for c in text)


def _fitting(text: str, width: float, size: float) -> str:
    """`text`, cut with an ellipsis where it would be wider than `width`."""
    shown = plain(text)
    while len(shown) > 1 and _width(shown, size) > width:
        shown = shortened(shown, len(shown) - 1)
    return shown


def _text(
    x: float, y: float, words: str, size: int, family: str = "sans-serif", colour: str = INK,
    anchor: str = "start", whole: str = "",
) -> str:  # fmt: skip
    """One line of text; `whole` is shown on hover when the line was cut."""
    hover = f"<title>{_safe(whole)}</title>" if whole and whole != words else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-family="{family}" font-size="{size}" fill="{colour}" '
        f'text-anchor="{anchor}" unicode-bidi="isolate">{hover}{_safe(words)}</text>'
    )


def _safe(text: str) -> str:
    """`text` for XML: visible, escaped, without the few characters that XML forbids."""
    return escape(_NOT_XML.sub("\ufffd", plain(text)), quote=True)
