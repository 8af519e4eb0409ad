"""An SAE and a meta-SAE trained against each other (Levinson 2026, arXiv 2604.03436).

1. `every` steps of the SAE on tokens: its own loss and the decomposability penalty of its unit
   decoder rows, against reconstructions by the meta-SAE as it is.
2. `meta_steps` steps of the meta-SAE on all of these rows as they are, without gradient to the SAE.

The paper's lambda_2 stands beside a squared error of 0.097 of unknown units. Rows here are scaled
to a variance of 1 a dimension and their error is counted a dimension, so that it is the share of
variance unexplained, near that value. sae-lens sums the error over the d dimensions instead;
everything that is added to its loss is therefore multiplied by d.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from sae_lens.saes.batchtopk_sae import BatchTopKTrainingSAEConfig
from sae_lens.saes.sae import TrainStepInput, TrainStepOutput
from sae_lens.training.sae_trainer import SAETrainer

from precompute.experiments.resistance.loop import take_step
from precompute.experiments.resistance.penalty import penalty
from precompute.sparse_batchtopk import SparseBatchTopKTrainingSAE
from precompute.training import Fit, trainer_of

RowCost = Callable[[torch.Tensor], torch.Tensor]
"""From unit decoder rows [n, d] to what is added to an error a dimension."""


class PenalisedSAE(SparseBatchTopKTrainingSAE):
    """A BatchTopK SAE whose decoder rows cost something."""

    row_cost: RowCost | None = None

    def training_forward_pass(self, step_input: TrainStepInput) -> TrainStepOutput:
        """sae-lens' loss on rows [batch, d_in], and d_in times `row_cost`."""
        output = super().training_forward_pass(step_input)
        if self.row_cost is not None:
            cost = self.cfg.d_in * self.row_cost(unit_rows(self))
            output.losses["row_cost"] = cost
            output.loss = output.loss + cost
        return output


def unit_rows(sae: SparseBatchTopKTrainingSAE) -> torch.Tensor:
    """Decoder rows [n, d] at unit length: what an inference copy has, with gradient."""
    return sae.W_dec / sae.W_dec.norm(dim=1, keepdim=True)


def batchtopk_config(d_in: int, n_latents: int, k: float) -> BatchTopKTrainingSAEConfig:
    """As `precompute.training` makes them."""
    return BatchTopKTrainingSAEConfig(d_in=d_in, d_sae=n_latents, k=k, decoder_init_norm=1.0)


class Opponent:
    """The meta-SAE that learns to rebuild an SAE's decoder rows while these learn to prevent it."""

    def __init__(
        self, settings: Fit, d_in: int, weight: float, sigma2: float, device: torch.device
    ) -> None:
        """`weight` and `sigma2` are lambda_2 and sigma^2; `settings.steps` all of its steps."""
        torch.manual_seed(settings.seed)
        self.meta = SparseBatchTopKTrainingSAE(
            batchtopk_config(d_in, settings.n_latents, settings.k)
        )
        self.trainer = trainer_of(self.meta, settings, device)
        self.weight, self.sigma2 = weight, sigma2

    def row_cost(self, rows: torch.Tensor) -> torch.Tensor:
        """lambda_2 times the mean of p over unit rows [n, d]; the meta-SAE stays as it is."""
        return penalty(rows, self.rebuilt(rows), self.weight, self.sigma2)

    @torch.no_grad()
    def rebuilt(self, rows: torch.Tensor) -> torch.Tensor:
        """Its reconstructions of rows [n, d], with exactly k meta-latents a row on average."""
        return self.meta.decode(self.meta.encode(rows))

    def learn(self, rows: torch.Tensor, steps: int) -> None:
        """Steps on all rows [n, d] at once."""
        for _ in range(steps):
            take_step(self.trainer, rows.detach())

    def between(self, every: int, steps: int) -> Callable[[SAETrainer, int], None]:
        """What the loop does after each step of the SAE: `steps` of its own `every` so often."""

        def after_step(trainer: SAETrainer, step: int) -> None:
            if step % every == 0:
                self.learn(unit_rows(trainer.sae), steps)

        return after_step
