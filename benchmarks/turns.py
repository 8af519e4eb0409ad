"""Fair figures from a machine that others use too.

The candidates take turns, forwards in one round and backwards in the next, so that whatever else
the machine does meets all of them alike. A ratio is that of the medians; its interval is a
bootstrap over whole rounds, because neighbours in time share their luck.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 95.0


@dataclass(frozen=True)
class Ratio:
    """A ratio with its 95 % interval, from `n` rounds."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"


def take_turns(
    candidates: Mapping[str, Callable[[int], float]], rounds: int
) -> dict[str, np.ndarray]:
    """Call every candidate once a round with the round's number.

    Returns:
        float64 [rounds] for each candidate: what its calls returned, in the order of rounds.
    """
    figures: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds):
        names = list(candidates)
        for name in names if number % 2 == 0 else names[::-1]:
            figures[name].append(candidates[name](number))
    return {name: np.asarray(values) for name, values in figures.items()}


def ratio(
    ours: np.ndarray,
    baseline: np.ndarray,
    statistic: Callable[[np.ndarray], float] = lambda values: float(np.median(values)),
) -> Ratio:
    """statistic(ours) / statistic(baseline), both [n_rounds] and of the same rounds."""
    draw = np.random.default_rng(0).integers(0, len(ours), (RESAMPLES, len(ours)))
    drawn = [statistic(ours[rows]) / statistic(baseline[rows]) for rows in draw]
    outside = (100.0 - CONFIDENCE) / 2
    low, high = np.percentile(drawn, [outside, 100.0 - outside])
    return Ratio(statistic(ours) / statistic(baseline), float(low), float(high), len(ours))


def machine() -> str:
    """Processor, cores, memory and load: what a figure must be read with."""
    model = platform.processor() or platform.machine()
    cpuinfo, meminfo = Path("/proc/cpuinfo"), Path("/proc/meminfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((x.partition(":")[2].strip() for x in lines if x.startswith("model n")), model)
    memory = ""
    if meminfo.exists():
        memory = f", {int(meminfo.read_text(encoding='utf-8').split()[1]) / 2**20:.0f} GiB"
    return f"{os.cpu_count()} cores of {model}{memory}, load before {os.getloadavg()[0]:.1f}"
