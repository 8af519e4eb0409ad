"""Bars with intervals, an open circle for what they are compared with, and one axis below them.

HTML, not Plotly: names of any length fit a phone, every figure is text that a screen reader reads,
and a dozen of them cost the page nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.records import Record
from backend.text_html import is_known, number, safe

CIRCLE = "○"
KEY_ORDER = ("own", "other", "null")
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0)
_MOST_STEPS = 6
_THINNEST = 0.3  # per cent of the axis: a narrow interval is still drawn as a line that can be seen


@dataclass(frozen=True)
class Bar:
    """One figure.

    Attributes:
        name: HTML.
        row: value, ci_low, ci_high and n, as in `measurements`.
        kind: `own`, `other` or `null`; the colour.
        beside: what the open circle marks.
        note: HTML in small letters below the name.
    """

    name: str
    row: Record
    kind: str = "own"
    beside: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Scale:
    """The axis from `low` to `high`; bars start at `origin`."""

    low: float
    high: float
    origin: float
    step: float

    def place(self, value: float) -> float:
        """Where a value stands, as a percentage of the axis; 0 for one that is not a number."""
        if not math.isfinite(value):
            return 0.0
        share = (value - self.low) / (self.high - self.low)
        return 100 * min(max(share, 0.0), 1.0)

    @property
    def ticks(self) -> list[float]:
        n_steps = round((self.high - self.low) / self.step)
        return [self.low + i * self.step for i in range(n_steps + 1)]


UNIT = Scale(0.0, 1.0, 0.0, 0.25)


def scale_of(bars: Iterable[Bar], origin: float = 0.0) -> Scale:
    """The shortest axis with round ends that shows the origin and every figure, below 0 too."""
    values = [origin]
    for bar in bars:
        drawn = (bar.row["value"], bar.row["ci_low"], bar.row["ci_high"], bar.beside)
        values += [v for v in drawn if v is not None and math.isfinite(v)]
    low, high = min(values), max(values)
    for step in _STEPS:
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= _MOST_STEPS:
            last = max(last, first + 1)
            return Scale(first * step, last * step, origin, step)
    return Scale(low, high, origin, high - low)


def plot_html(bars: Sequence[Bar], scale: Scale, axis: str, keys: dict[str, str]) -> str:
    """Bars, their axis and their legend; see `bars_html`, `axis_html` and `key_html`."""
    css = "measured beside" if any(bar.beside is not None for bar in bars) else "measured"
    return bars_html(bars, scale, css) + axis_html(scale, axis, css) + key_html(keys)


def bars_html(bars: Sequence[Bar], scale: Scale, css: str = "measured") -> str:
    """The bars alone; `beside` in `css` makes room for the figures of the circles."""
    return f'<div class="{css}"><ul>{"".join(_bar(bar, scale) for bar in bars)}</ul></div>'


def axis_html(scale: Scale, axis: str, css: str = "measured") -> str:
    """Ticks, and what the axis measures (HTML)."""
    ticks = "".join(
        f'<span style="left:{scale.place(tick):.2f}%">{_tick(tick)}</span>' for tick in scale.ticks
    )
    return f'<div class="{css}"><div class="axis"><div>{ticks}</div><span>{axis}</span></div></div>'


def whole(name: str) -> str:
    """A name of a run that is not broken at its hyphens, such as an SAE's id."""
    return f'<span class="whole">{safe(name)}</span>'


def key_html(keys: dict[str, str]) -> str:
    """The legend: what a colour (`own`, `other`, `null`) or the circle (`CIRCLE`) means."""
    shown = [(kind, keys[kind]) for kind in (*KEY_ORDER, CIRCLE) if kind in keys]
    items = "".join(
        f'<span><i class="{"circle" if kind == CIRCLE else f"swatch {kind}"}"></i>'
        f"{safe(words)}</span>"
        for kind, words in shown
    )
    return f'<p class="key">{items}</p>' if items else ""


def _bar(bar: Bar, scale: Scale) -> str:
    value, low, high, n = (bar.row[key] for key in ("value", "ci_low", "ci_high", "n"))
    css = "bar" if bar.kind == "own" else f"bar {bar.kind}"
    if value < scale.origin:
        css += " negative"
    left, right = sorted((scale.place(scale.origin), scale.place(value)))
    start = f"margin-left:{left:.1f}%;" if left > 0 else ""
    drawn = f'<span style="{start}width:{right - left:.1f}%"></span>'
    told = number(value, 3)
    if is_known(low) and is_known(high):
        width = max(scale.place(high) - scale.place(low), _THINNEST)
        drawn += f'<i style="left:{scale.place(low):.1f}%;width:{width:.1f}%"></i>'
        told += f" [{number(low)}, {number(high)}]"
    told += f", n = {n:,}"
    if scale.low < scale.origin:
        drawn += f'<u style="left:{scale.place(scale.origin):.1f}%"></u>'
    circle = ""
    if bar.beside is not None and math.isfinite(bar.beside):
        drawn += f'<em class="circle" style="left:{scale.place(bar.beside):.1f}%"></em>'
        circle = f'<small><em class="circle"></em>{number(bar.beside)}</small>'
    note = f"<small>{bar.note}</small>" if bar.note else ""
    return (
        f'<li><span class="what">{bar.name}{note}</span>'
        f'<span class="{css}" title="{told}">{drawn}</span>'
        f'<span class="value"><b>{number(value)}</b>{circle}<small>n = {n:,}</small></span></li>'
    )


def _tick(value: float) -> str:
    return number(value).rstrip("0").rstrip(".") or "0" if value else "0"
