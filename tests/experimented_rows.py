"""Rows of `measurements` and `curves` as the tests plant them."""

from __future__ import annotations

from tests.planted import Row

N_CONTEXTS = 16


def point(
    experiment: str,
    subject: str,
    setting: str,
    metric: str,
    step: int,
    x: float,
    value: float,
    half: float = 0.01,
) -> Row:
    """A row of `curves`; an interval of no width means none."""
    row = figure(experiment, subject, setting, metric, value, N_CONTEXTS, half or None)
    return {**row, "step": step, "x": x}


def figure(
    experiment: str,
    subject: str,
    setting: str,
    metric: str,
    value: float,
    n: int,
    half: float | None = None,
) -> Row:
    """A row of `measurements`, its interval `half` to either side."""
    return {
        "experiment": experiment,
        "subject": subject,
        "setting": setting,
        "metric": metric,
        "value": value,
        "ci_low": None if half is None else value - half,
        "ci_high": None if half is None else value + half,
        "n": n,
    }
