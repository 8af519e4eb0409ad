"""The whole experiment on a small causal model, and changes worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import t

from precompute.dictionary import Dictionary, fidelity
from precompute.experiments.findings import Findings
from precompute.experiments.resistance import measuring
from precompute.experiments.resistance.measuring import (
    CE_RISE,
    DEAD,
    EXPLAINED,
    META_SEEN,
    META_UNSEEN,
    PHI,
    findings_of,
    training_that_resists,
)
from precompute.experiments.resistance.section import ResistanceConfig
from precompute.splicing import instead

SETTINGS = ResistanceConfig(
    n_latents=40, k=4, steps=40, batch_size=64, learning_rate=1e-2, dead_after_steps=20, seeds=2,
    lambda2=(0.3, 1.0), sigma2=(1.0,), meta_share=0.25, meta_k=3, matryoshka=(0.25, 0.5),
    orthogonal_chunk=16, posthoc_steps=40, heldout_rows=500, contexts=12,
)  # fmt: skip
SUBJECTS = {"solo", "solo, equal compute", "matryoshka", "orthogonal", "joint 0.3 1", "joint 1 1"}


@pytest.fixture(scope="module")
def found(benches) -> Findings:
    return training_that_resists(benches("gpt2"), "sae-48", SETTINGS)


def _figures(found: Findings) -> dict[tuple[str, str], dict]:
    return {(row["subject"], row["metric"]): row for row in found.measurements}


def test_every_recipe_has_every_figure_and_its_change(found):
    figures = _figures(found)
    assert {subject for subject, _ in figures} == SUBJECTS
    for subject in SUBJECTS:
        n = 1 if subject == "joint 1 1" else 2
        for metric in (PHI, EXPLAINED, CE_RISE, META_SEEN, META_UNSEEN, DEAD):
            row = figures[subject, metric]
            assert (row["experiment"], row["setting"], row["n"]) == ("resistance", "40 latents", n)
            assert (row["ci_low"] is None) == (n == 1)
        name = f"change of {PHI} against solo"
        assert ((subject, name) in figures) == (subject != "solo")


def test_figures_are_those_of_the_kept_sae(found, benches):
    bench = benches("gpt2")
    name = f"resistance-trainings-{SETTINGS.fingerprint()}"
    sae = Dictionary.load(bench.stages.experiments / name / "joint 1 1 0")
    heldout = np.load(bench.stages.activations / "heldout.npy")[:500]
    figures = _figures(found)
    explained = fidelity(sae, heldout).variance_explained
    assert figures["joint 1 1", EXPLAINED]["value"] == pytest.approx(explained)
    fires = (sae.encode(torch.from_numpy(heldout).float()) > 0).numpy()
    alive = fires.any(0)
    correlation = np.corrcoef(fires[:, alive].T.astype(float))
    expected = np.abs(correlation[~np.eye(int(alive.sum()), dtype=bool)]).mean()
    assert figures["joint 1 1", PHI]["value"] == pytest.approx(expected, rel=1e-4)
    assert figures["joint 1 1", DEAD]["value"] == pytest.approx((~alive).mean())
    model = bench.spliced(bench.heldout(12))
    rebuilt = sae.decode(sae.encode(model.rows()))
    rise = float(model.token_costs({"s": instead(rebuilt)})["s"].rise.mean())
    assert figures["joint 1 1", CE_RISE]["value"] == pytest.approx(rise, abs=1e-5)


def test_a_killed_experiment_goes_on_where_it_stopped(found, benches, monkeypatch):
    monkeypatch.setattr(measuring, "trained", None)  # nothing is left to train
    again = training_that_resists(benches("gpt2"), "sae-48", SETTINGS)
    assert again.measurements == found.measurements


def test_an_encoder_has_no_cross_entropy(benches):
    settings = SETTINGS.model_copy(update={"steps": 10, "lambda2": (0.3,), "posthoc_steps": 5})
    figures = _figures(training_that_resists(benches("bert"), "sae-48", settings))
    assert ("solo", PHI) in figures
    assert ("solo", CE_RISE) not in figures


def test_changes_are_paired_by_seed():
    # solo 2 and 4, joint 3 and 5: +50 % and +25 %, mean 37.5 %, standard deviation 25 / sqrt(2);
    # half the interval is t(0.975, 1) * 17.68 / sqrt(2)
    found = findings_of(
        {
            ("solo", 0): {"m": 2.0, "zero": 0.0},
            ("solo", 1): {"m": 4.0, "zero": 0.0},
            ("joint", 0): {"m": 3.0, "zero": 1.0},
            ("joint", 1): {"m": 5.0, "zero": 1.0},
        },
        "8 latents",
    )
    figures = _figures(found)
    row = figures["joint", "change of m against solo"]
    assert row["value"] == pytest.approx(37.5)
    half = t.ppf(0.975, 1) * 25 / np.sqrt(2) / np.sqrt(2)
    assert row["ci_high"] - row["value"] == pytest.approx(half)
    assert ("joint", "change of zero against solo") not in figures  # no share of nothing
    assert ("solo", "change of m against solo") not in figures
