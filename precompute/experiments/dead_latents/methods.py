"""One training for each way to keep latents alive; they start alike and see the same rows.

| subject | what happens to a latent that has not fired for `dead_after_steps` steps |
|---|---|
| nothing | nothing |
| auxiliary loss | the d/2 strongest dead latents of a row predict what is left over (sae-lens) |
| ghost gradients | all of them do, through exponentials (`ghost.py`) |
| ghost gradients, rescaled | the same, weighed by their share, from the first step on |
| resampling | now and then they begin again at badly rebuilt rows (`resampling.py`) |
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from sae_lens.saes.topk_sae import TopKTrainingSAE, TopKTrainingSAEConfig
from sae_lens.training.sae_trainer import SAETrainer

from precompute.batches import Batches
from precompute.experiments.dead_latents.ghost import GhostTopKSAE
from precompute.experiments.dead_latents.resampling import resample
from precompute.experiments.dead_latents.section import DeadLatentsConfig
from precompute.experiments.resistance.loop import fit_of, train
from precompute.training import trainer_of

NOTHING, AUXILIARY, RESAMPLING = "nothing", "auxiliary loss", "resampling"
GHOST, GHOST_RESCALED = "ghost gradients", "ghost gradients, rescaled"
METHODS = (NOTHING, AUXILIARY, GHOST, GHOST_RESCALED, RESAMPLING)


def trained(
    method: str,
    settings: DeadLatentsConfig,
    seed: int,
    batches: Batches,
    d_in: int,
    device: torch.device,
) -> TopKTrainingSAE:
    """One SAE, in the units of the batches: rows [batch, d_in] of a variance of 1 a dimension."""
    fit = fit_of(settings, seed)
    torch.manual_seed(seed)
    config = TopKTrainingSAEConfig(
        d_in=d_in,
        d_sae=settings.n_latents,
        k=settings.k,
        decoder_init_norm=1.0,
        aux_loss_coefficient=1.0 if method == AUXILIARY else 0.0,
    )
    if method in (GHOST, GHOST_RESCALED):
        sae = GhostTopKSAE(config, method == GHOST_RESCALED, settings.dead_after_steps)
    else:
        sae = TopKTrainingSAE(config)
    with torch.no_grad():  # sae-lens starts the encoder at the decoder's directions: too well
        sae.W_enc.normal_(0.0, d_in**-0.5)
    after = _resampling(settings, seed, batches) if method == RESAMPLING else None
    train(trainer_of(sae, fit, device), fit, batches, f"{method} {seed}", after)
    return sae


def _resampling(
    settings: DeadLatentsConfig, seed: int, batches: Batches
) -> Callable[[SAETrainer, int], None]:
    """Resample every so often, from rows of the batches to come, but not after the last step."""
    every = max(1, round(settings.resample_share * settings.steps))
    n_batches = -(-settings.resample_rows // settings.batch_size)
    generator = torch.Generator().manual_seed(seed)

    def after_step(trainer: SAETrainer, step: int) -> None:
        if step % every == 0 and step + every <= settings.steps:
            stream = batches(step)
            rows = torch.cat([next(stream) for _ in range(n_batches)])
            resample(trainer, rows, generator)

    return after_step
