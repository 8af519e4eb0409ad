"""The SAE suite: one BatchTopK SAE a width, trained on the same rows in the same order."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from precompute.batches import activation_batches
from precompute.config import SaeSuiteConfig
from precompute.dictionary import exact_threshold, fidelity
from precompute.initialisation import RowStatistics, sampled_directions, word_directions
from precompute.training import Fit, Start, fit
from precompute.workers import run_tasks

log = logging.getLogger(__name__)

THRESHOLD_ROWS = 200_000  # training rows that the inference threshold is read from
FIDELITY_ROWS = 200_000  # rows of each split that variance explained is measured on


@dataclass(frozen=True)
class SaeTask:
    """Everything one process needs to train one SAE."""

    sae_id: str
    n_latents: int
    config: SaeSuiteConfig
    seed: int
    activations: Path
    statistics: RowStatistics
    folder: Path
    device: str


def train_suite(tasks: list[SaeTask], workers: int) -> None:
    """Train every task whose folder is not finished, widest first."""
    waiting = [t for t in tasks if not (t.folder / "figures.json").exists()]
    waiting.sort(key=lambda task: -task.n_latents)
    run_tasks(train_sae, waiting, workers)


def train_sae(task: SaeTask) -> None:
    """Train one SAE, set its threshold, measure it and save it; the figures come last."""
    device = torch.device(task.device)
    train = np.load(task.activations / "train.npy", mmap_mode="r")
    heldout = np.load(task.activations / "heldout.npy", mmap_mode="r")
    config, scale = task.config, task.statistics.scale
    settings = Fit(
        n_latents=task.n_latents,
        k=config.k,
        steps=max(1, round(config.epochs * len(train) / config.batch_size)),
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        seed=task.seed,
        dead_after_steps=config.dead_after_steps,
        warm_up_share=config.warm_up_share,
        decay_share=config.decay_share,
        bfloat16=config.bfloat16,
    )
    batches = activation_batches(train, scale, config.batch_size, task.seed)
    start = _start(task, train)
    checkpoints = task.folder / "checkpoints"
    trained = fit(settings, batches, start, checkpoints, task.sae_id, device)
    sae = trained.of_unscaled_rows(scale)
    sae = sae.with_threshold(exact_threshold(sae, train[:THRESHOLD_ROWS], config.k))
    figures = {}
    for split, rows in (("train", train), ("heldout", heldout)):
        measured = fidelity(sae, rows[:FIDELITY_ROWS])
        figures[split] = {
            "variance_explained": measured.variance_explained,
            "l0": measured.l0,
            "n": measured.n_rows,
        }
    sae.save(task.folder, {"sae_id": task.sae_id, "steps": settings.steps, "seed": task.seed})
    temporary = task.folder / "figures.tmp"
    temporary.write_text(json.dumps(figures, indent=2, sort_keys=True))
    temporary.replace(task.folder / "figures.json")
    log.info("%s: %s", task.sae_id, figures["heldout"])


def _start(task: SaeTask, train: np.ndarray) -> Start:
    config, statistics, n = task.config, task.statistics, task.n_latents
    bias = statistics.mean * statistics.scale
    if config.initialisation == "random":
        return Start(bias)
    if config.initialisation == "samples":
        directions = sampled_directions(statistics, train, n, task.seed)
        return Start(bias, directions, config.encoder_scale)
    n_words = min(round(config.word_share * n), len(statistics.pieces))
    words = word_directions(statistics, n_words)
    others = sampled_directions(statistics, train, n - n_words, task.seed)
    directions = torch.cat([words, others])
    return Start(bias, directions, config.encoder_scale, n_words, config.word_decoder_rate)
