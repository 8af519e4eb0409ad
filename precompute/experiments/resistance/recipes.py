"""What is trained: by name, with which loss, for how long, and with how many seeds.

| subject | what it is |
|---|---|
| solo | a BatchTopK SAE as the run trains them, from random directions |
| solo, equal compute | the same for as many further steps as the opponent costs |
| joint L S | with the decomposability penalty of lambda_2 = L, sigma^2 = S (Levinson 2026) |
| matryoshka | nested SAEs that share their first latents (Bussmann et al. 2025), by sae-lens |
| orthogonal | with the penalty on cosines between decoder rows (OrtSAE, 2025) |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from sae_lens.saes.batchtopk_sae import BatchTopKTrainingSAE
from sae_lens.saes.matryoshka_batchtopk_sae import (
    MatryoshkaBatchTopKTrainingSAE,
    MatryoshkaBatchTopKTrainingSAEConfig,
)
from sae_lens.training.sae_trainer import SAETrainer

from precompute.batches import Batches
from precompute.experiments.resistance.joint import Opponent, PenalisedSAE, batchtopk_config
from precompute.experiments.resistance.loop import fit_of, train
from precompute.experiments.resistance.orthogonal import chunked_cosines
from precompute.experiments.resistance.section import ResistanceConfig
from precompute.training import Fit, trainer_of

SOLO, EQUAL_COMPUTE = "solo", "solo, equal compute"
MATRYOSHKA, ORTHOGONAL = "matryoshka", "orthogonal"
PUBLISHED_BEST = (0.3, 1.0)


@dataclass(frozen=True)
class Recipe:
    """One way to train; `weight` and `sigma2` are of the joint training only."""

    subject: str
    n_seeds: int
    weight: float | None = None
    sigma2: float = 1.0


def all_recipes(settings: ResistanceConfig) -> list[Recipe]:
    """Those of the module's table, solo first: the others are compared with it."""
    seeds = settings.seeds
    others = [Recipe(name, seeds) for name in (SOLO, EQUAL_COMPUTE, MATRYOSHKA, ORTHOGONAL)]
    grid = [(weight, sigma2) for weight in settings.lambda2 for sigma2 in settings.sigma2]
    return others + [
        Recipe(
            f"joint {weight:g} {sigma2:g}",
            seeds if (weight, sigma2) == PUBLISHED_BEST else min(seeds, settings.grid_seeds),
            weight,
            sigma2,
        )
        for weight, sigma2 in grid
    ]


def trained(
    recipe: Recipe,
    settings: ResistanceConfig,
    seed: int,
    batches: Batches,
    mean: torch.Tensor,
    device: torch.device,
) -> BatchTopKTrainingSAE:
    """One SAE, in the units of the batches.

    Args:
        batches: rows [batch, d_in] of a variance of 1 a dimension.
        mean: mean of such rows [d_in], where the decoder bias starts.
    """
    fit, d_in = fit_of(settings, seed), len(mean)
    if recipe.subject == EQUAL_COMPUTE:
        fit = replace(fit, steps=round(fit.steps * (1 + settings.extra_compute)))
    opponent = _opponent(recipe, settings, seed, d_in, device)
    torch.manual_seed(seed)  # after the opponent: every SAE of a seed starts alike
    if recipe.subject == MATRYOSHKA:
        sae = _matryoshka(settings, d_in)
    else:
        sae = PenalisedSAE(batchtopk_config(d_in, settings.n_latents, settings.k))
        if opponent is not None:
            sae.row_cost = opponent.row_cost
        if recipe.subject == ORTHOGONAL:
            generator = torch.Generator().manual_seed(seed)
            sae.row_cost = lambda rows: (
                settings.orthogonal_weight
                * chunked_cosines(rows, settings.orthogonal_chunk, generator)
            )
    with torch.no_grad():
        sae.b_dec.copy_(mean)
    between: Callable[[SAETrainer, int], None] | None = None
    if opponent is not None:
        between = opponent.between(settings.every, settings.meta_steps)
    train(trainer_of(sae, fit, device), fit, batches, f"{recipe.subject} {seed}", between)
    return sae


def _opponent(
    recipe: Recipe, settings: ResistanceConfig, seed: int, d_in: int, device: torch.device
) -> Opponent | None:
    if recipe.weight is None:
        return None
    fit = Fit(
        n_latents=settings.meta_latents,
        k=settings.meta_k,
        steps=max(1, settings.steps // settings.every * settings.meta_steps),
        batch_size=settings.n_latents,
        learning_rate=settings.meta_learning_rate,
        seed=seed,
        dead_after_steps=settings.dead_after_steps,
        decay_share=0.0,
    )
    return Opponent(fit, d_in, recipe.weight, recipe.sigma2, device)


def _matryoshka(settings: ResistanceConfig, d_in: int) -> MatryoshkaBatchTopKTrainingSAE:
    n = settings.n_latents
    return MatryoshkaBatchTopKTrainingSAE(
        MatryoshkaBatchTopKTrainingSAEConfig(
            d_in=d_in,
            d_sae=n,
            k=settings.k,
            decoder_init_norm=1.0,
            matryoshka_widths=[*(round(share * n) for share in settings.matryoshka), n],
        )
    )
