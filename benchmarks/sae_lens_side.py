"""sae-lens' own training of the same thing: same settings, same start, same rows, nothing of ours.

`precompute.training.fit` builds a `SAETrainer` around our sparse step and drives it step by step;
here it is sae-lens' BatchTopK class in sae-lens' trainer, driven by its own `fit`.
"""

from __future__ import annotations

import contextlib
import io
import logging
import time
import warnings
from collections.abc import Iterator

import torch
from sae_lens.config import SAETrainerConfig
from sae_lens.saes.batchtopk_sae import BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig
from sae_lens.training.sae_trainer import SAETrainer

from precompute.batches import Batches
from precompute.training import FINAL_RATE_SHARE, THRESHOLD_RATE, Fit, Start

NO_CUDA = "no CUDA on this machine"


def train(
    settings: Fit, batches: Batches, start: Start, device: torch.device
) -> BatchTopKTrainingSAE:
    """Train as `precompute.training.fit` does, in sae-lens' own classes and loop."""
    torch.manual_seed(settings.seed)
    sae = BatchTopKTrainingSAE(
        BatchTopKTrainingSAEConfig(
            d_in=len(start.bias),
            d_sae=settings.n_latents,
            k=settings.k,
            decoder_init_norm=1.0,
            topk_threshold_lr=THRESHOLD_RATE,
            device=str(device),
        )
    )
    with torch.no_grad():
        sae.b_dec.copy_(start.bias)
        if start.directions is not None:
            sae.W_dec.copy_(start.directions)
            sae.W_enc.copy_(start.directions.t() * start.encoder_scale)
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
    return SAETrainer(config, sae.to(device), batches(0)).fit()


class StepClock:
    """Batches that note when each one is asked for, so a loop's steps are timed from outside.

    A step is all that lies between two batches: forward, backward, optimiser, the loop's own
    bookkeeping, the reading of the next batch, and whatever the device still has queued.
    """

    def __init__(self, batches: Batches, device: torch.device) -> None:
        self._batches, self._device = batches, device
        self._asked: list[float] = []

    def __call__(self, start_step: int) -> Iterator[torch.Tensor]:
        for batch in self._batches(start_step):
            synchronise(self._device)
            self._asked.append(time.perf_counter())
            yield batch

    def seconds(self) -> list[float]:
        """Of every step but the last, which nothing ends."""
        return [b - a for a, b in zip(self._asked, self._asked[1:], strict=False)]


def synchronise(device: torch.device) -> None:
    """Wait for everything that the device has been given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def device_line(device: torch.device) -> str:
    """The device and torch: what a training's figure must be read with."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    return f"cpu, {torch.get_num_threads()} threads, torch {torch.__version__}"


def is_there(device: str) -> bool:
    return not device.startswith("cuda") or torch.cuda.is_available()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without progress bars and the libraries' remarks on small data."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
