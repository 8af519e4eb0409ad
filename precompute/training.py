"""Fit a BatchTopK SAE to any stream of rows: activations -> SAE, decoder rows -> meta-SAE.

sae-lens' `SAETrainer` does the step (Adam, gradient clipping, learning-rate schedule, dead-latent
count); this module feeds it rows in a reproducible order, saves checkpoints that resume bit for
bit, and turns the result into a `Dictionary` with a recalibrated threshold.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from sae_lens.config import SAETrainerConfig
from sae_lens.saes.batchtopk_sae import BatchTopKTrainingSAEConfig
from sae_lens.saes.sae import TrainingSAE, TrainStepOutput
from sae_lens.training.sae_trainer import SAETrainer
from tqdm.auto import tqdm

from precompute.batches import Batches
from precompute.dictionary import Dictionary
from precompute.learned import dictionary_of
from precompute.sparse_batchtopk import SparseBatchTopKTrainingSAE

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 120.0
THRESHOLD_RATE = 0.01
FINAL_RATE_SHARE = 0.1
SLOW_PATIENCE = 4.0  # a slow latent counts as dead after this many times `dead_after_steps`


@dataclass(frozen=True)
class Fit:
    """What a training needs besides rows and a place to start."""

    n_latents: int
    k: float
    steps: int
    batch_size: int
    learning_rate: float
    seed: int
    dead_after_steps: int
    warm_up_share: float = 0.0
    decay_share: float = 0.3
    bfloat16: bool = False


@dataclass(frozen=True)
class Start:
    """Where a training starts, and which decoder rows are held back.

    Attributes:
        bias: decoder bias [d_in].
        directions: unit directions [n_latents, d_in], or None for sae-lens' random ones.
        encoder_scale: the encoder starts as this times the directions.
        n_slow: the first this many decoder rows move at `slow_rate` times the normal speed.
    """

    bias: torch.Tensor
    directions: torch.Tensor | None = None
    encoder_scale: float = 1.0
    n_slow: int = 0
    slow_rate: float = 1.0


def fit(
    settings: Fit, batches: Batches, start: Start, folder: Path, title: str, device: torch.device
) -> Dictionary:
    """Train to the end, resuming from `folder` when it holds a checkpoint.

    Returns:
        A dictionary with unit decoder rows and the trainer's own running threshold, which is
        biased; callers set the exact one with `exact_threshold`.
    """
    trainer = _trainer(settings, start, device)
    step = _resume(trainer, folder)
    saved_at = time.monotonic()
    stream = batches(step)
    with tqdm(
        total=settings.steps * settings.batch_size,
        initial=step * settings.batch_size,
        desc=title,
        unit=" rows",
        unit_scale=True,
    ) as bar:
        while step < settings.steps:
            output = _step(trainer, next(stream), start)
            step += 1
            trainer.n_training_steps = step
            bar.update(settings.batch_size)
            if step % 20 == 0:
                bar.set_postfix(
                    loss=f"{output.loss.item():.3f}", dead=int(trainer.dead_neurons.sum())
                )
            if time.monotonic() - saved_at > CHECKPOINT_SECONDS:
                _checkpoint(trainer, folder, step)
                saved_at = time.monotonic()
    return dictionary_of(trainer.sae)


def _trainer(settings: Fit, start: Start, device: torch.device) -> SAETrainer:
    torch.manual_seed(settings.seed)  # sae-lens has no seed of its own
    sae = SparseBatchTopKTrainingSAE(
        BatchTopKTrainingSAEConfig(
            d_in=len(start.bias),
            d_sae=settings.n_latents,
            k=settings.k,
            decoder_init_norm=1.0,
            topk_threshold_lr=THRESHOLD_RATE,
        )
    )
    with torch.no_grad():
        sae.b_dec.copy_(start.bias)
        if start.directions is not None:
            sae.W_dec.copy_(start.directions)
            sae.W_enc.copy_(start.directions.t() * start.encoder_scale)
    return trainer_of(sae, settings, device)


def trainer_of(sae: TrainingSAE[Any], settings: Fit, device: torch.device) -> SAETrainer:
    """sae-lens' trainer (Adam, gradients clipped at norm 1, count of dead latents) of one SAE."""
    sae.to(device)
    config = SAETrainerConfig(
        total_training_samples=settings.steps * settings.batch_size,
        train_batch_size_samples=settings.batch_size,
        lr=settings.learning_rate,
        lr_end=settings.learning_rate * FINAL_RATE_SHARE,
        lr_warm_up_steps=int(settings.steps * settings.warm_up_share),
        lr_decay_steps=int(settings.steps * settings.decay_share),
        dead_feature_window=settings.dead_after_steps,
        autocast=settings.bfloat16,
        device=str(device),
    )
    trainer = SAETrainer(config, sae, iter(()))
    for group in trainer.optimizer.param_groups:
        group.update(fused=True, foreach=False)  # one pass over memory: 10x faster on a CPU
    return trainer


def _step(trainer: SAETrainer, batch: torch.Tensor, start: Start) -> TrainStepOutput:
    """One sae-lens step; slow rows then go back most of the way, as Adam ignores gradient scale.

    Slow latents are given more time before they count as dead: a rare word is silent for hundreds
    of batches, and the auxiliary loss would turn its encoder to something else.
    """
    if not start.n_slow:
        return trainer.step(batch)
    rows = trainer.sae.W_dec.data[: start.n_slow]
    silence = trainer.n_forward_passes_since_fired[: start.n_slow]
    rows_before, silence_before = rows.clone(), silence.clone()
    output = trainer.step(batch)
    rows.lerp_(rows_before, 1.0 - start.slow_rate)
    silence.copy_(torch.where(silence > 0, silence_before + 1.0 / SLOW_PATIENCE, 0.0))
    return output


def _checkpoint(trainer: SAETrainer, folder: Path, step: int) -> None:
    """Write `folder/step-N` and only then point `folder/latest.json` at it."""
    name = f"step-{step}"
    trainer.save_checkpoint(name, base_path=folder)
    pointer = folder / "latest.json"
    temporary = pointer.with_suffix(".tmp")
    temporary.write_text(json.dumps({"step": step, "folder": name}))
    temporary.replace(pointer)
    for old in folder.glob("step-*"):
        if old.name != name:
            shutil.rmtree(old)


def _resume(trainer: SAETrainer, folder: Path) -> int:
    pointer = folder / "latest.json"
    if not pointer.exists():
        return 0
    note = json.loads(pointer.read_text())
    checkpoint = folder / note["folder"]
    trainer.load_trainer_state(checkpoint)
    trainer.sae.load_weights_from_checkpoint(checkpoint)
    trainer.n_training_steps = note["step"]
    log.info("resumed %s at step %d", folder.name, note["step"])
    return note["step"]
