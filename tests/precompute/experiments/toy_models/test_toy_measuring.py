"""The whole experiment on small toys: every kind has its figures, and learning beats chance."""

from __future__ import annotations

import pytest

from precompute.experiments.findings import Findings
from precompute.experiments.toy_models import measuring
from precompute.experiments.toy_models.measuring import saes_on_toys
from precompute.experiments.toy_models.saes import KINDS, META, RANDOM, WIDE
from precompute.experiments.toy_models.section import ToyModelsConfig
from precompute.experiments.toy_models.toys import HIERARCHICAL, SUPERPOSITION

SETTINGS = ToyModelsConfig(
    d=8, directions=12, rows=2048, steps=80, batch_size=64, seeds=2, learning_rate=2e-2, wide=2
)


@pytest.fixture(scope="module")
def found(benches) -> Findings:
    return saes_on_toys(benches("gpt2"), "sae-48", SETTINGS)


def _figures(found: Findings) -> dict[tuple[str, str, str], dict]:
    return {(r["setting"], r["subject"], r["metric"]): r for r in found.measurements}


def test_every_kind_is_scored_on_every_toy(found):
    figures = _figures(found)
    subjects = {(setting, subject) for setting, subject, _ in figures}
    own = {(toy, kind) for toy in (SUPERPOSITION, HIERARCHICAL) for kind in (*KINDS, RANDOM)}
    assert subjects == own | {(HIERARCHICAL, WIDE), (HIERARCHICAL, META)}
    for row in found.measurements:
        assert row["experiment"] == "toy models"
        assert row["n"] == 2
        assert row["ci_low"] <= row["value"] <= row["ci_high"]


def test_training_finds_more_than_chance_does(found):
    figures, metric = _figures(found), "mean max cosine"
    for kind in KINDS:
        trained = figures[SUPERPOSITION, kind, metric]["value"]
        assert trained > figures[SUPERPOSITION, RANDOM, metric]["value"] + 0.05


def test_a_killed_experiment_goes_on_where_it_stopped(found, benches, monkeypatch):
    monkeypatch.setattr(measuring, "make_toy", None)  # nothing is left to train
    assert saes_on_toys(benches("gpt2"), "sae-48", SETTINGS).measurements == found.measurements
