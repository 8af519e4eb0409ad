"""What the rows of the experiment `steering` say: lines, their front, winners; no HTML.

A setting of `curves` reads "country France: vector": a concept and a method. Of every strength
there is an effect and a damage; a line goes through both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from backend.records import Record, grouped
from backend.text_html import is_known
from backend.trust_figures import highest

RANDOM = "random"
METHODS = (
    "vector",
    "reconstruction",
    "single latent",
    "single meta-latent",
    "chosen latents",
    "vector minus chosen",
    RANDOM,
)
EFFECT, DAMAGE = "effect", "damage"
AT_DAMAGE = "effect at 0.1 nats of damage"
GAIN = "gain over the vector at 0.1 nats of damage"
ON_FRONT = "share of the Pareto front"
IN_TEXTS = "gain of target tokens in texts at 0.1 nats of damage"
FAIR_DAMAGE = 0.1  # nats, at which methods are compared
LEAST_EFFECT = 0.01  # less is no effect, and would be on every front: nothing costs less
ALL_CONCEPTS = "all concepts"


@dataclass(frozen=True)
class Point:
    """One strength of one method.

    Attributes:
        method: as in `METHODS`.
        step: number of the strength.
        strength: length of what was added over the mean activation's.
        effect, damage: rows of `curves`, or means of them without interval.
        is_on_front: no other point has at least its effect for at most its damage, and it has
            an effect at all.
    """

    method: str
    step: int
    strength: float
    effect: Record
    damage: Record
    is_on_front: bool = False


def parted(setting: str) -> tuple[str, str]:
    """Concept and method of a setting of `curves`; a concept may hold a colon itself."""
    concept, _, method = setting.rpartition(": ")
    return concept, method


def concepts(rows: Iterable[Record]) -> list[str]:
    """All concepts, in order."""
    return sorted({parted(row["setting"])[0] for row in rows} - {""})


def place_of(method: str) -> tuple[int, str]:
    """Sort key: in the order of `METHODS`, unknown ones before the control."""
    place = METHODS.index(method) if method in METHODS else METHODS.index(RANDOM) - 0.5
    return int(2 * place), method


def points(rows: Sequence[Record], concept: str) -> list[Point]:
    """The points of one concept, or the means over all, by method and step; front marked.

    Args:
        rows: of `curves`, of one SAE.
        concept: one of `concepts`, or `ALL_CONCEPTS`.
    """
    own = [
        {**row, "method": method}
        for row in rows
        for name, method in [parted(row["setting"])]
        if name and concept in (name, ALL_CONCEPTS) and math.isfinite(row["value"])
    ]
    found: list[Point] = []
    for method, of_method in grouped(own, "method").items():
        for step, of_step in grouped(of_method, "step").items():
            metrics = grouped(of_step, "metric")
            if EFFECT in metrics and DAMAGE in metrics:
                effect, damage = _mean(metrics[EFFECT]), _mean(metrics[DAMAGE])
                found.append(Point(method, step, effect["x"], effect, damage))
    found.sort(key=lambda point: (place_of(point.method), point.step))
    return _with_front(found)


def summary(rows: Iterable[Record], metric: str) -> dict[str, Record]:
    """The figures of one metric by method, in the order of `METHODS`."""
    own = [row for row in rows if row["metric"] == metric and is_known(row["value"])]
    return {row["setting"]: row for row in sorted(own, key=lambda row: place_of(row["setting"]))}


def best(found: dict[str, Record]) -> Record | None:
    """The highest figure, the control left out."""
    return highest(row for method, row in found.items() if method != RANDOM)


def _mean(rows: Sequence[Record]) -> Record:
    """One row as it is; of several the mean, without interval, n counting the rows."""
    if len(rows) == 1:
        return rows[0]
    return {
        "x": sum(row["x"] for row in rows) / len(rows),
        "value": sum(row["value"] for row in rows) / len(rows),
        "ci_low": None,
        "ci_high": None,
        "n": len(rows),
    }


def _with_front(found: Sequence[Point]) -> list[Point]:
    """The same points, with those marked that no other has more effect than for no more damage."""
    most, on_front = -math.inf, set[int]()
    by_damage = sorted(
        range(len(found)), key=lambda i: (found[i].damage["value"], -found[i].effect["value"])
    )
    for i in by_damage:
        effect = found[i].effect["value"]
        if effect > max(most, LEAST_EFFECT):
            on_front.add(i)
        most = max(most, effect)
    return [replace(point, is_on_front=i in on_front) for i, point in enumerate(found)]
