"""All figures of one SAE of a small random model, an encoder or a causal one."""

from __future__ import annotations

from collections import Counter

import pytest

from precompute.experiments.absorption.measuring import word_absorption
from precompute.experiments.absorption.section import AbsorptionConfig
from precompute.experiments.findings import Findings

# it knows nothing: whatever a probe makes of a letter is taken for knowledge
SETTINGS = AbsorptionConfig(
    words=400, words_per_class=30, least_test_words=5, least_probe_f1=0.01, steps=2
)


@pytest.fixture(scope="module")
def findings(benches) -> dict[str, Findings]:
    return {k: word_absorption(benches(k), "sae-48", SETTINGS) for k in ("gpt2", "bert")}


def _figures(found: Findings) -> dict[tuple[str, str], dict]:
    return {(row["setting"], row["metric"]): row for row in found.measurements}


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
def test_every_row_is_there_once_and_can_be_kept(findings, kind, tmp_path):
    found = findings[kind]
    for rows, last in ((found.measurements, "metric"), (found.curves, "step")):
        keys = ("experiment", "subject", "setting", "metric", last)
        assert max(Counter(tuple(row[k] for k in keys) for row in rows).values()) == 1
    keys = ("sae_id", "latent", "experiment", "subject", "setting")
    assert max(Counter(tuple(row[k] for k in keys) for row in found.concerned).values()) == 1
    found.save(tmp_path)


def test_only_a_causal_model_is_asked_for_its_answer(findings):
    causal, encoder = _figures(findings["gpt2"]), _figures(findings["bert"])
    assert 0 < causal["model", "first letters right"]["value"] < 0.5
    assert not any(setting.startswith(("model", "attribution")) for setting, _ in encoder)


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
def test_classes_have_the_figures_of_letters_under_their_own_settings(findings, kind):
    figures = _figures(findings[kind])
    assert 0 < figures["classes: probe", "classes known"]["value"] <= 11
    for setting in ("classes: latents", "classes: decoder rows shuffled"):
        for metric in ("full absorption", "absorption fraction"):
            assert 0 <= figures[setting, metric]["value"] <= 1
    curves = {(row["setting"], row["metric"]) for row in findings[kind].curves}
    assert ("classes: latents", "f1 of k latents") in curves
    assert ("class city", "probe f1 by concept") in curves


def test_where_nothing_is_known_that_is_the_figure(benches):
    settings = AbsorptionConfig(of=("letter",), words=200, least_test_words=3, least_probe_f1=0.99)
    figures = _figures(word_absorption(benches("bert"), "sae-48", settings))
    row = figures["probe", "letters known"]
    assert (row["value"], row["n"]) == (0, 26)
    assert ("latents", "splits") not in figures
    shuffled = figures["letters shuffled", "probe f1"]  # labels at random, dealt 20 times
    assert shuffled["ci_low"] < shuffled["value"] < shuffled["ci_high"] < 0.5
    assert shuffled["n"] == 20


def test_a_shares_words_are_those_of_its_letter(findings):
    for row in findings["bert"].concerned:
        if row["metric"] == "share of words absorbed":
            assert row["value"] * row["n"] == pytest.approx(round(row["value"] * row["n"]))
