"""Errors at every layer of real (random) models, each with an SAE trained on the spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from precompute.config import ConfigError, ModelConfig
from precompute.experiments.bench import Bench
from precompute.experiments.errors.costs import rebuilt
from precompute.experiments.errors.interventions import EPS_RANDOM, INTERVENTIONS, SAE
from precompute.experiments.findings import Findings
from precompute.experiments.layers.measuring import NAME, errors_at_layers
from precompute.experiments.layers.places import every_layer
from precompute.experiments.layers.section import LayersConfig
from precompute.experiments.layers.training import sae_at
from precompute.splicing import SplicedModel, instead

SETTINGS = LayersConfig(n_latents=24, k=4, tokens=1500, epochs=2.0, contexts=40, position=4)


@pytest.fixture(scope="module")
def found(benches) -> Findings:
    return errors_at_layers(benches("gpt2"), "sae-48", SETTINGS)


def _trainings(bench: Bench) -> Path:
    return bench.stages.experiments / f"layers-trainings-{SETTINGS.fingerprint()}"


def test_every_layer_has_every_intervention_with_intervals(found):
    figures = {(r["subject"], r["setting"], r["metric"]): r for r in found.measurements}
    assert {r["experiment"] for r in found.measurements} == {NAME}
    assert {r["subject"] for r in found.measurements} == {"layer 1", "layer 2"}  # two blocks
    for layer in ("layer 1", "layer 2"):
        for name in INTERVENTIONS:
            for metric in ("kl", "ce rise", "kl over eps-random", "kl of one token"):
                row = figures[layer, name, metric]
                assert row["ci_low"] <= row["value"] <= row["ci_high"]
        for metric in ("kl over eps-random", "kl of one token over eps-random"):
            assert figures[layer, EPS_RANDOM, metric]["value"] == 1
        assert figures[layer, SAE, "kl of one token"]["n"] <= SETTINGS.contexts
        explained = figures[layer, SAE, "variance explained"]
        assert explained["ci_low"] < explained["value"] < explained["ci_high"] < 1


def test_the_kl_of_a_layer_is_that_of_its_own_sae_at_its_own_place(found, benches):
    bench = benches("gpt2")
    pieces = bench.heldout(SETTINGS.contexts)
    for number, place in every_layer(bench.config.model, bench.language_model).items():
        sae = sae_at(bench, place, SETTINGS, _trainings(bench) / str(number))
        model = SplicedModel(place, bench.language_model, pieces, bench.device)
        costs = model.token_costs({"s": instead(rebuilt(sae, model.rows()))})["s"]
        wanted = (f"layer {number}", SAE, "kl")
        own = [r for r in found.measurements if (r["subject"], r["setting"], r["metric"]) == wanted]
        assert own[0]["value"] == pytest.approx(float(costs.kl.mean()), rel=1e-5)


def test_saes_differ_by_layer_and_are_trained_once(found, benches):
    bench = benches("gpt2")
    folder = _trainings(bench)
    first, second = (folder / str(n) / "sae" / "sae_weights.safetensors" for n in (1, 2))
    before = first.stat().st_mtime_ns
    assert first.read_bytes() != second.read_bytes()
    again = errors_at_layers(bench, "sae-48", SETTINGS)
    assert again.measurements == found.measurements
    assert first.stat().st_mtime_ns == before
    assert not list(folder.rglob("*.npy"))  # activations of other layers are not kept


def test_an_encoder_is_told_by_its_embeddings(benches):
    found = errors_at_layers(benches("bert"), "sae-48", SETTINGS)
    metrics = {row["metric"] for row in found.measurements}
    assert metrics == {
        "variance explained",
        "embedding distance",
        "embedding distance over eps-random",
    }


def test_the_same_place_in_every_layer(language_models):
    model = language_models["gpt2"]
    stream = ModelConfig(source="random:gpt2", layer=1)
    layers = every_layer(stream, model)
    assert {n: place.place for n, place in layers.items()} == {
        1: "hidden_states[1]",
        2: "hidden_states[2]",
    }
    heads = ModelConfig(source="random:gpt2", hook="blocks.1.attn.hook_z")
    assert {n: place.place for n, place in every_layer(heads, model).items()} == {
        0: "blocks.0.attn.hook_z",
        1: "blocks.1.attn.hook_z",
    }
    own = ModelConfig(source="random:gpt2", hook="transformer.h.1.mlp")
    with pytest.raises(ConfigError, match=r"experiments\.layers.*transformer\.h\.1\.mlp"):
        every_layer(own, model)


def test_the_layer_of_the_run_reads_the_rows_of_the_run(benches):
    """What is spliced at layer 1 are the activations that the run keeps of it."""
    bench = benches("gpt2")
    place = every_layer(bench.config.model, bench.language_model)[bench.config.model.layer]
    model = SplicedModel(place, bench.language_model, bench.heldout(10), bench.device)
    kept = np.load(bench.stages.activations / "heldout.npy")[: model.n_rows]
    torch.testing.assert_close(model.rows(), torch.from_numpy(kept).float(), atol=2e-3, rtol=2e-3)


def test_a_budget_of_all_latents_is_refused():
    with pytest.raises(ValueError, match="k = 24 must be below n_latents = 24"):
        LayersConfig(n_latents=24, k=24)
