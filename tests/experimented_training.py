"""Trainings of the planted run: resistance, dead latents, toy models.

Joint training lowers the meta-SAE's variance explained from 0.50 to 0.30 held out and mean |phi|
by 10 %; equal compute changes neither. The auxiliary loss leaves 1 % of latents dead against 30 %
with nothing done. On superposition 0.90 of true features come back, 0.05 with random decoders.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.experimented_rows import figure
from tests.planted import Row

N_SEEDS = 3
WIDTH = "32 latents"
HELD_OUT, IN_SAMPLE = (f"meta-SAE variance explained, {rows}" for rows in ("held out", "in sample"))
RESISTANCE = {  # mean |phi|, variance explained, meta-SAE held out and in sample
    "solo": (0.010, 0.80, 0.50, 0.60),
    "solo, equal compute": (0.010, 0.81, 0.50, 0.60),
    "joint 0.3 1": (0.009, 0.78, 0.30, 0.40),
    "matryoshka": (0.008, 0.76, 0.45, 0.55),
    "orthogonal": (0.010, 0.79, 0.40, 0.50),
}
DEAD = {  # share of dead latents, variance explained
    "nothing": (0.30, 0.70),
    "auxiliary loss": (0.01, 0.80),
    "ghost gradients": (0.10, 0.75),
    "ghost gradients, rescaled": (0.05, 0.77),
    "resampling": (0.04, 0.78),
}
TOYS = {  # mean max cosine and recovered, for both kinds of features
    "batchtopk": ((0.95, 0.90), (0.80, 0.50)),
    "matryoshka": ((0.90, 0.80), (0.90, 0.85)),
    "random decoder": ((0.40, 0.05), (0.40, 0.05)),
}


def measurement_rows() -> Iterator[Row]:
    """Every figure of the three experiments."""
    for subject, (phi, explained, held_out, in_sample) in RESISTANCE.items():
        own = {
            "mean |phi|": phi,
            "variance explained": explained,
            "ce rise": 1 - explained,
            HELD_OUT: held_out,
            IN_SAMPLE: in_sample,
            "dead latents": 0.02,
        }
        solo = dict(zip(own, (0.010, 0.80, 0.2, 0.50, 0.60, 0.02), strict=True))
        for metric, value in own.items():
            half = 0.0005 if metric == "mean |phi|" else 0.01
            yield figure("resistance", subject, WIDTH, metric, value, N_SEEDS, half)
            if subject != "solo":
                change, name = 100 * (value / solo[metric] - 1), f"change of {metric} against solo"
                yield figure("resistance", subject, WIDTH, name, change, N_SEEDS, 2.0)
    for subject, (dead, explained) in DEAD.items():
        yield figure("dead latents", subject, WIDTH, "dead latents", dead, N_SEEDS, 0.01)
        yield figure("dead latents", subject, WIDTH, "variance explained", explained, N_SEEDS, 0.01)
    for subject, found in TOYS.items():
        for setting, (cosine, recovered) in zip(("superposition", "hierarchical"), found,
                                                strict=True):  # fmt: skip
            yield figure("toy models", subject, setting, "mean max cosine", cosine, N_SEEDS, 0.02)
            yield figure("toy models", subject, setting, "recovered", recovered, N_SEEDS, 0.03)
