"""The `[experiments]` of a config: each is switched on by its own section."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from precompute.experiments.absorption.section import AbsorptionConfig
from precompute.experiments.dead_latents.section import DeadLatentsConfig
from precompute.experiments.edits.section import EditsConfig
from precompute.experiments.layers.section import LayersConfig
from precompute.experiments.resistance.section import ResistanceConfig
from precompute.experiments.steering.section import SteeringConfig
from precompute.experiments.toy_models.section import ToyModelsConfig
from precompute.sections import Frozen, Positive


class ErrorsConfig(Frozen):
    """What an SAE's error does to the model against random vectors of its length (`errors/`)."""

    contexts: Positive = 256
    """Held-out contexts whose tokens are all changed at once."""
    position: Positive = 16
    """The token that is changed alone, counted from 0 among the ordinary ones."""
    window: Positive = 16
    """Tokens from there on that are watched."""
    sampled_tokens: Positive = 60
    """Tokens for which one error is compared with many random vectors."""
    draws: Annotated[int, Field(ge=20)] = 200
    """Random vectors for each of them."""


class PursuitConfig(Frozen):
    """The same decoders with other encoders (`pursuit/`)."""

    contexts: Positive = 128
    """Held-out contexts whose activations are coded."""
    ks: tuple[Positive, ...] = (1, 2, 4, 8, 12, 16, 24, 32)
    """Latents that a token may use; the SAE's own L0 is added."""


class ExperimentsConfig(Frozen):
    """Which experiments a run makes; None: not that one."""

    errors: ErrorsConfig | None = None
    layers: LayersConfig | None = None
    pursuit: PursuitConfig | None = None
    absorption: AbsorptionConfig | None = None
    resistance: ResistanceConfig | None = None
    dead_latents: DeadLatentsConfig | None = None
    toy_models: ToyModelsConfig | None = None
    edits: EditsConfig | None = None
    steering: SteeringConfig | None = None
