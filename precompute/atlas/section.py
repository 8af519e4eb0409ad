"""The `[atlas]` section of a config: the causal model that a run trains from scratch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from backend.kept_model import SOURCE
from precompute.sections import Frozen, Positive

FOLDER_PREFIX = f"{SOURCE}-"
UNTRAINED = (
    f'model.source = "{SOURCE}" is trained by `python -m precompute run`. To load it afterwards, '
    f"give the folder {FOLDER_PREFIX}... in the run's work folder"
)


class AtlasConfig(Frozen):
    """A GPT-2 of 1.8 million parameters that learns the fact tables.

    About 130,000 tokens of its text say each of the 11,000 facts and spellings once, so 8,000 steps
    of 1,024 tokens say everything some 60 times.
    """

    vocabulary: Annotated[int, Field(ge=320)] = 8000
    """Tokens. The 256 bytes and what is frequent; nearly all names and answers are one token."""
    d_model: Positive = 128
    n_layers: Positive = 4
    n_heads: Positive = 4
    context_size: Annotated[int, Field(ge=32)] = 128
    """The most tokens that the model can read, and the length of a row in training."""
    short_context: Annotated[int, Field(ge=8)] = 16
    """Length of the rows that training begins with, one sentence or two. Among few tokens a model
    soon learns where the entity stands; among many it first learns the most frequent answers."""
    short_share: Annotated[float, Field(ge=0, le=1)] = 0.7
    """Share of the steps that have short rows."""
    first_entities: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Share of the entities that the training begins with. How to look a fact up is learned from
    few entities that come often; then new ones are quickly added."""
    growing_share: Annotated[float, Field(ge=0, le=1)] = 0.4
    """Share of the steps over which the rest of the entities come in."""
    steps: Positive = 8000
    """At most; the training ends early at `enough`."""
    batch_tokens: Positive = 1024
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    warm_up_share: Annotated[float, Field(ge=0, lt=1)] = 0.01
    examine_every: Positive = 500
    """Steps between examinations on the held-out prompts."""
    accuracy: Annotated[float, Field(ge=0, le=1)] = 0.9
    """Share of the held-out prompts that the model must answer; below it there is no run."""
    enough: Annotated[float, Field(gt=0, le=1)] = 0.99
    """Two examinations in a row at this share end the training."""
    prose_drawings: Annotated[int, Field(ge=0)] = 12
    """Drawings of the fact sentences that it reads besides completed prompts; 0: no prose."""
    entities_per_table: Positive | None = None
    """The first this many rows of each table; None: all."""

    @model_validator(mode="after")
    def _can_be_built(self) -> AtlasConfig:
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model = {self.d_model} is no multiple of n_heads = {self.n_heads}")
        if not self.short_context <= self.context_size <= self.batch_tokens:
            raise ValueError("sizes must ascend: short_context, context_size, batch_tokens")
        if self.enough < self.accuracy:
            raise ValueError(f"enough = {self.enough} ends below accuracy = {self.accuracy}")
        return self


def check_atlas(section: AtlasConfig | None, source: str) -> None:
    """Refuse an `[atlas]` section that no model would be made from.

    Raises:
        ValueError: `source` neither asks for the atlas nor is the folder of a trained one.
    """
    if section and source != SOURCE and not Path(source).name.startswith(FOLDER_PREFIX):
        raise ValueError(
            f'[atlas] describes a model to train, but model.source = "{source}". Set it to '
            f'"{SOURCE}", or leave [atlas] out'
        )
