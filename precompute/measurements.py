"""Rows of `measurements`: every figure that a page or the README quotes about a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t

from backend.schema import TABLES
from precompute.decomposition import Decomposition

INTERVAL = 1.96  # standard errors either side of a mean: a 95 % interval


def row(
    experiment: str,
    subject: str,
    setting: str,
    metric: str,
    value: float,
    n: int,
    half_width: float | None = None,
) -> dict[str, Any]:
    """One figure; `half_width` gives it a symmetric interval."""
    return {
        "experiment": experiment,
        "subject": subject,
        "setting": setting,
        "metric": metric,
        "value": float(value),
        "ci_low": None if half_width is None else float(value) - half_width,
        "ci_high": None if half_width is None else float(value) + half_width,
        "n": int(n),
    }


def over_seeds(
    experiment: str, subject: str, setting: str, metric: str, values: list[float]
) -> dict[str, Any]:
    """Mean of one figure over seeds; n = seeds, from two on with its 95 % interval.

    The interval is Student's: of two or three seeds a normal one would be far too narrow.
    """
    mean, n = float(np.mean(values)), len(values)
    half = None
    if n > 1:
        half = float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return row(experiment, subject, setting, metric, mean, n, half)


def suite_rows(sae_ids: tuple[str, ...], folder: Path) -> list[dict[str, Any]]:
    """Variance explained and L0 of every SAE on rows it saw and on held-out rows."""
    rows = []
    for sae_id in sae_ids:
        figures = json.loads((folder / sae_id / "figures.json").read_text())
        for setting in ("train", "heldout"):
            values = figures[setting]
            for metric in ("variance_explained", "l0"):
                rows.append(row("sae", sae_id, setting, metric, values[metric], values["n"]))
    return rows


def meta_rows(meta_sae_id: str, folder: Path, n_seeds: int) -> list[dict[str, Any]]:
    """Variance explained by the meta-SAE, with its controls, over seeds and held-out rows."""
    rows = []

    def figures(name: str) -> dict[str, dict[str, float]]:
        return json.loads((folder / name / "figures.json").read_text())

    seeds = [figures(f"seed-{i}")["seen"] for i in range(n_seeds)]
    values = np.array([seed["variance_explained"] for seed in seeds])
    n = int(seeds[0]["n"])
    metric = "variance_explained"
    rows.append(row("meta_sae", meta_sae_id, "in-sample, shown seed", metric, values[0], n))
    setting = "in-sample, mean over seeds"
    rows.append(over_seeds("meta_sae", meta_sae_id, setting, metric, values.tolist()))
    rows.append(
        row(
            "meta_sae",
            meta_sae_id,
            "in-sample, shown seed",
            "dead_fraction",
            seeds[0]["dead_fraction"],
            n,
        )
    )
    names = {
        "heldout": "decoder rows",
        "isotropic": "isotropic Gaussian null",
        "covariance": "covariance-matched Gaussian null",
    }
    for name, title in names.items():
        for split, label in (("seen", "in-sample"), ("unseen", "held-out")):
            figure = figures(name)[split]
            setting = f"{label}, {title}, 90 % of rows"
            rows.append(
                row("meta_sae", meta_sae_id, setting, metric, figure[metric], int(figure["n"]))
            )
    frozen = figures("frozen")["seen"]
    rows.append(
        row("meta_sae", meta_sae_id, "in-sample, frozen random decoder", metric, frozen[metric], n)
    )
    return rows


def decomposition_rows(
    meta_sae_id: str, shown: Decomposition, stability: np.ndarray
) -> list[dict[str, Any]]:
    """Size and stability of the shown decompositions."""
    n_components = shown.n_components
    half = INTERVAL * stability.std() / np.sqrt(max(len(stability), 1))
    return [
        row(
            "decomposition",
            meta_sae_id,
            "shown seed",
            "mean_components",
            n_components.mean(),
            len(n_components),
        ),
        row(
            "decomposition",
            meta_sae_id,
            "shown seed",
            "without_components",
            (n_components == 0).mean(),
            len(n_components),
        ),
        row(
            "decomposition",
            meta_sae_id,
            "other seeds",
            "mean_stability",
            stability.mean(),
            len(stability),
            half,
        ),
        row(
            "decomposition",
            meta_sae_id,
            "other seeds",
            "found_in_all_seeds",
            (stability == 1).mean(),
            len(stability),
        ),
    ]


def as_columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns, for the writer."""
    names = [column.name for column in TABLES["measurements"].columns]
    return {name: [one[name] for one in rows] for name in names}
