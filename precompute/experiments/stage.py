"""The stage of experiments: one folder for each experiment and SAE, made when it is not there yet.

A killed stage goes on with what is missing, and a changed section of the config makes only its own
experiment again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from precompute.config import RunConfig
from precompute.experiments.absorption.measuring import word_absorption
from precompute.experiments.bench import Bench
from precompute.experiments.dead_latents.measuring import ways_against_dead_latents
from precompute.experiments.edits.measuring import targeted_edits
from precompute.experiments.errors.measuring import sae_errors
from precompute.experiments.findings import (
    Findings,
    is_complete,
    load_measurements,
    load_tables,
)
from precompute.experiments.layers.measuring import errors_at_layers
from precompute.experiments.pursuit.measuring import pursuit_against_encoder
from precompute.experiments.resistance.measuring import training_that_resists
from precompute.experiments.steering.measuring import steering
from precompute.experiments.toy_models.measuring import saes_on_toys
from precompute.sections import Frozen
from precompute.stages import Stages
from precompute.workers import run_tasks

Experiment = Callable[[Bench, str, Any], Findings]
PER_SAE: dict[str, Experiment] = {
    "errors": sae_errors,
    "pursuit": pursuit_against_encoder,
    "absorption": word_absorption,
    "edits": targeted_edits,
    "steering": steering,
}
"""Experiments that are made once for every SAE of the suite, by section of the config."""
ONCE: dict[str, Experiment] = {
    "layers": errors_at_layers,
    "resistance": training_that_resists,
    "dead_latents": ways_against_dead_latents,
    "toy_models": saes_on_toys,
}
"""Experiments that train SAEs of their own: made once, on the width of the decomposed SAE."""


@dataclass(frozen=True)
class ExperimentTask:
    """One experiment on one SAE, for one process."""

    config: RunConfig
    stages: Stages
    device: str
    name: str
    subject: str
    folder: Path


def make_experiments(config: RunConfig, stages: Stages, device: str, workers: int) -> None:
    """Make every experiment of the config that is not there yet."""
    make_waiting(planned(config, stages, device), workers)


def make_waiting(tasks: list[ExperimentTask], workers: int) -> None:
    """Make those that are not there yet."""
    waiting = [task for task in tasks if not is_complete(task.folder)]
    run_tasks(make_experiment, waiting, workers)


def make_experiment(task: ExperimentTask) -> None:
    """Make one and keep what it found."""
    bench = Bench(task.config, task.stages, torch.device(task.device))
    experiment = (PER_SAE | ONCE)[task.name]
    experiment(bench, task.subject, _section(task.config, task.name)).save(task.folder)


def planned(config: RunConfig, stages: Stages, device: str = "cpu") -> list[ExperimentTask]:
    """All experiments of a config, widest SAE first: it takes longest."""
    subjects = {key: [config.decomposed_sae_id] for key in ONCE}
    subjects |= {key: list(reversed(config.sae_ids)) for key in PER_SAE}
    return [
        ExperimentTask(config, stages, device, name, sae_id, _folder(config, stages, name, sae_id))
        for name, sae_ids in subjects.items()
        if _section(config, name) is not None
        for sae_id in sae_ids
    ]


def experiment_measurements(config: RunConfig, stages: Stages) -> list[dict[str, Any]]:
    """Figures of all experiments, for `measurements`."""
    return load_measurements([task.folder for task in planned(config, stages)])


def experiment_tables(config: RunConfig, stages: Stages) -> dict[str, pa.Table]:
    """The tables of experiments; empty without `[experiments]`."""
    return load_tables([task.folder for task in planned(config, stages)])


def _section(config: RunConfig, name: str) -> Frozen | None:
    return getattr(config.experiments, name)


def _folder(config: RunConfig, stages: Stages, name: str, subject: str) -> Path:
    section = _section(config, name)
    assert section is not None
    return stages.experiments / f"{name}-{section.fingerprint()}" / subject
