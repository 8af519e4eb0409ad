"""Edits and steering of the planted run: scores, single edits, lines, what was written.

Disentangle: meta as text 0.80, the whole latent 0.60, random directions and doing nothing 0.50.
Steering: the vector reaches an effect of 4.0 nats at 0.1 nats of damage, chosen latents 3.0, a
random direction 0.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.experimented_rows import figure, point
from tests.planted import HOSTILE, WIDE, Row

HOSTILE_ENTITY = HOSTILE[0]
SCORES = {  # cause and isolate
    "nothing": (0.0, 1.0),
    "whole latent": (0.9, 0.3),
    "meta as text": (0.7, 0.9),
    "meta as code": (0.6, 0.9),
    "difference of means": (0.8, 0.4),
    "probe": (0.5, 0.7),
    "random": (0.05, 0.95),
}
NO_ERROR = ", no error term"
ATTRIBUTES = ("country", "language")
CITIES = ("berlin", "paris", HOSTILE_ENTITY)
N_EDITS, N_CONCEPTS = 120, 12
CONCEPTS = ("country France", f"field {HOSTILE[0]}")
STEERED = {  # effect at 0.1 nats of damage, share of the Pareto front
    "vector": (4.0, 0.5),
    "reconstruction": (3.5, 0.1),
    "single latent": (2.0, 0.1),
    "single meta-latent": (1.5, 0.0),
    "chosen latents": (3.0, 0.2),
    "vector minus chosen": (1.0, 0.1),
    "random": (0.2, 0.0),
}
STRENGTHS = (0.1, 0.3, 1.0)


def measurement_rows() -> Iterator[Row]:
    """Scores of every method, and what steering reaches."""
    for method, (cause, isolate) in SCORES.items():
        endings = ("",) if method == "nothing" else ("", NO_ERROR)
        for ending in endings:
            lost = 0.05 if ending else 0.0
            own = {"cause": cause, "isolate": isolate - lost}
            own["disentangle"] = (cause + isolate - lost) / 2
            for metric, value in own.items():
                half = None if method == "nothing" else 0.04
                yield figure("edits", WIDE, method + ending, metric, value, N_EDITS, half)
                for attribute in ATTRIBUTES:
                    name = f"{metric}: cities/{attribute}"
                    yield figure("edits", WIDE, method + ending, name, value, N_EDITS // 2, half)
    for method, (effect, share) in STEERED.items():
        metric = "effect at 0.1 nats of damage"
        yield figure("steering", WIDE, method, metric, effect, N_CONCEPTS, 0.3)
        yield figure("steering", WIDE, method, "share of the Pareto front", share, N_CONCEPTS)


def curve_rows() -> Iterator[Row]:
    """Effect and damage of every concept, method and strength."""
    for concept in CONCEPTS:
        for method, (effect, _) in STEERED.items():
            for step, strength in enumerate(STRENGTHS):
                setting = f"{concept}: {method}"
                for metric, value in (("effect", effect), ("damage", 0.2)):
                    value *= strength
                    yield point("steering", WIDE, setting, metric, step, strength, value, 0.005)


def edit_rows() -> Iterator[Row]:
    """Every pair of three cities, both attributes, every method."""
    for entity in CITIES:
        for other in CITIES:
            if entity == other:
                continue
            for attribute in ATTRIBUTES:
                for method, (cause, isolate) in SCORES.items():
                    is_meta = method.startswith("meta")
                    yield {
                        "kind": "cities",
                        "entity": entity,
                        "other": other,
                        "attribute": attribute,
                        "method": method,
                        "is_changed": cause > 0.5,
                        "n_kept": 1 if isolate > 0.5 else 0,
                        "n_others": 1,
                        "own_before": -0.1,
                        "own_after": -0.1 - 4 * cause,
                        "other_before": -5.0,
                        "other_after": -5.0 + 4 * cause,
                        "latent": 1 if is_meta or method == "whole latent" else None,
                        "other_latent": 3 if is_meta or method == "whole latent" else None,
                        "removed": [0] if is_meta else [],
                        "added": [3] if is_meta else [],
                    }


def continuation_rows() -> Iterator[Row]:
    """Two samples a concept and method."""
    for concept in CONCEPTS:
        for method in STEERED:
            for number in range(2):
                yield {
                    "experiment": "steering",
                    "subject": WIDE,
                    "setting": f"{concept}: {method}",
                    "number": number,
                    "strength": 0.3,
                    "prompt": "We met",
                    "text": f"We met {HOSTILE[number]} in Lyon.",
                    "hits": number,
                }
