"""Ghost gradients: dead latents learn to predict what the living ones leave over.

With r = x - xhat of a row, z the pre-activations of dead latents and D their decoder rows (the
implementation that Rajamanoharan's report starts from, "Progress Update #1" of the GDM team):

    g = exp(z) D,    g' = g |r| / (2 |g|),    L = mean |g' - r|^2,    loss += L * (MSE / L),

where r and both scale factors are constants. So g' is half as long as r, and the whole adds as much
to the loss as the SAE's own error. The rescaled form of that report weighs this by the share of
dead latents, and lets it act on every latent at the start of the training, before any could die.
"""

from __future__ import annotations

import torch
from sae_lens.saes.sae import TrainStepInput
from sae_lens.saes.topk_sae import TopKTrainingSAE, TopKTrainingSAEConfig

SMALL = 1e-6  # as in the original, against division by zero


def ghost_reconstruction(
    hidden_pre: torch.Tensor, decoder: torch.Tensor, residual: torch.Tensor
) -> torch.Tensor:
    """g' [batch, d] from pre-activations [batch, n_dead] and decoder rows [n_dead, d].

    g' does not change when all of a row's exp(z) are multiplied by one constant, so the highest z
    of each row is taken off first: an exponential cannot overflow.
    """
    highest = hidden_pre.detach().amax(1, keepdim=True)
    ghost = (hidden_pre - highest).exp() @ decoder
    norm = ghost.detach().norm(dim=1, keepdim=True)
    return ghost * residual.norm(dim=1, keepdim=True) / (2.0 * norm + SMALL)


def ghost_loss(
    hidden_pre: torch.Tensor, decoder: torch.Tensor, residual: torch.Tensor
) -> torch.Tensor:
    """The term that is added: its value is the SAE's own error, its gradient that of L.

    Args:
        hidden_pre: of dead latents [batch, n_dead].
        decoder: their rows [n_dead, d].
        residual: x - xhat [batch, d], taken as a constant.
    """
    residual = residual.detach()
    error = residual.pow(2).sum(1).mean()
    found = (ghost_reconstruction(hidden_pre, decoder, residual) - residual).pow(2).sum(1).mean()
    return found * (error / (found + SMALL)).detach()


class GhostTopKSAE(TopKTrainingSAE):
    """A TopK SAE of sae-lens with ghost gradients in place of its auxiliary loss."""

    rescaled = False
    all_ghosts_until = 0

    def __init__(self, cfg: TopKTrainingSAEConfig, rescaled: bool, dead_after_steps: int) -> None:
        """`rescaled` chooses the form; the first `dead_after_steps` steps are "the start"."""
        super().__init__(cfg)
        self.rescaled = rescaled
        self.all_ghosts_until = dead_after_steps if rescaled else 0

    def calculate_aux_loss(
        self,
        step_input: TrainStepInput,
        feature_acts: torch.Tensor,  # noqa: ARG002
        hidden_pre: torch.Tensor,
        sae_out: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        """sae-lens adds what this returns to the error; `hidden_pre` is [batch, n_latents]."""
        dead = step_input.dead_neuron_mask
        if dead is not None and step_input.n_training_steps < self.all_ghosts_until:
            dead = torch.ones_like(dead)
        if dead is None or not bool(dead.any()):
            return {"ghost_loss": sae_out.new_zeros(())}
        index = dead.nonzero().squeeze(1)
        rows = self.W_dec[index]
        unit = rows / rows.norm(dim=1, keepdim=True)  # hidden_pre holds the norms already
        loss = ghost_loss(hidden_pre[:, index], unit, step_input.sae_in - sae_out)
        return {"ghost_loss": loss * len(index) / len(dead) if self.rescaled else loss}
