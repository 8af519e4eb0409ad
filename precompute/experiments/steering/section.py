"""The `[experiments.steering]` section of a config."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from precompute.sections import Frozen, Positive

Above = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]


class SteeringConfig(Frozen):
    """Towards which concepts the model is steered, how strongly, and what is measured."""

    concepts: tuple[str, ...] = ()
    """`table/attribute/value`, e.g. `cities/country/France`; none: chosen by the facts' number."""
    count: Annotated[int, Field(ge=2)] = 12
    """Concepts to choose when none are given."""
    entities: Positive = 48
    """With the value, and as many without it, whose prompts make the vector."""
    prompts: Annotated[int, Field(ge=4)] = 24
    """On which the effect is measured: half ask about other entities, half begin a text."""
    contexts: Annotated[int, Field(ge=2)] = 16
    """Held-out contexts on which the damage is measured."""
    tokens: Annotated[int, Field(ge=4)] = 48
    """At most so many of each."""
    strengths: Annotated[tuple[Above, ...], Field(min_length=2)] = (
        0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.7, 1.0,
    )  # fmt: skip
    """Lengths of what is added, over the mean length of an activation."""
    candidates: Positive = 8
    """Latents with the largest differences, of which the single one is the best on training."""
    chosen_share: Share = 0.25
    """Latents whose difference is at least this share of the largest are the chosen ones."""
    equal_share: Share = 0.5
    """Latents that fire at least this share as much on the other side look irrelevant."""
    random_draws: Positive = 3
    samples: Positive = 3
    """Texts written for each concept and method at each of `written_at`."""
    written_at: Annotated[tuple[Above, ...], Field(min_length=1)] = (0.1, 0.5)
    """Nats of damage; the first is the one that the samples are counted at."""
    written_tokens: Positive = 16
    temperature: Above = 0.8

    @field_validator("strengths", "written_at")
    @classmethod
    def _ascend(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if list(values) != sorted(set(values)):
            raise ValueError("must ascend without repeats")
        return values

    @field_validator("concepts")
    @classmethod
    def _have_three_parts(cls, concepts: tuple[str, ...]) -> tuple[str, ...]:
        for one in concepts:
            if len(one.split("/")) != 3:
                raise ValueError(f"{one!r} is not of the form table/attribute/value")
        return concepts
