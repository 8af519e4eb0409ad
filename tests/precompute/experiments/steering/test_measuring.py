"""The whole experiment on small random models."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from precompute.config import ConfigError, ModelConfig
from precompute.experiments.bench import Bench
from precompute.experiments.findings import Findings
from precompute.experiments.steering.directions import (
    META_LATENT,
    METHODS,
    RANDOM,
    VECTOR,
    random_units,
)
from precompute.experiments.steering.effects import Damage
from precompute.experiments.steering.fronts import at_damage
from precompute.experiments.steering.measuring import (
    AT_DAMAGE,
    COSINE,
    FRONT,
    GAIN,
    NAME,
    STRENGTH,
    steering,
)
from precompute.experiments.steering.section import SteeringConfig

SETTINGS = SteeringConfig(
    concepts=("cities/continent/Asia", "animals/group/bird"),
    entities=8,
    prompts=6,
    contexts=4,
    tokens=12,
    strengths=(0.5, 2.0, 6.0),
    candidates=3,
    random_draws=2,
    samples=2,
    written_tokens=4,
)
CONCEPTS = ("continent Asia", "group bird")
WANTED_TEXTS = "gain of target tokens in texts at 0.1 nats of damage"


@pytest.fixture(scope="module", name="found")
def _found(benches) -> Findings:
    return steering(benches("gpt2"), "sae-48", SETTINGS)


def _values(found: Findings) -> dict[tuple[str, str], dict]:
    return {(row["setting"], row["metric"]): row for row in found.measurements}


def _line(found: Findings, setting: str, metric: str) -> list[dict]:
    return [r for r in found.curves if (r["setting"], r["metric"]) == (setting, metric)]


def test_every_concept_and_method_has_both_lines(found):
    assert {row["setting"] for row in found.curves} == {
        f"{concept}: {method}" for concept in CONCEPTS for method in METHODS
    }
    for row in found.curves:
        assert (row["experiment"], row["subject"]) == (NAME, "sae-48")
        assert row["ci_low"] <= row["value"] <= row["ci_high"]
    line = _line(found, "group bird: vector", "damage")
    assert [(row["step"], row["x"]) for row in line] == [(0, 0.5), (1, 2.0), (2, 6.0)]


def test_a_method_s_figure_is_the_mean_over_concepts_of_its_lines(found):
    for method in METHODS:
        expected = []
        for concept in CONCEPTS:
            lines = [_line(found, f"{concept}: {method}", name) for name in ("damage", "effect")]
            damage, effect = (np.array([0.0, *(row["value"] for row in line)]) for line in lines)
            expected.append(at_damage(damage, effect, 0.1))
        row = _values(found)[method, AT_DAMAGE]
        assert row["value"] == pytest.approx(np.mean(expected), abs=1e-9)
        assert row["n"] == 2


def test_the_other_figures_follow_from_their_definitions(found):
    figures = _values(found)
    vector = figures[VECTOR, AT_DAMAGE]["value"]
    assert (VECTOR, GAIN) not in figures
    for method in METHODS:
        assert 0 < figures[method, STRENGTH]["value"] <= 6
        if method != VECTOR:
            gain = figures[method, AT_DAMAGE]["value"] - vector
            assert figures[method, GAIN]["value"] == pytest.approx(gain, abs=1e-9)
        if method not in (VECTOR, RANDOM):
            assert -1 <= figures[method, COSINE]["value"] <= 1 + 1e-6
    fronts = [figures[method, FRONT] for method in METHODS if (method, FRONT) in figures]
    assert sum(row["value"] for row in fronts) == pytest.approx(1) or not any(
        np.isfinite(row["value"]) for row in fronts
    )


def test_the_random_line_is_the_mean_over_draws(found, benches):
    bench = benches("gpt2")
    damage = Damage(bench, SETTINGS.contexts, SETTINGS.tokens)
    draws = random_units(SETTINGS.random_draws, damage.model.place.d_in, bench.config.seed)
    by_draw = damage.of(2.0 * damage.length * draws).mean(1)  # step 1 is strength 2
    point = _line(found, f"group bird: {RANDOM}", "damage")[1]
    assert point["value"] == pytest.approx(by_draw.mean(), abs=1e-9)
    assert abs(by_draw[0] - by_draw[1]) > 1e-6


def test_texts_come_untouched_first_and_are_numbered(found):
    count = Counter(row["setting"] for row in found.continuations)
    # two samples at each of two damages; the untouched ones stand under `vector`
    assert count == {
        f"{concept}: {method}": 6 if method == VECTOR else 4
        for concept in CONCEPTS
        for method in METHODS
    }
    own = [row for row in found.continuations if row["setting"] == "group bird: vector"]
    assert [row["number"] for row in own] == list(range(6))
    assert [row["strength"] for row in own][:2] == [0, 0]
    assert all(row["strength"] > 0 for row in own[2:])
    assert all(0 <= row["hits"] <= 4 for row in found.continuations)
    assert all(row["text"].strip() for row in found.continuations)
    assert {row["prompt"] for row in own[:2]} == {row["prompt"] for row in own[2:4]}
    assert _values(found)[VECTOR, WANTED_TEXTS]["n"] == 2


def test_latents_and_meta_latents_know_what_they_did(found, benches):
    config = benches("gpt2").config
    owners = {row["setting"].rpartition(": ")[2]: row["sae_id"] for row in found.concerned}
    assert owners["single latent"] == owners["chosen latents"] == "sae-48"
    assert owners[META_LATENT] == config.meta_sae_id
    singles = [row for row in found.concerned if row["setting"].endswith(META_LATENT)]
    assert {row["n"] for row in singles} == {6}
    mean = np.mean([row["value"] for row in singles])
    assert mean == pytest.approx(_values(found)[META_LATENT, AT_DAMAGE]["value"])
    keys = Counter((r["sae_id"], r["latent"], r["setting"]) for r in found.concerned)
    assert max(keys.values()) == 1


def test_other_saes_have_no_meta_latent_and_write_nothing(found, benches):
    other = steering(benches("gpt2"), "sae-24", SETTINGS)
    assert not any(META_LATENT in row["setting"] for row in other.curves)
    assert other.continuations == []
    # the vector and the random draws are the model's, whatever the SAE: the same to the last digit
    for setting in (f"group bird: {VECTOR}", f"continent Asia: {RANDOM}"):
        for metric in ("effect", "damage"):
            lines = (_line(one, setting, metric) for one in (found, other))
            values, others = ([row["value"] for row in line] for line in lines)
            assert values == others


def test_an_encoder_is_refused(benches):
    bench = benches("gpt2")
    model = ModelConfig(source="random:bert", layer=1)
    config = bench.config.model_copy(update={"model": model})
    with pytest.raises(ConfigError, match="is an encoder"):
        steering(Bench(config, bench.stages, bench.device), "sae-48", SETTINGS)


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError, match="must ascend without repeats"):
        SteeringConfig(strengths=(0.2, 0.1))
