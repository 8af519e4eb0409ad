"""Steering towards known concepts: effect against damage, method by method.

1. Every concept (`concepts.py`) gets a direction of each method (`directions.py`).
2. Each is added at every token, in several strengths: what it does for the concept and what it
   costs (`effects.py`). Random directions are the same for all concepts; their lines are means
   over the draws.
3. Methods are compared at one damage and on Pareto fronts (`fronts.py`), with intervals over
   concepts.
4. For the decomposed SAE, which alone has every method, texts are written (`written.py`).

After Conmy and Nanda, "Activation Steering with SAEs" (GDM progress update 1, 2024).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from precompute.atlas.prompts import all_questions
from precompute.config import ConfigError
from precompute.experiments.bench import Bench
from precompute.experiments.findings import Findings
from precompute.experiments.steering.concepts import Concept, chosen_concepts
from precompute.experiments.steering.directions import (
    CHOSEN,
    LATENT,
    META_LATENT,
    METHODS,
    MINUS,
    RANDOM,
    VECTOR,
    Contrast,
    Direction,
    directions,
    meta_weights,
    random_units,
)
from precompute.experiments.steering.effects import Damage, Effect, last_activations
from precompute.experiments.steering.fronts import front_shares
from precompute.experiments.steering.lines import NAME, Line, Steered, over_concepts
from precompute.experiments.steering.section import SteeringConfig
from precompute.experiments.steering.written import write_texts

COMPARED_AT = 0.1  # nats of damage
AT_DAMAGE = f"effect at {COMPARED_AT:g} nats of damage"
GAIN = f"gain over the vector at {COMPARED_AT:g} nats of damage"
STRENGTH = f"strength at {COMPARED_AT:g} nats of damage"
FRONT, COSINE, LATENTS = "share of the Pareto front", "cosine with the vector", "latents"


def steering(bench: Bench, sae_id: str, settings: SteeringConfig) -> Findings:
    """All figures, lines and texts of one SAE.

    Raises:
        ConfigError: the model is an encoder, or the settings name an impossible concept.
    """
    model = bench.language_model
    if model.logits_through != "unembedding":
        raise ConfigError(
            f"[experiments.steering] steers what a causal model says next; {model.model_id} is an "
            "encoder. Leave the section out"
        )
    findings, seed = Findings(), bench.config.seed
    damage = Damage(bench, settings.contexts, settings.tokens)
    draws = random_units(settings.random_draws, damage.model.place.d_in, seed).to(bench.device)
    random_damages = np.mean([damage.of(_scaled(one, damage, settings)) for one in draws], 0)
    make = _maker(bench, sae_id, damage.length, settings)
    steered = []
    for concept in chosen_concepts(all_questions(), model.tokenizer, settings, seed):
        effect = Effect(bench, concept.measured, concept.targets)
        made = make(concept)
        lines = {
            method: Line.of(settings.strengths, effect.of(vectors), damage.of(vectors))
            for method, direction in made.items()
            for vectors in [_scaled(direction.unit, damage, settings)]
        }
        effects = np.mean([effect.of(_scaled(one, damage, settings)) for one in draws], 0)
        lines[RANDOM] = Line.of(settings.strengths, effects, random_damages)
        made[RANDOM] = Direction(draws[0])
        one = Steered(concept, made, lines)
        for method, line in lines.items():
            line.draw(findings, sae_id, one.setting(method), effect.groups, damage.groups)
        _concern(findings, bench, sae_id, one)
        steered.append(one)
    _compare(findings, sae_id, steered, seed)
    if sae_id == bench.config.decomposed_sae_id:
        write_texts(findings, bench, sae_id, steered, damage.length, settings)
    return findings


def _scaled(unit: torch.Tensor, damage: Damage, settings: SteeringConfig) -> torch.Tensor:
    """A direction [d_in] in every strength: [n_strengths, d_in]."""
    return torch.tensor(settings.strengths, device=unit.device)[:, None] * damage.length * unit


def _maker(
    bench: Bench, sae_id: str, length: float, settings: SteeringConfig
) -> Callable[[Concept], dict[str, Direction]]:
    """What makes the directions of a concept; the SAEs are loaded once.

    Single latents are chosen at the middle one of the strengths.
    """
    added = settings.strengths[len(settings.strengths) // 2] * length
    sae, meta = bench.sae(sae_id), None
    if sae_id == bench.config.decomposed_sae_id:
        found = bench.meta_sae()
        meta = found, meta_weights(sae, found)

    def make(concept: Concept) -> dict[str, Direction]:
        with_value = last_activations(bench, concept.with_value)
        without = last_activations(bench, concept.without)
        effect = Effect(bench, concept.tried, concept.targets)

        def score(units: torch.Tensor) -> np.ndarray:
            return effect.of(units * added).mean(1)

        return directions(Contrast.of(with_value, without, sae), sae, meta, score, settings)

    return make


def _concern(findings: Findings, bench: Bench, sae_id: str, one: Steered) -> None:
    """Say of each latent that is added by name what it did."""
    owners = {LATENT: sae_id, CHOSEN: sae_id, META_LATENT: bench.config.meta_sae_id}
    for method, owner in owners.items():
        if method not in one.directions:
            continue
        line = one.lines[method]
        for latent in one.directions[method].latents:
            findings.concerned.append(
                {
                    "sae_id": owner,
                    "latent": latent,
                    "experiment": NAME,
                    "subject": sae_id,
                    "setting": one.setting(method),
                    "metric": AT_DAMAGE,
                    "value": line.effect_at(COMPARED_AT),
                    "n": line.effects.shape[1],
                }
            )


def _compare(findings: Findings, sae_id: str, steered: list[Steered], seed: int) -> None:
    """Figures of every method, over the concepts that have it."""
    fronts = [front_shares({m: line.points() for m, line in one.lines.items()}) for one in steered]
    for method in METHODS:
        own = [(one, front) for one, front in zip(steered, fronts, strict=True)
               if method in one.lines]  # fmt: skip
        if not own:
            continue
        lines = [one.lines[method] for one, _ in own]
        effects = [line.effect_at(COMPARED_AT) for line in lines]
        vector = [one.lines[VECTOR].effect_at(COMPARED_AT) for one, _ in own]
        figures = {
            AT_DAMAGE: effects,
            STRENGTH: [line.strength_at(COMPARED_AT) for line in lines],
            FRONT: [front[method] for _, front in own],
        }
        if method != VECTOR:
            figures[GAIN] = [mine - its for mine, its in zip(effects, vector, strict=True)]
        if method not in (VECTOR, RANDOM):
            made = [one.directions for one, _ in own]
            figures[COSINE] = [float(d[method].unit @ d[VECTOR].unit) for d in made]
            if method in (CHOSEN, MINUS):
                figures[LATENTS] = [float(len(d[method].latents)) for d in made]
        for metric, values in figures.items():
            findings.measure(NAME, sae_id, method, metric, over_concepts(values, seed))
