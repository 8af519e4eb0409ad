"""One method on one concept: effect and damage at every strength."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from precompute.experiments.findings import Findings
from precompute.experiments.intervals import Estimate, Groups
from precompute.experiments.steering.concepts import Concept
from precompute.experiments.steering.directions import Direction
from precompute.experiments.steering.fronts import at_damage

NAME = "steering"
EFFECT, DAMAGE = "effect", "damage"


@dataclass(frozen=True)
class Line:
    """What was measured; the first strength is 0, where nothing is added and nothing changes."""

    strengths: np.ndarray
    """float64 [1 + n_strengths]"""
    effects: np.ndarray
    """float64 [1 + n_strengths, n_prompts]"""
    damages: np.ndarray
    """float64 [1 + n_strengths, n_predictions]"""

    @staticmethod
    def of(strengths: tuple[float, ...], effects: np.ndarray, damages: np.ndarray) -> Line:
        """From what was measured at strengths above 0, both [n_strengths, n]."""
        return Line(np.array([0.0, *strengths]), _from_zero(effects), _from_zero(damages))

    @property
    def effect(self) -> np.ndarray:
        """float64 [1 + n_strengths], means."""
        return self.effects.mean(1)

    @property
    def damage(self) -> np.ndarray:
        return self.damages.mean(1)

    def effect_at(self, nats: float) -> float:
        return at_damage(self.damage, self.effect, nats)

    def strength_at(self, nats: float) -> float:
        return at_damage(self.damage, self.strengths, nats)

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Damages and effects of everything above strength 0."""
        return self.damage[1:], self.effect[1:]

    def draw(
        self, findings: Findings, subject: str, setting: str, prompts: Groups, text: Groups
    ) -> None:
        """Add both curves, without strength 0.

        Args:
            findings: to add to.
            subject: the SAE.
            setting: concept and method.
            prompts: of `effects`.
            text: of `damages`, by context.
        """
        for metric, groups, values in (
            (EFFECT, prompts, self.effects),
            (DAMAGE, text, self.damages),
        ):
            for step, (x, own) in enumerate(zip(self.strengths[1:], values[1:], strict=True)):
                findings.point(NAME, subject, setting, metric, step, x, groups.mean(own))


@dataclass(frozen=True)
class Steered:
    """All methods on one concept."""

    concept: Concept
    directions: dict[str, Direction]
    lines: dict[str, Line]

    def setting(self, method: str) -> str:
        """As the tables of experiments have it."""
        return f"{self.concept.name}: {method}"


def over_concepts(values: list[float], seed: int) -> Estimate:
    """Mean of one figure a concept, drawn again by concept; figures that are nan are left out."""
    known = np.array([value for value in values if np.isfinite(value)])
    return Groups(np.arange(len(known)), seed).mean(known)


def _from_zero(values: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(values[:1]), values])
