"""Figures of the form with attribution, on words whose letters a random model does not know."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.experiments.absorption.attributed import attribution_figures
from precompute.experiments.absorption.concepts import (
    asked_of,
    known_concepts,
    probed,
    word_acts,
)
from precompute.experiments.absorption.section import AbsorptionConfig
from precompute.experiments.absorption.words import (
    WordActivations,
    read_at,
    split_alike,
    words_in_prompt,
)
from precompute.experiments.findings import Findings

SETTINGS = AbsorptionConfig(words=300, least_test_words=5, least_probe_f1=0.01, steps=6)


@pytest.fixture(scope="module")
def figures(benches):
    bench = benches("gpt2")
    words = words_in_prompt(bench.language_model, SETTINGS.prompt, SETTINGS.words, seed=0)
    model = bench.spliced([word.ids for word in words])
    places = np.array([word.position for word in words])
    x = read_at(model, model.rows(), places, np.arange(len(words)))
    letters = np.array([word.letter for word in words])
    held = WordActivations(words, places, x, letters, split_alike(letters, 0.4, seed=0))
    sae = bench.sae("sae-48")
    acts = word_acts(sae, held.x)
    concepts = known_concepts(held, acts, probed(held, SETTINGS), SETTINGS)
    asked = asked_of(held, acts, concepts, sae)
    findings = Findings()
    attribution_figures(findings, "sae-48", bench, sae, held, acts, asked, SETTINGS)
    return asked, {(row["setting"], row["metric"]): row for row in findings.measurements}


def test_both_forms_are_rates_of_the_same_words(figures):
    asked, found = figures
    n_right = sum(len(one.words) for one in asked)
    for setting in (
        "attribution",
        "attribution, without logits",
        "attribution, decoder rows shuffled",
    ):
        row = found[setting, "absorption rate"]
        assert row["n"] == n_right
        assert 0 <= row["value"] <= found["attribution", "words that main latents miss"]["value"]


def test_the_form_without_logits_counts_only_words_that_the_k_sparse_probe_denies(figures):
    asked, found = figures
    expected = 0
    for one in asked:
        denied = ~one.concept.sparse.says[one.words]
        expected += int((one.found.is_full & denied).sum())
    row = found["attribution, without logits", "absorption rate"]
    assert row["value"] * row["n"] == pytest.approx(expected)


def test_a_random_models_logits_lie_too_close_for_any_absorption(figures):
    # its letters differ by hundredths of a logit, and the lead must be a whole one
    assert figures[1]["attribution", "absorption rate"]["value"] == 0
    assert figures[1]["attribution", "completeness error"]["value"] < 0.02
