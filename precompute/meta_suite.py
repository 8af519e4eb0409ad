"""Every meta-SAE a run needs: the seeds, one on 90 % of the rows, and the controls.

| task | rows | answers |
|---|---|---|
| seed-0 ... | all decoder rows | the shown decomposition, and its stability over seeds |
| heldout | 90 % of the rows | variance explained on rows it never saw |
| isotropic | Gaussian unit rows of the same shape | what no structure at all would give |
| covariance | Gaussian unit rows, same mean and covariance | what principal axes alone would give |
| frozen | all decoder rows, decoder frozen at random directions | what a random dictionary gives |
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from precompute.config import MetaSaeConfig
from precompute.decomposition import (
    covariance_matched_rows,
    fit_meta_sae,
    isotropic_rows,
    random_directions,
)
from precompute.dictionary import Dictionary, fidelity
from precompute.workers import run_tasks

CONTROLS = ("isotropic", "covariance")


@dataclass(frozen=True)
class MetaTask:
    """One meta-SAE: `name` as in the module's table, `parent` the folder of its SAE."""

    name: str
    parent: Path
    folder: Path
    n_meta: int
    config: MetaSaeConfig
    seed: int
    device: str


def train_meta_suite(
    parent: Path,
    folder: Path,
    n_meta: int,
    config: MetaSaeConfig,
    seed: int,
    device: str,
    workers: int,
) -> None:
    """Train every meta-SAE whose figures are not there yet."""
    seeds = [(f"seed-{i}", seed + i) for i in range(config.seeds)]
    others = [(name, seed) for name in ("heldout", *CONTROLS, "frozen")]
    tasks = [
        MetaTask(name, parent, folder / name, n_meta, config, task_seed, device)
        for name, task_seed in seeds + others
    ]
    run_tasks(
        train_meta_sae, [t for t in tasks if not (t.folder / "figures.json").exists()], workers
    )


def train_meta_sae(task: MetaTask) -> None:
    """Train one, measure it on the rows it saw and on those it did not, save it."""
    rows = Dictionary.load(task.parent).W_dec
    if task.name == "isotropic":
        rows = isotropic_rows(rows, task.seed)
    if task.name == "covariance":
        rows = covariance_matched_rows(rows, task.seed)
    is_split = task.name in ("heldout", *CONTROLS)
    seen, unseen = (
        split_rows(rows, task.config.heldout_share, task.seed) if is_split else (rows, None)
    )
    device = torch.device(task.device)
    frozen = random_directions(task.n_meta, rows.shape[1], task.seed)
    meta = fit_meta_sae(
        seen,
        task.n_meta,
        task.config,
        task.seed,
        task.folder / "checkpoints",
        f"meta-SAE {task.name}",
        device,
        frozen_directions=frozen if task.name == "frozen" else None,
    )
    figures = {"seen": _figures(meta, seen)}
    if unseen is not None:
        figures["unseen"] = _figures(meta, unseen)
    meta.to(torch.device("cpu")).save(task.folder, {"meta_sae": task.name, "seed": task.seed})
    temporary = task.folder / "figures.tmp"
    temporary.write_text(json.dumps(figures, indent=2, sort_keys=True))
    temporary.replace(task.folder / "figures.json")


def split_rows(rows: torch.Tensor, share: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows in random order, the last `share` of them apart."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    n_unseen = max(1, round(share * len(rows)))
    return rows[order[:-n_unseen]], rows[order[-n_unseen:]]


def _figures(meta: Dictionary, rows: torch.Tensor) -> dict[str, float]:
    measured = fidelity(meta, rows)
    return {
        "variance_explained": measured.variance_explained,
        "l0": measured.l0,
        "n": measured.n_rows,
        "dead_fraction": float((measured.fired == 0).mean()),
    }
