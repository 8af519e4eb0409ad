"""Seconds of one training step: the sparse BatchTopK step against sae-lens' own.

    python -m benchmarks.sae_step [--latents 12288] [--batch 4096] [--steps 5] [--device cpu]

Baseline: sae_lens.BatchTopKTrainingSAE with the same config, optimiser, rows and precision. Both
go through `SAETrainer.step` as a training does (forward, backward, clipping, Adam, dead-latent
count). The two take turns, so that whatever else the machine does meets both alike; medians of
steps, and an interval over them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from sae_lens.config import SAETrainerConfig
from sae_lens.saes.batchtopk_sae import BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig
from sae_lens.training.sae_trainer import SAETrainer

from benchmarks.turns import machine, ratio, take_turns
from precompute.sparse_batchtopk import SparseBatchTopKTrainingSAE

WARM_UP_STEPS = 2
DISTINCT_BATCHES = 4


def trainer_of(
    kind: type[BatchTopKTrainingSAE], options: argparse.Namespace, n_latents: int
) -> SAETrainer:
    """A trainer as `precompute.training` builds it, around either class."""
    torch.manual_seed(0)
    config = BatchTopKTrainingSAEConfig(
        d_in=options.d_in, d_sae=n_latents, k=options.k, decoder_init_norm=1.0
    )
    trainer_config = SAETrainerConfig(
        total_training_samples=10**6 * options.batch,
        train_batch_size_samples=options.batch,
        lr=4e-4,
        lr_end=4e-4,
        lr_warm_up_steps=0,
        lr_decay_steps=0,
        dead_feature_window=10**6,
        autocast=options.bfloat16,
        device=options.device,
    )
    trainer = SAETrainer(trainer_config, kind(config).to(options.device), iter(()))
    for group in trainer.optimizer.param_groups:
        group.update(fused=True, foreach=False)
    return trainer


def timed_step(trainer: SAETrainer, batch: torch.Tensor) -> float:
    """Seconds of one step, the device's queue included."""
    started = time.perf_counter()
    trainer.step(batch)
    if batch.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latents", type=int, nargs="+", default=[12288])
    parser.add_argument("--d-in", type=int, default=384)
    parser.add_argument("--k", type=float, default=16)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--bfloat16", action="store_true", help="encode in bfloat16 (autocast)")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    print(f"{machine()}\nlatents  batch  sae-lens s/step  sparse s/step  sae-lens / sparse [95 %]")
    for n_latents in options.latents:
        generator = torch.Generator().manual_seed(1)
        batches = [
            torch.randn(options.batch, options.d_in, generator=generator).to(options.device)
            for _ in range(DISTINCT_BATCHES)
        ]
        kinds = {"sae-lens": BatchTopKTrainingSAE, "sparse": SparseBatchTopKTrainingSAE}
        trainers = {name: trainer_of(kind, options, n_latents) for name, kind in kinds.items()}

        def step_of(trainer: SAETrainer, batches: list[torch.Tensor]) -> Callable[[int], float]:
            return lambda step: timed_step(trainer, batches[step % DISTINCT_BATCHES])

        steps = {name: step_of(trainer, batches) for name, trainer in trainers.items()}
        took = take_turns(steps, WARM_UP_STEPS + options.steps)
        dense, sparse = (took[name][WARM_UP_STEPS:] for name in kinds)
        print(
            f"{n_latents:7d}  {options.batch:5d}  {np.median(dense):15.3f}  "
            f"{np.median(sparse):13.3f}  {ratio(dense, sparse)}"
        )


if __name__ == "__main__":
    main()
