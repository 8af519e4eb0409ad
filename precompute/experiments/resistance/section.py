"""The section `[experiments.resistance]` of a config."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from precompute.sections import Frozen, Positive

Share = Annotated[float, Field(gt=0, lt=1)]
Weight = Annotated[float, Field(ge=0)]


class ResistanceConfig(Frozen):
    """SAEs that resist decomposition: what is trained, on what, and how often.

    The defaults take about eleven minutes of one core at d = 128.
    """

    n_latents: Positive = 1024
    k: Annotated[float, Field(gt=0)] = 16.0
    steps: Positive = 500
    batch_size: Positive = 1024
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    """Far above the suite's, for few steps: 0.89 of the variance after half a million rows."""
    dead_after_steps: Positive = 100
    seeds: Annotated[int, Field(ge=2)] = 3
    """Trainings of everything but the rest of the grid; the intervals are over them."""

    lambda2: tuple[Weight, ...] = (0.1, 0.3, 1.0)
    """Weights of the penalty."""
    sigma2: tuple[Annotated[float, Field(gt=0)], ...] = (0.3, 1.0, 3.0)
    """Its widths: every weight is tried with every width."""
    grid_seeds: Positive = 1
    """Trainings of every point but the published best one, (0.3, 1)."""
    meta_share: Share = 0.09
    """Meta-latents of the opponent a latent: 1,800 of 20,480 in the paper."""
    meta_k: Annotated[float, Field(gt=0)] = 8.0
    meta_learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    every: Positive = 10
    """Steps of the SAE between two turns of its opponent."""
    meta_steps: Positive = 5
    """Steps of one turn, each on all decoder rows."""
    extra_compute: Weight = 0.45
    """Share of further steps of `solo, equal compute`. Measured: with these defaults a step of the
    joint training takes 1.45 times the processor time of a plain one (by products counted 1.08)."""

    matryoshka: tuple[Share, ...] = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
    """Shares of the latents that rebuild the rows by themselves, beside all of them."""
    orthogonal_weight: Weight = 0.25
    orthogonal_chunk: Annotated[int, Field(ge=2)] = 256
    """Latents compared with each other at a step; a fresh draw at every step (OrtSAE: 8,192)."""

    posthoc_steps: Positive = 400
    """Of the meta-SAEs that are trained afterwards to measure; else they are as in `[meta]`."""
    heldout_rows: Positive = 100_000
    """Held-out tokens on which the SAEs are measured."""
    contexts: Positive = 64
    """Held-out contexts whose cross-entropy is measured."""

    @model_validator(mode="after")
    def _leaves_a_choice(self) -> ResistanceConfig:
        if self.k >= self.n_latents:
            raise ValueError(f"k = {self.k:g} must be below n_latents = {self.n_latents}")
        if self.meta_k >= self.meta_latents:
            raise ValueError(
                f"meta_share = {self.meta_share:g} leaves {self.meta_latents} meta-latents of "
                f"{self.n_latents}, which must be more than meta_k = {self.meta_k:g}"
            )
        widths = [round(share * self.n_latents) for share in self.matryoshka]
        if widths != sorted(set(widths)) or (widths and not 0 < widths[-1] < self.n_latents):
            raise ValueError(f"matryoshka: the widths {widths} must ascend below n_latents")
        return self

    @property
    def meta_latents(self) -> int:
        """Of the opponent."""
        return round(self.meta_share * self.n_latents)
