"""Texts written towards each concept at the same damage, and how many of their tokens are targets.

Each text begins with an opening, or with a question about another entity, by turns. Before all
others come untouched ones, at strength 0 under the method `vector`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from precompute.experiments.bench import Bench
from precompute.experiments.findings import Findings
from precompute.experiments.steering.continuing import continued
from precompute.experiments.steering.directions import METHODS, VECTOR
from precompute.experiments.steering.effects import prompt_pieces
from precompute.experiments.steering.lines import NAME, Steered, over_concepts
from precompute.experiments.steering.section import SteeringConfig


@dataclass(frozen=True)
class Wanted:
    """One text to be written."""

    steered: Steered
    method: str
    level: int
    """Place of the damage in `written_at`; -1: untouched."""
    draw: int
    strength: float

    @property
    def prompt(self) -> str:
        concept = self.steered.concept
        kind = (concept.openings, concept.asked)[self.draw % 2]
        return kind[self.draw // 2 % len(kind)]


def write_texts(
    findings: Findings,
    bench: Bench,
    sae_id: str,
    steered: list[Steered],
    length: float,
    settings: SteeringConfig,
) -> None:
    """Let the model write, and add the texts and the gain of target tokens of every method.

    Args:
        findings: to add to.
        bench: of a causal model.
        sae_id: of the SAE that the directions are from.
        steered: all concepts.
        length: mean length of an activation.
        settings: of the experiment.
    """
    wanted = [one for own in steered for one in _wanted(own, settings)]
    units = torch.stack([one.steered.directions[one.method].unit for one in wanted])
    strengths = torch.tensor([one.strength for one in wanted], device=units.device)
    pieces = prompt_pieces(bench, [one.prompt for one in wanted], settings.written_tokens)
    draws = np.array([one.draw for one in wanted])
    vectors = units * strengths[:, None] * length
    written = continued(
        bench, pieces, vectors, draws, settings.written_tokens, settings.temperature
    )
    hits = np.array(
        [
            int(np.isin(ids, list(one.steered.concept.targets)).sum())
            for one, ids in zip(wanted, written, strict=True)
        ]
    )
    numbers: dict[str, int] = {}
    for one, ids, n in zip(wanted, written, hits, strict=True):
        setting = one.steered.setting(one.method)
        numbers[setting] = numbers.get(setting, -1) + 1
        findings.continuations.append(
            {
                "experiment": NAME,
                "subject": sae_id,
                "setting": setting,
                "number": numbers[setting],
                "strength": one.strength,
                "prompt": one.prompt,
                "text": str(bench.language_model.tokenizer.decode(ids.tolist())),
                "hits": int(n),
            }
        )
    _count(findings, sae_id, steered, wanted, hits / settings.written_tokens, settings, bench)


def _wanted(own: Steered, settings: SteeringConfig) -> list[Wanted]:
    """The texts of one concept: untouched ones, then every method at every damage."""
    found = [Wanted(own, VECTOR, -1, draw, 0.0) for draw in range(settings.samples)]
    for method in METHODS:
        if method in own.lines:
            for level, nats in enumerate(settings.written_at):
                strength = own.lines[method].strength_at(nats)
                found += [
                    Wanted(own, method, level, draw, strength) for draw in range(settings.samples)
                ]
    return found


def _count(
    findings: Findings,
    sae_id: str,
    steered: list[Steered],
    wanted: list[Wanted],
    share: np.ndarray,
    settings: SteeringConfig,
    bench: Bench,
) -> None:
    """Shares of target tokens beyond those of the untouched texts with the same beginnings."""

    def mean(own: Steered, method: str, level: int) -> float:
        chosen = [one.steered is own and (one.method, one.level) == (method, level)
                  for one in wanted]  # fmt: skip
        return float(share[chosen].mean())

    metric = f"gain of target tokens in texts at {settings.written_at[0]:g} nats of damage"
    for method in METHODS:
        gains = [
            mean(own, method, 0) - mean(own, VECTOR, -1) for own in steered if method in own.lines
        ]
        if gains:
            findings.measure(NAME, sae_id, method, metric, over_concepts(gains, bench.config.seed))
