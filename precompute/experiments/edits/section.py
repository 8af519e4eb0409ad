"""The `[experiments.edits]` section of a config."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from precompute.atlas.prompts import WORDINGS
from precompute.sections import Frozen, Positive

LEAST_ATTRIBUTES = 3
"""Of a table: one that is to change, and two that are to stay."""
TABLES = tuple(name for name, asked in WORDINGS.items() if len(asked) >= LEAST_ATTRIBUTES)
Strength = Annotated[float, Field(gt=0)]


class EditsConfig(Frozen):
    """One fact about an entity is changed to another entity's (science: Leask et al., RAVEL)."""

    tables: Annotated[tuple[str, ...], Field(min_length=1)] = TABLES
    """Tables of facts with enough attributes, of `precompute/atlas/wordings.py`."""
    entities: Annotated[int, Field(ge=12)] = 500
    """Of each table, drawn: a half to fit directions to, a sixth to choose by, a third to judge."""
    pairs: Positive = 60
    """Of each table, drawn from the entities to judge by."""
    choosing_pairs: Positive = 30
    """Of each table: strengths of directions are chosen on them."""
    least_examples: Positive = 3
    """Fitted entities that must share a value; else no direction could be known for it."""
    strengths: Annotated[tuple[Strength, ...], Field(min_length=1)] = (0.5, 1.0, 2.0, 4.0)
    """Lengths of a direction, over the distance between the means of the two values."""
    latent_strengths: Annotated[tuple[Strength, ...], Field(min_length=1)] = (1.0, 4.0, 16.0)
    """Factors of what an edit of a latent changes; 1 as published."""
    subsets: Annotated[int, Field(ge=4)] = 16
    """Sets of meta-latents tried for a pair at each strength: all of them, or so many drawn."""
    random_draws: Positive = 5
    reach: Literal["entity", "from the entity"] = "from the entity"
    """Tokens that change: the entity's own, or those behind it too, as published. A model may have
    carried on what it needs before the place of the SAE; then the entity's own change nothing."""

    @field_validator("tables")
    @classmethod
    def _have_enough_attributes(cls, tables: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(tables) - set(TABLES)):
            raise ValueError(
                f"{', '.join(unknown)}: no table with {LEAST_ATTRIBUTES} attributes to ask for; "
                f"those are {', '.join(TABLES)}"
            )
        return tables
