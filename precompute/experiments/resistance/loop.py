"""Train any SAE of sae-lens on batches of rows, and read it as a `Dictionary`.

`precompute.training` trains the SAEs that a run shows. Experiments on training itself need others
(another loss, another activation function, something done between two steps); they all take this
loop, so that what differs between two of them is what they are about. With the trainer and the
start of `precompute.training` a plain SAE comes out the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from sae_lens.saes.batchtopk_sae import BatchTopKTrainingSAE
from sae_lens.saes.standard_sae import StandardTrainingSAE
from sae_lens.saes.topk_sae import TopKTrainingSAE
from sae_lens.training.sae_trainer import SAETrainer
from tqdm.auto import tqdm

from precompute.batches import Batches
from precompute.dictionary import Dictionary
from precompute.experiments.dead_latents.section import DeadLatentsConfig
from precompute.experiments.resistance.section import ResistanceConfig
from precompute.training import Fit

LearningSAE = StandardTrainingSAE | TopKTrainingSAE  # BatchTopK and Matryoshka SAEs are the latter
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


@torch.no_grad()
def dictionary_of(sae: LearningSAE) -> Dictionary:
    """A trained SAE with unit decoder rows on the CPU; the encoder takes their norm.

    BatchTopK SAEs (Matryoshka too) come with their running threshold, which is biased: set the
    exact one. TopK SAEs keep k; ReLU SAEs have neither.
    """
    norms = sae.W_dec.norm(dim=1).clamp_min(1e-12)
    W_enc = sae.W_enc * norms
    b_enc = sae.b_enc * norms
    if sae.cfg.apply_b_dec_to_input:
        b_enc = b_enc - sae.b_dec @ W_enc
    threshold, k = 0.0, None
    if isinstance(sae, BatchTopKTrainingSAE):
        threshold = float(sae.topk_threshold)
    elif isinstance(sae, TopKTrainingSAE):
        k = int(sae.cfg.k)
    tensors = (W_enc, b_enc, sae.W_dec / norms[:, None], sae.b_dec)
    return Dictionary(
        *(one.detach().float().clone().cpu() for one in tensors), threshold=threshold, k=k
    )
