"""The whole experiment on a small model: every way starts alike and leaves its figures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from precompute.batches import activation_batches
from precompute.experiments.dead_latents import measuring, methods
from precompute.experiments.dead_latents.measuring import ways_against_dead_latents
from precompute.experiments.dead_latents.methods import METHODS, NOTHING, RESAMPLING, trained
from precompute.experiments.dead_latents.section import DeadLatentsConfig
from precompute.experiments.findings import Findings

SETTINGS = DeadLatentsConfig(
    n_latents=96, k=3, steps=40, batch_size=64, learning_rate=1e-2, dead_after_steps=5, seeds=2,
    resample_rows=256, heldout_rows=400,
)  # fmt: skip


@pytest.fixture(scope="module")
def found(benches) -> Findings:
    return ways_against_dead_latents(benches("gpt2"), "sae-48", SETTINGS)


def test_every_way_has_its_figures(found):
    figures = {(row["subject"], row["metric"]): row for row in found.measurements}
    assert set(figures) == {(m, f) for m in METHODS for f in ("dead latents", "variance explained")}
    for row in found.measurements:
        assert (row["experiment"], row["n"]) == ("dead latents", 2)
        assert row["setting"] == "96 latents, k = 3, 40 steps"
        assert row["ci_low"] <= row["value"] <= row["ci_high"]
    shares = [figures[method, "dead latents"]["value"] for method in METHODS]
    assert all(0 <= share <= 1 for share in shares)
    assert shares[0] > 0  # the setting does what it is for
    assert len(set(shares)) > 1


def test_a_killed_experiment_goes_on_where_it_stopped(found, benches, monkeypatch):
    monkeypatch.setattr(measuring, "trained", None)  # nothing is left to train
    again = ways_against_dead_latents(benches("gpt2"), "sae-48", SETTINGS)
    assert again.measurements == found.measurements


def test_until_a_latent_is_dead_all_ways_are_one():
    rows = np.random.default_rng(0).normal(size=(1000, 8)).astype(np.float16)
    settings = SETTINGS.model_copy(update={"steps": 5})  # nobody is dead before the sixth
    batches = activation_batches(rows, 1.0, settings.batch_size, 0)
    decoders = {
        method: trained(method, settings, 0, batches, 8, torch.device("cpu")).W_dec
        for method in METHODS
        if not method.endswith("rescaled")  # that one begins with all latents
    }
    assert all(torch.equal(decoder, decoders[NOTHING]) for decoder in decoders.values())


def test_resampling_comes_at_its_times_and_not_at_the_end(monkeypatch):
    rows = np.random.default_rng(0).normal(size=(1000, 8)).astype(np.float16)
    batches = activation_batches(rows, 1.0, SETTINGS.batch_size, 0)
    seen = []
    monkeypatch.setattr(
        methods, "resample", lambda trainer, own, _: seen.append((trainer.n_training_steps, own))
    )
    trained(RESAMPLING, SETTINGS, 0, batches, 8, torch.device("cpu"))
    assert [step for step, _ in seen] == [8, 16, 24, 32]
    assert all(own.shape == (256, 8) for _, own in seen)
