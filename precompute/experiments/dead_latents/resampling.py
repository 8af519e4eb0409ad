"""Resampling: dead latents begin again at rows that the SAE rebuilds badly.

Bricken et al., "Towards Monosemanticity" (Anthropic 2023), appendix on neuron resampling:

1. Each of many rows gets a probability in proportion to the square of its error.
2. Every dead latent draws a row. Its decoder row becomes that row at unit length, less the decoder
   bias, as the encoder reads it; its encoder the same direction at 0.2 times the mean norm of the
   living latents' encoders; its encoder bias 0.
3. Adam forgets what it knew of these weights.
"""

from __future__ import annotations

from typing import Any

import torch
from sae_lens.saes.topk_sae import TopKTrainingSAE
from sae_lens.training.sae_trainer import SAETrainer

ENCODER_SHARE = 0.2


@torch.no_grad()
def resample(trainer: SAETrainer, rows: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Let the trainer's dead latents begin again.

    Args:
        rows: float32 [n, d_in] to draw from, in the units of the training.
        generator: on the CPU.

    Returns:
        int64 [n_dead]: the row that each dead latent drew, by ascending latent.
    """
    sae: TopKTrainingSAE = trainer.sae
    dead = trainer.dead_neurons.nonzero().squeeze(1)
    if not len(dead):
        return torch.empty(0, dtype=torch.int64)
    rows = rows.to(sae.W_dec.device)
    error = (rows - sae.decode(sae.encode(rows))).pow(2).sum(1)
    drawn = torch.multinomial(error.pow(2).cpu(), len(dead), replacement=True, generator=generator)
    directions = rows[drawn.to(rows.device)] - sae.b_dec
    directions = directions / directions.norm(dim=1, keepdim=True).clamp_min(1e-8)
    norms = sae.W_enc.norm(dim=0)
    living = ~trainer.dead_neurons
    norm = norms[living].mean() if bool(living.any()) else norms.mean()
    sae.W_dec[dead] = directions
    sae.W_enc[:, dead] = ENCODER_SHARE * norm * directions.t()
    sae.b_enc[dead] = 0.0
    _forget(trainer.optimizer, sae.W_dec, dead)
    _forget(trainer.optimizer, sae.W_enc, (slice(None), dead))
    _forget(trainer.optimizer, sae.b_enc, dead)
    trainer.n_forward_passes_since_fired[dead] = 0
    return drawn


def _forget(optimizer: torch.optim.Optimizer, weights: torch.Tensor, place: Any) -> None:
    state = optimizer.state.get(weights, {})
    for name in ("exp_avg", "exp_avg_sq"):
        if name in state:
            state[name][place] = 0.0
