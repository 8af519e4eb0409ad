"""Can one fact about an entity be edited through a latent's meta-latents, and the others kept?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from precompute.atlas.prompts import Question, all_questions
from precompute.config import ConfigError
from precompute.experiments.bench import Bench
from precompute.experiments.edits.laboratory import Laboratory, items_of
from precompute.experiments.edits.methods import (
    NOTHING,
    WHOLE,
    Trials,
    all_methods,
)
from precompute.experiments.edits.questions import CHOOSING, JUDGING, UNKNOWN, fact_tables
from precompute.experiments.edits.rows import NAME, concerned_rows, edit_rows
from precompute.experiments.edits.section import EditsConfig
from precompute.experiments.findings import Findings
from precompute.experiments.intervals import Estimate, Groups

SCORES = ("cause", "isolate", "disentangle")
TABLE_STEP = 1_000_000  # entities of different tables get different numbers
Tried = list[tuple[Laboratory, Trials]]


def targeted_edits(bench: Bench, sae_id: str, settings: EditsConfig) -> Findings:
    """All figures of one SAE; meta-latents only of the SAE that the run decomposes.

    Raises:
        ConfigError: the model does not predict next tokens.
    """
    if bench.language_model.logits_through != "unembedding":
        raise ConfigError(
            "[experiments.edits] asks the model for its next token, and "
            f"{bench.language_model.model_id} is an encoder, which has none. Leave that section "
            "out, or take a causal model"
        )
    return edits_of(bench, sae_id, settings, all_questions())


def edits_of(
    bench: Bench, sae_id: str, settings: EditsConfig, questions: Iterable[Question]
) -> Findings:
    """The same on given questions; a model that knows none of the answers has no edits."""
    findings, sae, seed = Findings(), bench.sae(sae_id), bench.config.seed
    is_decomposed = sae_id == bench.config.decomposed_sae_id
    meta = bench.meta_sae() if is_decomposed else None
    tried: Tried = []
    known: list[Laboratory] = []
    for table in fact_tables(questions, bench.language_model, settings, seed):
        lab = Laboratory(bench, sae, table, settings)
        known.append(lab)
        if lab.pairs:
            tried.append((lab, all_methods(lab, meta)))
    _knowledge(findings, sae_id, known, seed)
    if not tried:
        return findings
    _scores(findings, sae_id, tried, seed)
    _strengths(findings, sae_id, tried, seed)
    _latents(findings, sae_id, tried, seed)
    findings.concerned += concerned_rows(sae_id, bench.config.meta_sae_id, tried)
    if is_decomposed:  # the table has no column for the SAE
        findings.edits += edit_rows(tried)
    return findings


def _knowledge(findings: Findings, sae_id: str, labs: list[Laboratory], seed: int) -> None:
    """Share of the facts that the untouched model knows, in both wordings and in either."""
    every: dict[str, list[np.ndarray]] = {"": [], ", wording seen": [], ", wording unseen": []}
    whose: list[np.ndarray] = []
    for number, lab in enumerate(labs):
        entity, attribute = np.nonzero(lab.table.answers != UNKNOWN)
        right = lab.scenes.is_right[entity, attribute]
        whose.append(number * TABLE_STEP + entity)
        in_both = right[:, CHOOSING] & right[:, JUDGING]
        every[""].append(in_both)
        every[", wording seen"].append(right[:, CHOOSING])
        every[", wording unseen"].append(right[:, JUDGING])
        for place, name in enumerate(lab.table.attributes):
            own = in_both[attribute == place].astype(float)
            if len(own):
                found = Groups(np.arange(len(own)), seed).mean(own)
                metric = f"answered right: {lab.table.name}/{name}"
                findings.measure(NAME, sae_id, NOTHING, metric, found)
    if not sum(map(len, whose)):
        return
    groups = Groups(np.concatenate(whose), seed)
    for suffix, shares in every.items():
        found = groups.mean(np.concatenate(shares).astype(float))
        findings.measure(NAME, sae_id, NOTHING, f"answered right{suffix}", found)


def _scores(findings: Findings, sae_id: str, tried: Tried, seed: int) -> None:
    """Each method's scores over all items, and over those of each table and attribute."""
    place = np.concatenate([np.full(len(t.items), n) for n, (_, t) in enumerate(tried)])
    entity = np.array([item.pair.entity for _, t in tried for item in t.items])
    target = np.array([item.target for _, t in tried for item in t.items])
    parts = {"": np.ones(len(place), bool)}
    for number, (lab, _) in enumerate(tried):
        for attribute, name in enumerate(lab.table.attributes):
            here = (place == number) & (target == attribute)
            if here.any():
                parts[f": {lab.table.name}/{name}"] = here
    groups = {
        part: Groups(place[here] * TABLE_STEP + entity[here], seed) for part, here in parts.items()
    }
    for method in tried[0][1].outcomes:
        for metric in SCORES:
            values = np.concatenate([getattr(t.outcomes[method].scores, metric) for _, t in tried])
            for part, here in parts.items():
                found = groups[part].mean(values[here])
                findings.measure(NAME, sae_id, method, f"{metric}{part}", found)
        for metric, of in {"odds": "target", "odds_elsewhere": "others"}.items():
            risen = [
                getattr(t.outcomes[method].scores, metric)
                - getattr(t.outcomes[NOTHING].scores, metric)
                for _, t in tried
            ]
            found = groups[""].mean(np.concatenate(risen))
            findings.measure(NAME, sae_id, method, f"log-odds towards the other: {of}", found)


