"""The section `[experiments.layers]` of a config."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from precompute.sections import Frozen, Positive


class LayersConfig(Frozen):
    """SAEs of one size at every layer, trained as the suite is but on fewer tokens."""

    n_latents: Positive = 1024
    k: Positive = 16
    """Latents that fire on a token, on average."""
    tokens: Positive = 1_000_000
    """Training tokens, of which a tenth as many are held out."""
    epochs: Annotated[float, Field(gt=0)] = 2.0
    contexts: Positive = 256
    """Held-out contexts whose tokens are all changed at once."""
    position: Positive = 16
    """The token that is changed alone, counted from 0 among the ordinary ones."""

    @model_validator(mode="after")
    def _leaves_a_choice(self) -> LayersConfig:
        if self.k >= self.n_latents:
            raise ValueError(f"k = {self.k} must be below n_latents = {self.n_latents}")
        return self
