"""What the rows of `resistance`, `dead latents` and `toy models` say; published numbers; no HTML.

A subject of `resistance` is one way of training: `joint 0.3 1` with lambda2 0.3 and sigma2 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from backend.records import Record
from backend.text_html import is_known

SOLO, EQUAL_COMPUTE = "solo", "solo, equal compute"
OTHERS = (SOLO, EQUAL_COMPUTE, "matryoshka", "orthogonal")
PHI, EXPLAINED, CE_RISE = "mean |phi|", "variance explained", "ce rise"
UNEXPLAINED = "variance unexplained"
META_HELD_OUT = "meta-SAE variance explained, held out"
META_IN_SAMPLE = "meta-SAE variance explained, in sample"
DEAD = "dead latents"
METRICS = (PHI, META_HELD_OUT, META_IN_SAMPLE, EXPLAINED, CE_RISE, DEAD)
LOWER_RESISTS = (PHI, META_HELD_OUT, META_IN_SAMPLE)
_JOINT = re.compile(r"joint (\d+(?:\.\d+)?) (\d+(?:\.\d+)?)")

Subjects = dict[str, Record]  # rows of one metric by subject


@dataclass(frozen=True)
class Published:
    """One cell of Levinson's grid (2026, arXiv 2604.03436), changes against solo in per cent.

    GPT-2 large, 20,480 latents. A single training each, so no interval.
    """

    phi: float
    error: float
    ce_overhead: float | None


PUBLISHED: dict[tuple[float, float], Published] = {
    (0.1, 0.3): Published(-1.9, 2.0, None),
    (0.1, 1.0): Published(-3.8, 3.5, 2.8),
    (0.1, 3.0): Published(-3.5, 1.8, 2.7),
    (0.3, 0.3): Published(-1.5, 5.5, None),
    (0.3, 1.0): Published(-7.5, 9.3, 3.1),
    (0.3, 3.0): Published(-4.4, 5.7, 2.9),
    (1.0, 0.3): Published(3.8, 13.1, None),
    (1.0, 1.0): Published(2.8, 19.6, 3.5),
    (1.0, 3.0): Published(2.6, 13.5, 3.2),
}
PUBLISHED_SOLO_CE = 2.5  # per cent of the model's own


def joint(subject: str) -> tuple[float, float] | None:
    """(lambda2, sigma2) of a joint training; None for others."""
    found = _JOINT.fullmatch(subject)
    return (float(found[1]), float(found[2])) if found else None


def place_of(subject: str) -> tuple[int, tuple[float, float], str]:
    """Sort key: solo and its control, the other trainings, joint ones by lambda2 and sigma2."""
    weights = joint(subject)
    if weights is not None:
        return len(OTHERS) + 1, weights, subject
    place = OTHERS.index(subject) if subject in OTHERS else len(OTHERS)
    return place, (0.0, 0.0), subject


def change_of(metric: str) -> str:
    """The metric that holds its change."""
    return f"change of {metric} against solo"


def subjects(rows: Iterable[Record], metric: str) -> Subjects:
    """The rows of one metric by subject, in the order of `place_of`."""
    own = [row for row in rows if row["metric"] == metric]
    return {row["subject"]: row for row in sorted(own, key=lambda row: place_of(row["subject"]))}


def changed_metrics(rows: Iterable[Record]) -> list[str]:
    """The metrics with a change against solo, in the order of `METRICS`."""
    held = {row["metric"] for row in rows}
    return [metric for metric in METRICS if change_of(metric) in held]


def grid(found: Subjects) -> dict[tuple[float, float], Record]:
    """Rows of the joint trainings by (lambda2, sigma2)."""
    cells = ((joint(name), row) for name, row in found.items())
    return {weights: row for weights, row in cells if weights is not None}


def side_of(row: Record) -> str:
    """`below` or `above` 0 with the whole interval, else `unclear`: with one seed always."""
    if not (is_known(row["ci_low"]) and is_known(row["ci_high"])):
        return "unclear"
    return "below" if row["ci_high"] < 0 else "above" if row["ci_low"] > 0 else "unclear"


def lowest(rows: Iterable[Record]) -> Record | None:
    """The row of the lowest value."""
    return min(rows, key=lambda row: row["value"], default=None)


def agreement(found: Subjects) -> dict[str, int]:
    """Of the cells that were published too: `same` sign, `clear` of those, `against` clearly, `n`.

    Args:
        found: changes of mean |phi| against solo.
    """
    counted = {"same": 0, "clear": 0, "against": 0, "n": 0}
    for weights, row in grid(found).items():
        published = PUBLISHED.get(weights)
        if published is None:
            continue
        is_same = (row["value"] < 0) == (published.phi < 0)
        is_clear = side_of(row) != "unclear"
        counted["n"] += 1
        counted["same"] += is_same
        counted["clear"] += is_same and is_clear
        counted["against"] += not is_same and is_clear
    return counted