def _strengths(findings: Findings, sae_id: str, tried: Tried, seed: int) -> None:
    """What was chosen for each attribute, and how the scores go with the strength.

    The lines are over the pairs to choose by: stronger edits change more, of everything.
    """
    for lab, trials in tried:
        for method, own in trials.strengths.items():
            for name, strength in zip(lab.table.attributes, own.chosen, strict=True):
                found = Estimate(strength, None, None, len(lab.choosing_pairs))
                metric = f"strength: {lab.table.name}/{name}"
                findings.measure(NAME, sae_id, method, metric, found)
    rehearsed = [(lab, trials) for lab, trials in tried if lab.choosing_pairs]
    if not rehearsed:
        return
    whose = [
        number * TABLE_STEP + item.pair.entity
        for number, (lab, _) in enumerate(rehearsed)
        for item in items_of(lab.choosing_pairs)
    ]
    groups = Groups(np.array(whose), seed)
    for method, first in rehearsed[0][1].strengths.items():
        for step, strength in enumerate(first.tried):
            own = [trials.strengths[method].rehearsed[step] for _, trials in rehearsed]
            for metric in SCORES:
                found = groups.mean(np.concatenate([getattr(one, metric) for one in own]))
                name = f"{metric} by strength"
                findings.point(NAME, sae_id, method, name, step, strength, found)


def _latents(findings: Findings, sae_id: str, tried: Tried, seed: int) -> None:
    """Whether entities have latents of their own at all: what every edit of a latent rests on."""
    two, fires, whose = [], [], []
    for number, (lab, _) in enumerate(tried):
        latent = lab.scenes.latents.latent
        for pair in lab.pairs:
            two.append(latent[pair.entity] != latent[pair.other])
            scenes = [lab.scenes.at(pair.entity, a, JUDGING) for a in pair.attributes]
            fires.append(np.mean([bool((scene.own > 0).any()) for scene in scenes]))
            whose.append(number * TABLE_STEP + pair.entity)
    groups = Groups(np.array(whose), seed)
    for metric, values in {"pairs with two latents": two, "prompts with the latent": fires}.items():
        findings.measure(NAME, sae_id, WHOLE, metric, groups.mean(np.array(values, float)))
