"""The `[experiments.absorption]` of a config."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from precompute.sections import Frozen, Positive


class AbsorptionConfig(Frozen):
    """Splitting and absorption of what words are: their first letters and their classes."""

    of: tuple[Literal["letter", "class"], ...] = ("letter", "class")
    """What is asked of a word: its first letter, or its class, the table of facts it is in."""
    prompt: str = "The first letter of {word} is"
    """For letters. A causal model goes on with the letter."""
    words: Positive = 5000
    """Words of one token for letters, drawn from the vocabulary. Of a causal model those are used
    whose letter it says."""
    letter_at: Literal["word", "end"] | None = None
    """The token where a letter is read; None: the word in an encoder, the end of the prompt in a
    causal model, which is where it says the letter."""
    class_prompt: str = "We were speaking of {word}."
    """For classes, which are read at the last token of the word."""
    words_per_class: Positive = 400
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.4
    least_test_words: Positive = 16
    """Words of a letter or a class for testing, below which it is left out."""
    least_probe_f1: Annotated[float, Field(gt=0, lt=1)] = 0.6
    """Of the probe on activations, below which a letter or class is left out (SAEBench)."""
    attributed_words: Positive = 200
    """Words of a letter, at most, whose latents' effects on the model's answer are worked out."""
    steps: Positive = 6
    """Of the integrated gradients."""

    @field_validator("prompt", "class_prompt")
    @classmethod
    def _has_a_place(cls, prompt: str) -> str:
        if prompt.count("{word}") != 1:
            raise ValueError("write {word} where the word belongs, once")
        return prompt

    @field_validator("of")
    @classmethod
    def _asks_something(cls, of: tuple[str, ...]) -> tuple[str, ...]:
        if not of or len(set(of)) < len(of):
            raise ValueError('name "letter", "class" or both, each once')
        return of
