"""The section `[experiments.dead_latents]` of a config."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from precompute.sections import Frozen, Positive


class DeadLatentsConfig(Frozen):
    """A setting in which latents die, for every way against that.

    A TopK SAE with few latents a token and few steps, started badly on purpose: its encoder at
    random directions that have nothing to do with the decoder's, its decoder bias at 0, far from
    the mean row. With the defaults a quarter of its latents die if nothing is done. They take about
    two and a half minutes of one core at d = 128.
    """

    n_latents: Positive = 1024
    k: Positive = 8
    steps: Positive = 300
    batch_size: Positive = 512
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    dead_after_steps: Positive = 25
    """Steps without firing after which a latent counts as dead; a ghost gradient sets in there."""
    resample_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Dead latents are resampled this often: after every such share of the steps, not at the end
    (Anthropic: four times in 200,000 steps)."""
    resample_rows: Positive = 8192
    """Rows among which the badly rebuilt ones are drawn (Anthropic: 819,200)."""
    seeds: Annotated[int, Field(ge=2)] = 3
    heldout_rows: Positive = 100_000
    """Held-out tokens on which a latent must fire once to be alive."""

    @model_validator(mode="after")
    def _leaves_a_choice(self) -> DeadLatentsConfig:
        if self.k >= self.n_latents:
            raise ValueError(f"k = {self.k} must be below n_latents = {self.n_latents}")
        return self
