"""Codes of one dictionary by five methods, on real (random) models."""

from __future__ import annotations

import pytest
import torch

from precompute.experiments.findings import Findings
from precompute.experiments.pursuit.codes import ENCODER, SWEPT, encoder_code, swept_codes
from precompute.experiments.pursuit.measuring import (
    DISTANCE,
    LOSS,
    VARIANCE,
    Judge,
    pursuit_against_encoder,
)
from precompute.experiments.section import PursuitConfig

SETTINGS = PursuitConfig(contexts=30, ks=(1, 2, 8))


@pytest.fixture(scope="module")
def found(benches) -> Findings:
    return pursuit_against_encoder(benches("gpt2"), "sae-48", SETTINGS)


@pytest.fixture(scope="module")
def judge(benches) -> Judge:
    bench = benches("gpt2")
    return Judge(bench.spliced(bench.heldout(SETTINGS.contexts)), seed=0)


def test_the_encoders_code_is_the_saes_reconstruction(benches, judge):
    sae = benches("gpt2").sae("sae-48")
    code = encoder_code(sae, judge.x)
    rebuilt = code.rebuilt(sae.W_dec, sae.b_dec, len(judge.x))
    torch.testing.assert_close(rebuilt, sae.decode(sae.encode(judge.x)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("method", SWEPT)
def test_no_row_has_more_latents_than_allowed(benches, judge, method):
    sae = benches("gpt2").sae("sae-48")
    for k, code in swept_codes(method, sae, judge.x, (1, 3, 8)).items():
        assert int(code.row.bincount().max()) <= k
        assert bool((code.weight > 0).all())
        assert len({*zip(code.row.tolist(), code.part.tolist(), strict=True)}) == len(code.row)


def test_a_refit_never_explains_less_than_the_encoders_own_weights(benches, judge):
    sae = benches("gpt2").sae("sae-48")
    error = {}
    for method in ("encoder, k highest", "encoder, refitted"):
        code = swept_codes(method, sae, judge.x, (4,))[4]
        rebuilt = code.rebuilt(sae.W_dec, sae.b_dec, len(judge.x))
        error[method] = (rebuilt - judge.x).pow(2).sum(1)
    assert (error["encoder, refitted"] <= error["encoder, k highest"] + 1e-5).all()


def test_a_copy_recovers_everything_and_nothing_recovers_nothing(judge):
    copy = judge.judge(judge.x)
    assert copy[VARIANCE].value == 1
    assert copy[LOSS].value == pytest.approx(1, abs=1e-6)
    nothing = judge.judge(torch.zeros_like(judge.x))
    assert nothing[LOSS].value == pytest.approx(0, abs=1e-6)
    mean = judge.judge(judge.x.mean(0).expand_as(judge.x))
    assert mean[VARIANCE].value == pytest.approx(0, abs=1e-6)
    assert judge.gain(judge.x, torch.zeros_like(judge.x)).value == pytest.approx(1, abs=1e-6)


def test_every_method_has_its_line_and_its_gain(found):
    settings = {row["setting"] for row in found.measurements}
    assert settings == {ENCODER, *SWEPT}
    for method in SWEPT:
        line = [
            row for row in found.curves if row["setting"] == method and row["metric"] == VARIANCE
        ]
        assert [row["step"] for row in line] == list(range(len(line)))
        assert [row["x"] for row in line] == sorted(row["x"] for row in line)
    used = {r["setting"]: r for r in found.measurements if r["metric"] == "l0"}
    assert set(used) == settings
    assert used[ENCODER]["ci_low"] < used[ENCODER]["value"] < used[ENCODER]["ci_high"]
    assert used["encoder, k highest"]["value"] <= round(used[ENCODER]["value"])
    gains = {r["setting"] for r in found.measurements if r["metric"] == "gain over the encoder"}
    assert gains == set(SWEPT)


def test_an_encoder_model_is_judged_by_its_embeddings(benches):
    found = pursuit_against_encoder(benches("bert"), "sae-24", SETTINGS)
    metrics = {row["metric"] for row in found.measurements}
    assert DISTANCE in metrics
    assert LOSS not in metrics
