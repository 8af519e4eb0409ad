"""Figures of the form with attribution, beside those of the form without logits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from precompute.dictionary import Dictionary
from precompute.experiments.absorption.attribution import TakenOver, effects_on_m
from precompute.experiments.absorption.concepts import LETTER, Asked
from precompute.experiments.absorption.letters import letter_tokens
from precompute.experiments.absorption.reported import ABSORPTION, concern
from precompute.experiments.absorption.section import AbsorptionConfig
from precompute.experiments.absorption.spelling import Candidates, candidates, judged, slopes
from precompute.experiments.absorption.words import WordActivations
from precompute.experiments.bench import Bench
from precompute.experiments.findings import Findings
from precompute.experiments.intervals import Estimate, Groups

ATTRIBUTION = "attribution"
RATE = "absorption rate"
CONTROLS = {ATTRIBUTION: False, f"{ATTRIBUTION}, decoder rows shuffled": True}


def attribution_figures(
    findings: Findings,
    sae_id: str,
    bench: Bench,
    sae: Dictionary,
    held: WordActivations,
    acts: sparse.csr_matrix,
    asked: list[Asked],
    settings: AbsorptionConfig,
) -> None:
    """All figures of one SAE; none where a letter is no token of the model."""
    tokens, seed = letter_tokens(bench.language_model.tokenizer), bench.config.seed
    if tokens is None:
        return
    chosen = [candidates(one, acts, settings.attributed_words, seed) for one in asked]
    words = np.concatenate([one.words for one in chosen])
    by_letter = Groups(np.arange(len(chosen)), seed)
    right = np.array([one.n_right for one in chosen], np.float64)
    missed = np.array([len(one.words) / max(one.portion, 1e-12) for one in chosen])
    n_right = int(right.sum())
    share = replace(by_letter.ratio(missed, right), n=n_right)
    findings.measure(ABSORPTION, sae_id, ATTRIBUTION, "words that main latents miss", share)
    full = np.array([one.is_full.sum() / max(one.portion, 1e-12) for one in chosen])
    without = replace(by_letter.ratio(full, right), n=n_right)
    findings.measure(ABSORPTION, sae_id, f"{ATTRIBUTION}, without logits", RATE, without)
    found = slopes(bench, sae, held, acts, words, tokens, settings)
    rows = sae.W_dec.double().cpu().numpy()
    order = np.random.default_rng(seed).permutation(len(rows))
    for setting, is_shuffled in CONTROLS.items():
        judgements = judged(chosen, found, acts, rows[order] if is_shuffled else rows)
        absorbed = [
            one.is_absorbed.sum() / max(of.portion, 1e-12)
            for one, of in zip(judgements, chosen, strict=True)
        ]
        rate = replace(by_letter.ratio(np.array(absorbed), right), n=n_right)
        findings.measure(ABSORPTION, sae_id, setting, RATE, rate)
        if not is_shuffled:
            _letter_by_letter(findings, sae_id, chosen, judgements, seed)
    if len(words):
        effects = effects_on_m(sparse.csr_matrix(acts[words]), found.gradient, rows)
        missing = np.abs(np.asarray(effects.sum(axis=1))[:, 0] - found.change)
        error = Groups(np.arange(len(words)), seed).ratio(missing, np.abs(found.change))
        findings.measure(ABSORPTION, sae_id, ATTRIBUTION, "completeness error", error)


def _letter_by_letter(
    findings: Findings,
    sae_id: str,
    chosen: list[Candidates],
    judgements: list[TakenOver],
    seed: int,
) -> None:
    for step, (of, one) in enumerate(zip(chosen, judgements, strict=True)):
        rate = float(one.is_absorbed.sum() / max(of.portion, 1e-12) / max(of.n_right, 1))
        name = f"{LETTER.one} {of.concept.label}"
        found = Estimate(rate, None, None, of.n_right)
        findings.point(ABSORPTION, sae_id, name, f"{RATE} by concept", step, step, found)
        latents, counts = np.unique(one.latent[one.is_absorbed], return_counts=True)
        for latent, count in zip(latents, counts, strict=True):
            concern(
                findings,
                sae_id,
                int(latent),
                f"{name}: absorbs, by attribution",
                "share of words absorbed",
                float(count / of.n_right),
                of.n_right,
            )
    both = np.concatenate([of.is_full for of in chosen])
    is_absorbed = np.concatenate([one.is_absorbed for one in judgements])
    if is_absorbed.any():
        agreed = Groups(np.arange(int(is_absorbed.sum())), seed).mean(
            both[is_absorbed].astype(float)
        )
        findings.measure(
            ABSORPTION, sae_id, ATTRIBUTION, "of them absorbed without logits too", agreed
        )
