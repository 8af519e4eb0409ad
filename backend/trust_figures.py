"""What the rows of `measurements` say: settings read, comparisons made, winners found; no HTML.

A setting ends or begins with the rows that were measured, `held-out` or `in-sample`. Held-out
figures are shown where there are any, for on rows it was trained on a meta-SAE also fits noise.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from backend.records import Record
from backend.text_html import is_known

VARIANCE = "variance_explained"
HELD_OUT, IN_SAMPLE = "held-out", "in-sample"
SPLIT_WORDS = {HELD_OUT: "held out", IN_SAMPLE: "in sample"}

DECODER_ROWS = "decoder rows"
COVARIANCE = "covariance-matched Gaussian rows"
ISOTROPIC = "isotropic Gaussian rows"
NULLS = (COVARIANCE, "shuffled coordinates", ISOTROPIC)
WORD_DIRECTIONS = "word directions"
RANDOM_MODEL, SAME_BUDGET = ", random model", ", same budget"

META_SAE = "meta-SAE"
SAE_PURSUIT = "pursuit on sae-"

_SWEEP = re.compile(r"([\d,]+) meta-latents")
_NUMBER = re.compile(r"\d+")


def by_subject(rows: Iterable[Record], setting: str, metric: str = VARIANCE) -> dict[str, Record]:
    """The rows of one setting and metric by subject."""
    return {row["subject"]: row for row in rows
            if row["setting"] == setting and row["metric"] == metric}  # fmt: skip


def best_split(rows: Iterable[Record]) -> str:
    """The split to show: held-out where any setting names it."""
    return HELD_OUT if any(HELD_OUT in row["setting"] for row in rows) else IN_SAMPLE


def is_control(name: str) -> bool:
    """Whether a subject or method is there to be beaten: it is random, or was shuffled."""
    return name in NULLS or any(word in name for word in ("random", "shuffled", "null"))


def method_kind(method: str) -> str:
    """`own` for the meta-SAE and pursuit on it, `null` for random directions, else `other`."""
    if is_control(method):
        return "null"
    return "own" if META_SAE in method else "other"


def first_number(text: str) -> int:
    """The first whole number in a text, such as the size in an SAE's id; 0 without one."""
    found = _NUMBER.search(text)
    return int(found[0]) if found else 0


def bounds(row: Record) -> tuple[float, float]:
    """The ends of its interval; twice the value where none is known."""
    low, high = row["ci_low"], row["ci_high"]
    return (low, high) if is_known(low) and is_known(high) else (row["value"], row["value"])


def verdict(one: Record, other: Record) -> str:
    """Whether `one` is higher than `other`: Yes, No, or Not clearly when the intervals overlap."""
    (low, high), (other_low, other_high) = bounds(one), bounds(other)
    if low > other_high:
        return "Yes"
    return "No" if high < other_low else "Not clearly"


def highest(rows: Iterable[Record]) -> Record | None:
    """The row of the highest value."""
    return max((row for row in rows if is_known(row["value"])), key=_value, default=None)


def hardest_null(subjects: dict[str, Record]) -> Record | None:
    """Of the null rows, those of which the meta-SAE explains most."""
    return highest(subjects[name] for name in NULLS if name in subjects)


def simpler_methods(subjects: dict[str, Record]) -> list[Record]:
    """Methods that need no meta-SAE and are not random, best first."""
    rows = [row for name, row in subjects.items() if method_kind(name) == "other"]
    return sorted(rows, key=_value, reverse=True)


def sweep_points(rows: Iterable[Record], split: str) -> dict[str, list[Record]]:
    """The rows of `width_sweep` by subject, each with `n_meta`, from small to large."""
    found: dict[str, list[Record]] = {}
    for row in rows:
        size = _SWEEP.match(row["setting"])
        if size and split in row["setting"] and row["metric"] == VARIANCE:
            n_meta = int(size[1].replace(",", ""))
            found.setdefault(row["subject"], []).append({**row, "n_meta": n_meta})
    order = [name for name in (DECODER_ROWS, *NULLS) if name in found]
    order += [name for name in found if name not in order]
    return {name: sorted(found[name], key=lambda row: row["n_meta"]) for name in order}


def sae_points(rows: Sequence[Record], split: str) -> list[Record]:
    """Pursuit on each smaller SAE, each with `n_meta`, the size of its dictionary."""
    sizes = by_subject(rows, split, "directions")
    points = [
        {**row, "n_meta": int(sizes[name]["value"])}
        for name, row in by_subject(rows, split).items()
        if name.startswith(SAE_PURSUIT) and name in sizes and sizes[name]["value"] >= 1
    ]
    return sorted(points, key=lambda row: row["n_meta"])


def value_at(points: Sequence[Record], n_meta: int) -> float | None:
    """A line of the sweep at a size between its points, on a log axis; None outside of them."""
    for before, after in pairwise(points):
        if before["n_meta"] <= n_meta <= after["n_meta"]:
            width = math.log(after["n_meta"] / before["n_meta"])
            part = math.log(n_meta / before["n_meta"]) / width if width else 0.0
            return before["value"] + part * (after["value"] - before["value"])
    return None


def _value(row: Record) -> float:
    return row["value"]
