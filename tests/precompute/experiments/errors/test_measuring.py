"""Errors of real SAEs in real (random) models: what is measured follows from its definition."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.experiments.bench import Bench
from precompute.experiments.errors.interventions import EPS_RANDOM, INTERVENTIONS, SAE
from precompute.experiments.errors.measuring import NAME, sae_errors
from precompute.experiments.findings import Findings, is_complete, load_measurements, load_tables
from precompute.experiments.section import ErrorsConfig, ExperimentsConfig
from precompute.experiments.stage import make_experiments, planned
from precompute.splicing import instead


@pytest.fixture(scope="module")
def found(benches) -> Findings:
    bench = benches("gpt2")
    return sae_errors(bench, "sae-48", _settings(bench))


def _settings(bench: Bench) -> ErrorsConfig:
    assert bench.config.experiments.errors is not None
    return bench.config.experiments.errors


def _figures(found: Findings) -> dict[tuple[str, str], dict]:
    return {(row["setting"], row["metric"]): row for row in found.measurements}


def _line(found: Findings, setting: str, metric: str) -> list[dict]:
    rows = [r for r in found.curves if (r["setting"], r["metric"]) == (setting, metric)]
    return sorted(rows, key=lambda row: row["step"])


def test_every_intervention_has_its_figures(found):
    figures = _figures(found)
    for name in INTERVENTIONS:
        for metric in ("kl", "ce rise", "kl over eps-random", "cosine", "norm ratio"):
            row = figures[name, metric]
            assert (row["experiment"], row["subject"]) == (NAME, "sae-48")
            assert row["ci_low"] <= row["value"] <= row["ci_high"]
    assert figures[EPS_RANDOM, "kl over eps-random"]["value"] == 1
    assert figures["SAE norm", "cosine"]["value"] == pytest.approx(1, abs=1e-5)


def test_the_mean_kl_is_that_of_the_tokens(found, benches):
    bench = benches("gpt2")
    model = bench.spliced(bench.heldout(_settings(bench).contexts))
    sae, x = bench.sae("sae-48"), model.rows()
    costs = model.token_costs({"s": instead(sae.decode(sae.encode(x)))})["s"]
    row = _figures(found)[SAE, "kl"]
    assert row["value"] == pytest.approx(float(costs.kl.mean()), rel=1e-5)
    assert row["n"] == len(costs.kl)
    by_position = _line(found, SAE, "kl by position")
    weighted = sum(point["value"] * point["n"] for point in by_position)
    assert weighted / len(costs.kl) == pytest.approx(row["value"], rel=1e-5)
    shares = [point["value"] for point in _line(found, SAE, "kl distribution")]
    assert sum(shares) == pytest.approx(1)


def test_one_changed_token_is_felt_from_there_on(found):
    line = _line(found, SAE, "kl after one token")
    assert [point["x"] for point in line] == list(range(5))
    assert line[0]["value"] > 0
    every = _figures(found)[SAE, "kl"]["value"]
    assert line[1]["value"] < every  # one token changed does less than all of them


def test_deviations_are_sorted_and_there_is_one_a_token(found, benches):
    line = _line(found, SAE, "deviations above random")
    values = [point["value"] for point in line]
    assert len(values) == _settings(benches("gpt2")).sampled_tokens
    assert values == sorted(values)
    assert np.isfinite(values).all()
    median = _figures(found)[SAE, "median deviations above random"]
    assert median["value"] == pytest.approx(np.median(values))
    assert median["ci_low"] <= median["value"] <= median["ci_high"]


def test_an_encoder_tells_by_its_embeddings(benches):
    bench = benches("bert")
    figures = _figures(sae_errors(bench, "sae-24", _settings(bench)))
    assert figures[EPS_RANDOM, "embedding distance over eps-random"]["value"] == 1
    assert figures["zero", "embedding distance"]["value"] > 0
    assert not any(metric == "kl" for _, metric in figures)


def test_the_stage_keeps_what_is_there(benches, monkeypatch):
    bench = benches("gpt2")
    make_experiments(bench.config, bench.stages, "cpu", workers=1)
    tasks = planned(bench.config, bench.stages)
    assert [task.subject for task in tasks] == ["sae-48", "sae-24"]
    assert all(is_complete(task.folder) for task in tasks)
    folders = [task.folder for task in tasks]
    assert {row["subject"] for row in load_measurements(folders)} == {"sae-48", "sae-24"}
    curves = load_tables(folders)["curves"]
    assert curves.num_rows > 100
    assert load_tables(folders)["edits"].num_rows == 0
    # made again from nothing, it is the same to the last digit
    again = sae_errors(bench, "sae-48", _settings(bench))
    assert again.measurements == load_measurements(folders[:1])
    monkeypatch.setattr("precompute.experiments.stage.make_experiment", None)
    make_experiments(bench.config, bench.stages, "cpu", workers=1)  # nothing is left to do


def test_without_a_section_nothing_is_made(benches):
    bench = benches("gpt2")
    config = bench.config.model_copy(update={"experiments": ExperimentsConfig()})
    assert planned(config, bench.stages) == []
