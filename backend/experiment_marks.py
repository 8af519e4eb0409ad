"""What the figures of experiments share: intervals, n in words, names on an axis, ticks."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

from backend.records import Record
from backend.text_html import is_known, number, plain, safe, shortened
from backend.trust_figures import bounds

LONGEST_NAME, LONGEST_LINE = 54, 20  # characters; more would leave a phone no room for the bars
MOST_DIGITS = 6
CLOSEST_TICKS = 1.45  # ratio of two values whose labels fit beside each other on a phone


def whiskers(rows: Sequence[Record], colour: str | None = None) -> dict[str, Any] | None:
    """95 % intervals as Plotly's error bars; None when no row has one."""
    if not any(has_interval(row) for row in rows):
        return None
    ends = [(row["value"], *bounds(row)) for row in rows]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(high - value, 0.0) for value, _, high in ends],
        "arrayminus": [max(value - low, 0.0) for value, low, _ in ends],
        "thickness": 1.6,
        "width": 5,
        **({"color": colour} if colour else {}),
    }


def wrapped(name: str) -> str:
    """An untrusted name on as many short lines as it needs, as Plotly's kind of HTML."""
    words = textwrap.wrap(shortened(plain(name), LONGEST_NAME), LONGEST_LINE) or ["(empty)"]
    return "<br>".join(safe(line) for line in words)


def has_interval(row: Record) -> bool:
    """Whether both ends of its interval are known; rows of `concerned` have none."""
    return is_known(row.get("ci_low")) and is_known(row.get("ci_high"))


def told(row: Record) -> str:
    """A figure with its interval and n, for a box that opens over it."""
    ends = (
        f" [{number(row['ci_low'], 3)}, {number(row['ci_high'], 3)}]" if has_interval(row) else ""
    )
    return f"{number(row['value'], 3)}{ends}, n = {row['n']:,}"


def span_of_n(rows: Sequence[Record], counted: str = "") -> str:
    """The smallest and largest n in words: n = 12 to 40 tokens."""
    counts = sorted({row["n"] for row in rows}) or [0]
    span = f"n = {counts[0]:,}" + (f" to {counts[-1]:,}" if len(counts) > 1 else "")
    return f"{span} {counted}" if counted else span


def ticks(values: Sequence[float]) -> dict[str, Any]:
    """Ticks of a log axis whose labels do not touch: whole values themselves, else powers of 2."""
    found = sorted(set(values))
    if not all(float(value).is_integer() for value in found):
        powers = range(math.floor(math.log2(found[0])), math.ceil(math.log2(found[-1])) + 1)
        found = [2.0**power for power in powers]
    kept: list[float] = []
    for value in found:
        if not kept or value >= CLOSEST_TICKS * kept[-1]:
            kept.append(value)
    return {"tickvals": kept, "ticktext": [f"{value:,.7g}" for value in kept]}


def digits_for(row: Record, least: int = 2) -> int:
    """Decimals that show two significant digits of a figure, so that a small one does not read 0.

    Where half its interval is larger, two digits of that: what is smaller was not measured. At
    least `least`, at most `MOST_DIGITS`.
    """
    size = abs(row["value"])
    if has_interval(row):
        size = max(size, (row["ci_high"] - row["ci_low"]) / 2)
    if not 0 < size < math.inf:
        return least
    return max(least, min(MOST_DIGITS, 1 - math.floor(math.log10(size))))


def unique(names: Sequence[str]) -> list[str]:
    """Names made different from one another: Plotly would pile bars of one name up."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found
