"""Every way to edit, tried on every item of one table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch

from precompute.dictionary import Dictionary
from precompute.experiments.edits.choosing import (
    MetaEdit,
    Strengths,
    chosen_strengths,
    chosen_subsets,
)
from precompute.experiments.edits.directions import along, at_random, value_directions
from precompute.experiments.edits.laboratory import (
    Edit,
    Item,
    Laboratory,
    stronger,
    without_error,
)
from precompute.experiments.edits.latent_edits import Parts, as_code, as_text, whole_latent
from precompute.experiments.edits.pairs import Pair
from precompute.experiments.edits.scoring import Replies, Scores, scores

NOTHING, WHOLE = "nothing", "whole latent"
META: dict[str, MetaEdit] = {"meta as text": as_text, "meta as code": as_code}
MEANS, PROBE, RANDOM = "difference of means", "probe", "random"
CEILING = "other's activation"
"""The entity's mean activation taken and the other's put in: how much the place allows at all."""
NO_ERROR, RANDOM_META = ", no error term", ", random meta-latents"


@dataclass(frozen=True)
class Outcome:
    """Of one method: for each item its edit, the answers, and its scores, means over draws."""

    edits: list[Edit]
    replies: Replies
    """Of several draws, those of the first."""
    scores: Scores


@dataclass(frozen=True)
class Trials:
    """Of all methods on one table."""

    items: list[Item]
    outcomes: dict[str, Outcome]
    strengths: dict[str, Strengths]
    """Of each method whose strength was chosen on other pairs."""


def all_methods(lab: Laboratory, meta: Dictionary | None) -> Trials:
    """Try them all; those with meta-latents only where there is a meta-SAE."""
    items, latents, settings = lab.items, lab.scenes.latents, lab.settings
    means, values = lab.scenes.entity_means(), value_directions(lab)

    @cache  # one edit a pair is tried once, whatever it is meant for
    def nothing(pair: Pair) -> Edit:
        return Edit(pair, lambda scene: torch.zeros_like(scene.x))

    @cache
    def entity_means(pair: Pair) -> Edit:
        return along(pair, means[pair.other] - means[pair.entity])

    @cache
    def whole(pair: Pair, factor: float) -> Edit:
        return stronger(whole_latent(lab.sae, latents, pair), factor)

    def difference(item: Item) -> Edit:
        return along(item.pair, values[item.target].difference(*_tokens(lab, item)))

    def probed(item: Item) -> Edit:
        return along(item.pair, values[item.target].probed(*_tokens(lab, item)))

    strengths = {
        WHOLE: chosen_strengths(lab, lambda item: whole(item.pair, 1), settings.latent_strengths),
        MEANS: chosen_strengths(lab, difference, settings.strengths),
        PROBE: chosen_strengths(lab, probed, settings.strengths),
    }
    factor = {name: own.chosen for name, own in strengths.items()}
    swaps = [whole(item.pair, factor[WHOLE][item.target]) for item in items]
    edits = {
        NOTHING: [nothing(item.pair) for item in items],
        CEILING: [entity_means(item.pair) for item in items],
        WHOLE: swaps,
        MEANS: [stronger(difference(i), factor[MEANS][i.target]) for i in items],
        PROBE: [stronger(probed(i), factor[PROBE][i.target]) for i in items],
    }
    if meta is not None:
        rng = np.random.default_rng(lab.seed)
        parts = [Parts.of(lab.sae, meta, latents, pair) for pair in lab.pairs]
        dealt = [own.with_random_others(rng) for own in parts]
        for method, make in META.items():
            edits[method] = chosen_subsets(lab, meta, parts, make)
            edits[method + RANDOM_META] = chosen_subsets(lab, meta, dealt, make)
    for method in (NOTHING, WHOLE, *META):
        if method in edits:
            without = {id(edit): without_error(edit) for edit in edits[method]}
            edits[method + NO_ERROR] = [without[id(edit)] for edit in edits[method]]
    found = {method: _outcome(lab, items, own) for method, own in edits.items()}
    found[RANDOM] = _random(lab, items, swaps)
    return Trials(items, found, strengths)


def _tokens(lab: Laboratory, item: Item) -> tuple[int, int]:
    """First tokens of the two entities' values of the target."""
    answers = lab.table.answers
    own, other = answers[item.pair.entity, item.target], answers[item.pair.other, item.target]
    return int(own), int(other)


def _outcome(lab: Laboratory, items: list[Item], edits: list[Edit]) -> Outcome:
    replies = lab.judge(edits)
    target = np.array([item.target for item in items], np.int64)
    return Outcome(edits, replies, scores(replies, target))


def _random(lab: Laboratory, items: list[Item], swaps: list[Edit]) -> Outcome:
    """Directions as long as the whole-latent change; scores are means over draws."""
    generator = torch.Generator().manual_seed(lab.seed)
    width = lab.sae.W_dec.shape[1]
    draws = []
    for _ in range(lab.settings.random_draws):
        drawn = {id(edit): at_random(edit, width, generator) for edit in swaps}
        draws.append(_outcome(lab, items, [drawn[id(edit)] for edit in swaps]))
    averaged = {
        name: np.mean([getattr(one.scores, name) for one in draws], 0)
        for name in ("cause", "isolate", "odds", "odds_elsewhere")
    }
    return replace(draws[0], scores=replace(draws[0].scores, **averaged))
