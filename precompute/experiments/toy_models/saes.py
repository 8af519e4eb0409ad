"""The SAEs that look for the directions of a toy, all of them by sae-lens.

| subject | what it is |
|---|---|
| relu | ReLU and L1, a latent a true direction |
| topk, batchtopk | as many latents on a row as directions fire, always or on average |
| matryoshka | BatchTopK whose first latents rebuild the rows by themselves too |
| batchtopk, wide | BatchTopK with several latents a true direction |
| meta-SAE | on the decoder rows of that one, a meta-latent a true direction |
| random decoder | as many random directions: what finding nothing looks like |
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from sae_lens.saes.batchtopk_sae import BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig
from sae_lens.saes.matryoshka_batchtopk_sae import (
    MatryoshkaBatchTopKTrainingSAE,
    MatryoshkaBatchTopKTrainingSAEConfig,
)
from sae_lens.saes.standard_sae import StandardTrainingSAE, StandardTrainingSAEConfig
from sae_lens.saes.topk_sae import TopKTrainingSAE, TopKTrainingSAEConfig

from precompute.batches import matrix_batches
from precompute.config import MetaSaeConfig
from precompute.decomposition import fit_meta_sae, random_directions
from precompute.experiments.resistance.loop import train
from precompute.experiments.toy_models.section import ToyModelsConfig
from precompute.experiments.toy_models.toys import Toy
from precompute.learned import LearningSAE, dictionary_of
from precompute.training import Fit, trainer_of

RELU, TOPK, BATCHTOPK, MATRYOSHKA = "relu", "topk", "batchtopk", "matryoshka"
WIDE, META, RANDOM = "batchtopk, wide", "meta-SAE", "random decoder"
KINDS = (RELU, TOPK, BATCHTOPK, MATRYOSHKA)
RANDOM_STREAM = 2_000_003  # so that the control shares no numbers with the toy of its seed
DEAD_AFTER_STEPS = 100


def decoder_of(
    kind: str, toy: Toy, settings: ToyModelsConfig, seed: int, device: torch.device
) -> torch.Tensor:
    """Unit decoder rows [n_latents, d] of one trained SAE (or of random ones), on the CPU."""
    n, d = toy.truth.shape
    if kind == RANDOM:
        return random_directions(n, d, RANDOM_STREAM + seed)
    torch.manual_seed(seed)
    sae = _untrained(kind, d, n * settings.wide if kind == WIDE else n, toy.l0, settings)
    fit = Fit(
        n_latents=sae.cfg.d_sae,
        k=toy.l0,
        steps=settings.steps,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        seed=seed,
        dead_after_steps=DEAD_AFTER_STEPS,
    )
    batches = matrix_batches(toy.rows, settings.batch_size, seed)
    train(trainer_of(sae, fit, device), fit, batches, f"toy {kind} {seed}")
    return dictionary_of(sae).W_dec.cpu()


def meta_decoder(
    rows: torch.Tensor,
    n_meta: int,
    settings: ToyModelsConfig,
    seed: int,
    folder: Path,
    device: torch.device,
) -> torch.Tensor:
    """Unit meta-latents [n_meta, d] of a meta-SAE on decoder rows, trained as the run's own."""
    config = MetaSaeConfig(
        k=settings.meta_k, steps=settings.steps, learning_rate=settings.meta_learning_rate
    )
    meta = fit_meta_sae(rows, n_meta, config, seed, folder, f"toy {META} {seed}", device)
    return meta.W_dec.cpu()


def _untrained(
    kind: str, d: int, n_latents: int, l0: float, settings: ToyModelsConfig
) -> LearningSAE:
    size: dict[str, Any] = {"d_in": d, "d_sae": n_latents, "decoder_init_norm": 1.0}
    if kind == RELU:
        return StandardTrainingSAE(
            StandardTrainingSAEConfig(**size, l1_coefficient=settings.l1_coefficient)
        )
    if kind == TOPK:
        return TopKTrainingSAE(TopKTrainingSAEConfig(**size, k=max(1, round(l0))))
    if kind == MATRYOSHKA:
        widths = [round(share * n_latents) for share in settings.matryoshka]
        return MatryoshkaBatchTopKTrainingSAE(
            MatryoshkaBatchTopKTrainingSAEConfig(
                **size, k=l0, matryoshka_widths=[*widths, n_latents]
            )
        )
    return BatchTopKTrainingSAE(BatchTopKTrainingSAEConfig(**size, k=l0))
