"""What every reader of a foreign format makes of it: one set of latents, and what it says it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SHOWN_TOP, SHOWN_INTERVALS = 3, 2  # examples kept of a latent
SIDE_TOKENS = 12  # kept on each side of the strongest token
MOST_TOKENS = 10  # of a list of promoted tokens or the like
MOST_EXPLANATIONS = 8
LONGEST_TEXT = 2_000  # characters of an explanation
LONGEST_TOKEN = 100
TOP = "top"


@dataclass(slots=True)
class Example:
    """Tokens around one firing; `values` are activations, `peak` the token that it is about."""

    group: str
    tokens: list[str]
    values: list[float]
    peak: int


@dataclass(slots=True)
class ForeignLatent:
    """What a tool says about one latent; the fields are columns of `backend.elsewhere.SCHEMA`."""

    explanations: list[tuple[str, str]] = field(default_factory=list)
    density: float | None = None
    max_activation: float | None = None
    promoted: list[tuple[str, float]] = field(default_factory=list)
    suppressed: list[tuple[str, float]] = field(default_factory=list)
    fires_on: list[tuple[str, float]] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    scores: list[tuple[str, float, float, int]] = field(default_factory=list)
    parts: list[tuple[int, float, str]] = field(default_factory=list)

    def explain(self, words: object, by: object) -> None:
        """Add an explanation; the last one that is not empty is the latent's label."""
        text = clean_text(words, LONGEST_TEXT)
        if text:
            self.explanations = [
                *self.explanations[1 - MOST_EXPLANATIONS :],
                (text, clean_text(by, LONGEST_TOKEN)),
            ]

    def wants(self, group: str, strength: float) -> bool:
        """Whether an example of that strength would be kept."""
        alike = [kept for kept in self.examples if (kept.group == TOP) == (group == TOP)]
        if group != TOP and any(kept.group == group for kept in alike):
            return False
        most = SHOWN_TOP if group == TOP else SHOWN_INTERVALS
        return len(alike) < most or strength > _strength(alike[-1])

    def keep(self, example: Example) -> None:
        """Keep an example that `wants` allows, unless its text is there, the weakest making way."""
        if any(kept.tokens == example.tokens for kept in self.examples):
            return
        ranked = sorted([*self.examples, example], key=_strength, reverse=True)
        tops = [kept for kept in ranked if kept.group == TOP]
        others = [kept for kept in ranked if kept.group != TOP]
        self.examples = [*tops[:SHOWN_TOP], *others[:SHOWN_INTERVALS]]


@dataclass
class ForeignSet:
    """All that was read; `about` are texts for the file of evidence and for the report."""

    tool: str
    about: dict[str, str] = field(default_factory=dict)
    latents: dict[int, ForeignLatent] = field(default_factory=dict)
    vectors: dict[int, np.ndarray] = field(default_factory=dict)
    """Decoder rows of some latents, float32 [d_in] each."""
    width: int | None = None
    """How many latents there are in all, where the files say so."""
    notes: list[str] = field(default_factory=list)
    """What is worth saying about the files."""

    def latent(self, index: int) -> ForeignLatent:
        """The latent of that index, made when it is new."""
        return self.latents.setdefault(index, ForeignLatent())

    def labels(self) -> dict[int, tuple[str, str]]:
        """Label and its author, by latent."""
        return {
            index: latent.explanations[-1]
            for index, latent in sorted(self.latents.items())
            if latent.explanations
        }


def window(group: str, tokens: Sequence[str], values: Sequence[float], peak: int) -> Example:
    """The example around `peak`, cut to `SIDE_TOKENS` on each side."""
    start, end = max(peak - SIDE_TOKENS, 0), peak + SIDE_TOKENS + 1
    return Example(
        group,
        [token[:LONGEST_TOKEN] for token in tokens[start:end]],
        list(values[start:end]),
        peak - start,
    )


def number(value: object) -> float | None:
    """A finite number as a float; None for anything else (NaN and infinities mean unknown)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def numbers(values: object) -> list[float]:
    """A list of activations, where what is no finite number is 0; empty when it is no list."""
    if not isinstance(values, list | tuple):
        return []
    return [number(value) or 0.0 for value in values]


def clean_text(text: object, longest: int) -> str:
    """Text on one line that can be stored, cut at `longest` characters; "" when it is no text."""
    if not isinstance(text, str):
        return ""
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def paired(tokens: Sequence[str], values: Any) -> list[tuple[str, float]]:
    """Tokens with their finite values, at most `MOST_TOKENS`."""
    found = [] if not isinstance(values, list | tuple) else [number(value) for value in values]
    pairs = [
        (token[:LONGEST_TOKEN], value)
        for token, value in zip(tokens, found, strict=False)
        if value is not None
    ]
    return pairs[:MOST_TOKENS]


def _strength(example: Example) -> float:
    return example.values[example.peak]
