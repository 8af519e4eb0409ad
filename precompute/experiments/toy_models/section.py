"""The section `[experiments.toy_models]` of a config."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from precompute.sections import Frozen, Positive

Share = Annotated[float, Field(gt=0, lt=1)]


class ToyModelsConfig(Frozen):
    """Known directions, how they fire, and the SAEs that look for them.

    The defaults take about two minutes of one core.
    """

    d: Positive = 32
    directions: Positive = 64
    """True directions: more than dimensions."""
    fires: Share = 0.05
    """Share of the rows on which a direction fires in `superposition`."""
    parent_fires: Share = 0.1
    """The same of a parent in `hierarchical`."""
    children: Annotated[int, Field(ge=2)] = 3
    """Of each parent; at most one of them fires beside it."""
    child_fires: Share = 0.4
    """How likely each would be to fire beside its parent if it had no siblings."""
    spread: Annotated[float, Field(ge=0)] = 0.2
    """Standard deviation of a coefficient, around 1."""

    rows: Positive = 131_072
    steps: Positive = 1000
    batch_size: Positive = 512
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    l1_coefficient: Annotated[float, Field(gt=0)] = 0.2
    matryoshka: tuple[Share, ...] = (1 / 4, 1 / 2)
    """Shares of the latents that rebuild the rows by themselves, beside all of them."""
    wide: Annotated[int, Field(ge=2)] = 4
    """Latents a true direction of the SAE that the meta-SAE splits."""
    meta_k: Annotated[float, Field(gt=0)] = 2.0
    meta_learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    seeds: Annotated[int, Field(ge=2)] = 3

    @model_validator(mode="after")
    def _is_a_toy(self) -> ToyModelsConfig:
        if self.directions <= self.d:
            raise ValueError(f"directions = {self.directions} must be more than d = {self.d}")
        if self.directions % (self.children + 1):
            raise ValueError(
                f"directions = {self.directions} cannot be parents with {self.children} children "
                f"each: take a multiple of {self.children + 1}"
            )
        return self
