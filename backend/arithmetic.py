"""Sums of decoder directions: "einstein - german + french", and the latents nearest to the result.

From the decoder row v of a latent, the share that lies along each direction taken away is removed:
v - f <v, m> m for a unit direction m and a factor f (1 removes all of it, 2 mirrors it). Each
direction added comes with the same amount, f times the mean of what was removed, or with
`ALONE` when nothing was. So the sum keeps what the latent has besides that part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend import directions
from backend.question import Part
from backend.store import Run
from backend.sum_question import SumQuestion

ALONE = 0.5  # of a direction added when nothing is taken away: a strong component's weight
NEAREST = 12


@dataclass(frozen=True)
class Term:
    """One direction of a sum: what it is and how much of it, negative when it is taken away."""

    sae_id: str
    latent: int
    amount: float


@dataclass(frozen=True)
class Found:
    """One latent or meta-latent near a sum, and how near it is to what was changed."""

    sae_id: str
    latent: int
    cosine: float
    cosines: tuple[float, ...]
    """With each direction of the sum: the start, then those taken away, then those added."""


@dataclass(frozen=True)
class Sum:
    """A sum and what lies near it; `start` and `own` are the start's and the sum's cosines with
    each direction, in the order of `Found.cosines`."""

    terms: tuple[Term, ...]
    start: tuple[float, ...]
    own: tuple[float, ...]
    latents: tuple[Found, ...]
    meta_latents: tuple[Found, ...]


def add_up(run: Run, question: SumQuestion, meta_sae_id: str) -> Sum | None:
    """The sum, and its nearest latents in the SAE of its start and in a meta-SAE.

    Args:
        question: its directions are not among the answers.
        meta_sae_id: meta-SAE whose meta-latents are searched too; "" for none.

    Returns:
        None when a direction is not stored.
    """
    start, less, more, factor = question.start, question.less, question.more, question.factor
    named = question.parts
    rows = [directions.row(run, part.sae_id, part.latent) for part in named]
    if any(row is None or not np.linalg.norm(row) for row in rows):
        return None
    units = [row / np.linalg.norm(row) for row in rows if row is not None]
    if len({unit.shape for unit in units}) != 1:
        return None
    vector = units[0].astype(np.float64)
    amounts = []
    for unit in units[1 : 1 + len(less)]:
        amounts.append(factor * float(vector @ unit))
        vector = vector - amounts[-1] * unit
    removed = [abs(amount) for amount in amounts]
    added = float(np.mean(removed)) if removed else ALONE * factor
    for unit in units[1 + len(less) :]:
        vector = vector + added * unit
    terms = [Term(start.sae_id, start.latent, 1.0)]
    terms += [Term(p.sae_id, p.latent, -a) for p, a in zip(less, amounts, strict=True)]
    terms += [Term(p.sae_id, p.latent, added) for p in more]
    stack = np.stack(units)
    length = np.linalg.norm(vector)
    if not length:
        return None

    def near(sae_id: str) -> tuple[Found, ...]:
        taken = {part.latent for part in named if part.sae_id == sae_id}
        found = directions.nearest(run, sae_id, vector, NEAREST + len(taken))
        kept = [(latent, cosine) for latent, cosine in found if latent not in taken][:NEAREST]
        known = directions.rows(run, sae_id, [latent for latent, _ in kept])
        return tuple(
            Found(sae_id, latent, cosine, _cosines(stack, known[latent])) for latent, cosine in kept
        )

    return Sum(
        terms=tuple(terms),
        start=_cosines(stack, units[0]),
        own=_cosines(stack, vector),
        latents=near(start.sae_id),
        meta_latents=near(meta_sae_id) if meta_sae_id else (),
    )


def counterparts(run: Run, part: Part, k: int = 12) -> list[Part]:
    """Meta-latents of the same meta-SAE with the most similar directions: what could replace it."""
    row = directions.row(run, part.sae_id, part.latent)
    if row is None:
        return []
    found = directions.nearest(run, part.sae_id, row, k + 1)
    return [Part(part.sae_id, latent) for latent, _ in found if latent != part.latent][:k]


def _cosines(stack: np.ndarray, vector: np.ndarray) -> tuple[float, ...]:
    length = float(np.linalg.norm(vector))
    return tuple(float(value) / length if length else 0.0 for value in stack @ vector)
