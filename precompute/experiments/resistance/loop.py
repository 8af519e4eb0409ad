"""Train any SAE of sae-lens on batches of rows.

`precompute.training` trains the SAEs that a run shows. Experiments on training itself need others
(another loss, another activation function, something done between two steps); they all take this
loop, so that what differs between two of them is what they are about. With the trainer and the
start of `precompute.training` a plain SAE comes out the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from sae_lens.training.sae_trainer import SAETrainer
from tqdm.auto import tqdm

from precompute.batches import Batches
from precompute.experiments.dead_latents.section import DeadLatentsConfig
from precompute.experiments.resistance.section import ResistanceConfig
from precompute.training import Fit

AfterStep = Callable[[SAETrainer, int], None]
"""Something done after a step; the number counts from 1."""


def fit_of(settings: ResistanceConfig | DeadLatentsConfig, seed: int) -> Fit:
    """Schedule of an SAE; its rate falls as that of the suite does."""
    return Fit(
        n_latents=settings.n_latents,
        k=settings.k,
        steps=settings.steps,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        seed=seed,
        dead_after_steps=settings.dead_after_steps,
    )


def train(
    trainer: SAETrainer,
    settings: Fit,
    batches: Batches,
    title: str,
    after_step: AfterStep | None = None,
) -> None:
    """Make all steps of `settings`."""
    stream = batches(0)
    with tqdm(
        total=settings.steps * settings.batch_size, desc=title, unit=" rows", unit_scale=True
    ) as bar:
        for step in range(1, settings.steps + 1):
            take_step(trainer, next(stream))
            if after_step is not None:
                after_step(trainer, step)
            bar.update(settings.batch_size)


def take_step(trainer: SAETrainer, batch: torch.Tensor) -> None:
    """One step on rows [batch, d_in]."""
    trainer.step(batch)
    trainer.n_training_steps += 1
