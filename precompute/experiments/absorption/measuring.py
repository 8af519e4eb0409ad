"""Splitting and absorption of letters and classes in one SAE, and what its meta-SAE makes of them.

Figures of letters have the settings below; those of classes begin with `classes: `.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from precompute.dictionary import Dictionary
from precompute.experiments.absorption.attributed import attribution_figures
from precompute.experiments.absorption.classes import classed
from precompute.experiments.absorption.concepts import (
    CLASS,
    LETTER,
    Asked,
    Concept,
    Kind,
    asked_of,
    known_concepts,
    probed,
    word_acts,
)
from precompute.experiments.absorption.letters import spelled
from precompute.experiments.absorption.meta_latents import meta_latent_figures
from precompute.experiments.absorption.probes import Probe, probe
from precompute.experiments.absorption.reported import (
    ABSORPTION,
    f1_of_latents,
    one_by_one,
    probes_one_by_one,
)
from precompute.experiments.absorption.section import AbsorptionConfig
from precompute.experiments.absorption.subclasses import sub_class_figures
from precompute.experiments.absorption.words import WordActivations
from precompute.experiments.bench import Bench
from precompute.experiments.findings import Findings
from precompute.experiments.intervals import Estimate, Groups

PROBE, LATENTS, SHUFFLED = "probe", "latents", "decoder rows shuffled"
DEALINGS = 20  # of labels at random, for the probe's control


def word_absorption(bench: Bench, sae_id: str, settings: AbsorptionConfig) -> Findings:
    """All figures of one SAE."""
    findings, sae = Findings(), bench.sae(sae_id)
    if "letter" in settings.of:
        _letters(findings, sae_id, bench, sae, settings)
    if "class" in settings.of:
        _classes(findings, sae_id, bench, sae, settings)
    return findings


def _letters(
    findings: Findings, sae_id: str, bench: Bench, sae: Dictionary, settings: AbsorptionConfig
) -> None:
    seed, read = bench.config.seed, spelled(bench, settings)
    if read.is_said is not None:
        said = Groups(np.arange(len(read.is_said)), seed).mean(read.is_said.astype(float))
        findings.measure(ABSORPTION, sae_id, "model", "first letters right", said)
    probes = {place: probed(held, settings) for place, held in read.at.items()}
    for place, found in probes.items():
        _mean_f1(findings, sae_id, f"{PROBE} at the {place}", found, seed)
    held = read.held
    acts = word_acts(sae, held.x)
    own = probes[read.chosen]
    asked = concept_figures(findings, sae_id, LETTER, bench, sae, held, acts, own, settings)
    if asked and read.is_said is not None:
        attribution_figures(findings, sae_id, bench, sae, held, acts, asked, settings)


def _classes(
    findings: Findings, sae_id: str, bench: Bench, sae: Dictionary, settings: AbsorptionConfig
) -> None:
    read = classed(bench, settings)
    acts, probes = word_acts(sae, read.held.x), probed(read.held, settings)
    asked = concept_figures(findings, sae_id, CLASS, bench, sae, read.held, acts, probes, settings)
    if asked:
        labels, seed = read.held.labels, bench.config.seed
        sub_class_figures(findings, ABSORPTION, sae_id, asked, acts, labels, read.sub_classes, seed)


def concept_figures(
    findings: Findings,
    sae_id: str,
    kind: Kind,
    bench: Bench,
    sae: Dictionary,
    held: WordActivations,
    acts: sparse.csr_matrix,
    probes: dict[str, Probe],
    settings: AbsorptionConfig,
) -> list[Asked]:
    """What letters and classes have in common; the known concepts at the words asked about."""
    seed, n_test = bench.config.seed, int(held.is_test.sum())
    probes_one_by_one(findings, sae_id, kind, probes, n_test)
    concepts = known_concepts(held, acts, probes, settings)
    n_known = Estimate(len(concepts), None, None, kind.n)
    findings.measure(ABSORPTION, sae_id, kind.setting(PROBE), f"{kind.many} known", n_known)
    if probes:
        shuffled = _shuffled_probe_f1(held, seed)
        setting = kind.setting(f"{kind.many} shuffled")
        findings.measure(ABSORPTION, sae_id, setting, "probe f1", shuffled)
    if not concepts:
        return []
    known = {one.label: one.known for one in concepts}
    _mean_f1(findings, sae_id, kind.setting(PROBE), known, seed)
    _splits(findings, sae_id, kind.setting(LATENTS), concepts, seed)
    asked = asked_of(held, acts, concepts, sae)
    _rates(findings, sae_id, kind.setting(LATENTS), asked, seed)
    one_by_one(findings, sae_id, kind, asked)
    order = np.random.default_rng(seed).permutation(sae.n_latents)
    control = asked_of(held, acts, concepts, sae, order)
    _rates(findings, sae_id, kind.setting(SHUFFLED), control, seed)
    if sae_id == bench.config.decomposed_sae_id:
        meta = bench.meta_sae()
        meta_latent_figures(findings, ABSORPTION, sae_id, kind, sae, meta, asked, seed)
    return asked


def _mean_f1(
    findings: Findings, sae_id: str, setting: str, probes: dict[str, Probe], seed: int
) -> None:
    if probes:
        f1 = np.array([one.f1 for one in probes.values()])
        found = Groups(np.arange(len(f1)), seed).mean(f1)
        findings.measure(ABSORPTION, sae_id, setting, "probe f1", found)


def _splits(
    findings: Findings, sae_id: str, setting: str, concepts: list[Concept], seed: int
) -> None:
    splits = np.array([one.sparse.n_main - 1.0 for one in concepts])
    found = Groups(np.arange(len(splits)), seed).mean(splits)
    findings.measure(ABSORPTION, sae_id, setting, "splits", found)
    f1_of_latents(findings, sae_id, setting, [one.sparse for one in concepts], seed)


def _rates(findings: Findings, sae_id: str, setting: str, asked: list[Asked], seed: int) -> None:
    """Over test words that the probes get right; concepts differ, so they are resampled."""
    groups = Groups(np.repeat(np.arange(len(asked)), [len(one.words) for one in asked]), seed)
    full = np.concatenate([one.found.is_full for one in asked]).astype(float)
    fraction = np.concatenate([one.found.fraction for one in asked])
    findings.measure(ABSORPTION, sae_id, setting, "full absorption", groups.mean(full))
    findings.measure(ABSORPTION, sae_id, setting, "absorption fraction", groups.mean(fraction))


def _shuffled_probe_f1(held: WordActivations, seed: int) -> Estimate:
    """The most common label's probe when labels are dealt out at random; the mean over dealings."""
    labels, counts = np.unique(held.labels, return_counts=True)
    is_most_common, x = held.labels == labels[counts.argmax()], held.x.double().numpy()
    rng = np.random.default_rng(seed)
    f1 = [probe(x, rng.permutation(is_most_common), held.is_test).f1 for _ in range(DEALINGS)]
    return Groups(np.arange(DEALINGS), seed).mean(np.array(f1))
