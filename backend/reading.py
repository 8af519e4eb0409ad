"""A text as an SAE reads it: its tokens, what fires on each, and sums over some or all of them."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.bounds import as_text
from backend.records import Record

LONGEST_TEXT = 2000  # characters; a model's context ends far before


@dataclass(frozen=True)
class Question:
    """A text for one SAE of one version of a run; `folder` is that of the run."""

    folder: Path
    short_hash: str
    sae_id: str
    n_latents: int
    text: str


@dataclass(frozen=True)
class Token:
    """Characters `start` to `end` of the text; `latents` fire on it, strongest first."""

    start: int
    end: int
    latents: tuple[int, ...]
    activations: tuple[float, ...]


@dataclass(frozen=True)
class Reading:
    """What one SAE makes of a text; `n_tokens` counts those beyond the model's context too."""

    tokens: tuple[Token, ...]
    n_tokens: int

    @property
    def latents(self) -> list[int]:
        """Every latent that fires anywhere, by index."""
        return sorted({latent for token in self.tokens for latent in token.latents})


def clean_text(typed: object) -> tuple[str, bool]:
    """What was typed, without control characters, and whether its end was cut off.

    Line breaks and tabs stay, and so do marks of direction: a text may need them.
    """
    if not isinstance(typed, str):
        return "", False
    # forms send a line break as two characters
    text = as_text(typed[: 2 * LONGEST_TEXT + 2]).replace("\r\n", "\n")
    text = "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else " " for c in text)
    return text[:LONGEST_TEXT], len(text) > LONGEST_TEXT


def parse_reading(body: Mapping[str, Any], question: Question) -> Reading:
    """An answer of the worker (see `precompute.own_text`), checked: it is shown to readers.

    Raises:
        ValueError: it is no answer to this question.
    """
    try:
        tokens = tuple(
            Token(int(start), int(end), tuple(map(int, latents)), tuple(map(float, activations)))
            for start, end, latents, activations in body["tokens"]
        )
        n_tokens = int(body["n_tokens"])
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"lacks or misspells a field: {error}") from error
    for token in tokens:
        if not (
            0 <= token.start <= token.end <= len(question.text)
            and len(token.latents) == len(token.activations)
            and all(0 <= latent < question.n_latents for latent in token.latents)
            and all(map(math.isfinite, token.activations))
        ):
            raise ValueError("holds a token or a latent that there is not")
    if n_tokens < len(tokens):
        raise ValueError("counts fewer tokens than it holds")
    return Reading(tokens, n_tokens)


def share_of_maximum(activation: float, latent: Record) -> float | None:
    """Activation / the largest one in the run's text; None where it never fired there."""
    maximum = latent["max_activation"]
    return activation / maximum if maximum > 0 else None


def strongest_share(token: Token, latents: Mapping[int, Record]) -> float:
    """The largest share of its maximum that any latent reaches on a token; 0 when none fires."""
    shares = (
        share_of_maximum(activation, latents[latent])
        for latent, activation in zip(token.latents, token.activations, strict=True)
    )
    return max((share for share in shares if share is not None), default=0.0)


def pooled_latents(tokens: Sequence[Token], latents: Mapping[int, Record]) -> list[Record]:
    """Every latent that fires on some of `tokens`, by the share of its maximum that it reaches.

    Columns: those of `latents`, and activation (the strongest), position (of that token), share
    (of its maximum; None when that is not known), n_tokens (on which it fires).
    """
    pooled: dict[int, Record] = {}
    for position, token in enumerate(tokens):
        for latent, activation in zip(token.latents, token.activations, strict=True):
            row = pooled.setdefault(
                latent, {**latents[latent], "activation": 0.0, "position": position, "n_tokens": 0}
            )
            row["n_tokens"] += 1
            if activation > row["activation"]:
                row |= {"activation": activation, "position": position}
    for row in pooled.values():
        row["share"] = share_of_maximum(row["activation"], row)
    return sorted(
        pooled.values(),
        key=lambda row: (-(row["share"] or 0.0), -row["activation"], row["latent"]),
    )


def pooled_metas(
    tokens: Sequence[Token],
    components: Mapping[int, Sequence[Record]],
    usual: Mapping[int, float],
) -> list[Record]:
    """Meta-latents behind the latents that fire on `tokens`.

    A token's activation is about the sum of latent activation x direction, and each direction the
    sum of weight x meta-latent; so a meta-latent's part in the token is the sum over latents of
    activation x weight. The mean of that over tokens can be compared with the mean over the whole
    corpus, and the meta-latents that exceed theirs most come first.

    Args:
        tokens: all that the mean is over, at least one.
        components: by latent, the rows of `own_text.components`.
        usual: by meta-latent, that mean over the corpus, as `own_text.usual_metas` gives it.

    Columns: meta_latent, label, weight (the mean), usual, ratio (weight / usual; None when there
    is none), n_latents (through which it comes).
    """
    sums: dict[int, float] = {}
    through: dict[int, set[int]] = {}
    labels: dict[int, str] = {}
    for token in tokens:
        for latent, activation in zip(token.latents, token.activations, strict=True):
            for part in components.get(latent, ()):
                meta_latent = part["meta_latent"]
                labels[meta_latent] = part["label"]
                sums[meta_latent] = sums.get(meta_latent, 0.0) + activation * part["activation"]
                through.setdefault(meta_latent, set()).add(latent)
    rows = []
    for meta_latent, total in sums.items():
        weight, mean = total / len(tokens), usual.get(meta_latent, 0.0)
        rows.append(
            {
                "meta_latent": meta_latent,
                "label": labels[meta_latent],
                "weight": weight,
                "usual": mean,
                "ratio": weight / mean if mean > 0 else None,
                "n_latents": len(through[meta_latent]),
            }
        )
    return sorted(rows, key=lambda row: (row["usual"] - row["weight"], row["meta_latent"]))


def by_latent(rows: Iterable[Record]) -> dict[int, Record]:
    """Rows by their column `latent`."""
    return {row["latent"]: row for row in rows}
