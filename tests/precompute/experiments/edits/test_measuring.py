"""All methods on a model whose facts are known and whose SAE has a latent for every entity."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pytest

from backend.tables.experiments import CONCERNED, EDITS
from precompute.config import ConfigError, ModelConfig
from precompute.experiments.bench import Bench
from precompute.experiments.edits.measuring import edits_of, targeted_edits
from precompute.experiments.edits.methods import (
    CEILING,
    MEANS,
    META,
    NO_ERROR,
    NOTHING,
    PROBE,
    RANDOM,
    RANDOM_META,
    WHOLE,
)
from precompute.experiments.edits.rows import NAME
from precompute.experiments.edits.section import EditsConfig
from precompute.experiments.findings import Findings

from .conftest import SETTINGS, Planted

WITH_FORMS = (NOTHING, WHOLE, *META)
METHODS = {
    *WITH_FORMS,
    *(f"{method}{NO_ERROR}" for method in WITH_FORMS),
    *(f"{method}{RANDOM_META}" for method in META),
    *(MEANS, PROBE, RANDOM, CEILING),
}


@pytest.fixture(scope="module")
def found(planted: Planted) -> Findings:
    return edits_of(planted.bench, "sae-16", SETTINGS, planted.questions)


@pytest.fixture(scope="module")
def figures(found) -> dict[tuple[str, str], float]:
    return {(row["setting"], row["metric"]): row["value"] for row in found.measurements}


def test_every_method_has_its_scores(found, figures):
    assert {setting for setting, metric in figures if metric == "disentangle"} == METHODS
    for method in METHODS:
        mean = (figures[method, "cause"] + figures[method, "isolate"]) / 2
        assert figures[method, "disentangle"] == pytest.approx(mean)
    assert {(row["experiment"], row["subject"]) for row in found.measurements} == {(NAME, "sae-16")}


def test_no_edit_changes_nothing(figures):
    assert (figures[NOTHING, "cause"], figures[NOTHING, "isolate"]) == (0, 1)
    assert figures[NOTHING, "log-odds towards the other: target"] == 0


def test_swapping_the_only_latent_of_an_entity_swaps_all_its_facts(figures):
    """By construction it makes the other's prompt of it, and every pair is known."""
    assert figures[WHOLE, "cause"] > 0.95
    assert figures[WHOLE, "isolate"] < 0.05
    assert figures[WHOLE, "pairs with two latents"] == 1
    assert figures[WHOLE, "prompts with the latent"] == 1
    assert figures[CEILING, "cause"] > 0.95
    assert figures[RANDOM, "cause"] < 0.2  # as long, in no direction


def test_directions_of_independent_facts_edit_one_and_keep_the_others(figures):
    """Which is possible here, with eight entities to fit to; a swap of everything has 0.5."""
    assert figures[MEANS, "disentangle"] > 0.7
    assert figures[PROBE, "disentangle"] > 0.7


def test_scores_of_an_attribute_are_those_of_its_rows(found, figures):
    attribute = "country"
    rows = [r for r in found.edits if (r["attribute"], r["method"]) == (attribute, PROBE)]
    changed = sum(row["is_changed"] for row in rows) / len(rows)
    kept = sum(row["n_kept"] / row["n_others"] for row in rows) / len(rows)
    assert figures[PROBE, f"cause: cities/{attribute}"] == pytest.approx(changed)
    assert figures[PROBE, f"isolate: cities/{attribute}"] == pytest.approx(kept)


def test_rows_fit_their_tables_and_name_the_meta_latents(found):
    pa.Table.from_pylist(found.edits, schema=EDITS.arrow)
    pa.Table.from_pylist(found.concerned, schema=CONCERNED.arrow)
    keys = [tuple(row[name] for name in EDITS.key) for row in found.edits]
    assert len(set(keys)) == len(keys)
    for row in found.edits:
        assert (row["latent"] is not None) == row["method"].startswith((WHOLE, *META))
        if not row["method"].startswith(tuple(META)):
            assert not row["removed"] and not row["added"]
    used = {m for r in found.edits if r["method"] in META for m in (*r["removed"], *r["added"])}
    named = {r["latent"] for r in found.concerned if r["sae_id"] == "meta-8"}
    assert named == used


def test_stronger_edits_are_shown_on_the_pairs_to_choose_by(found):
    lines = {(p["setting"], p["metric"]) for p in found.curves}
    wanted = (f"{metric} by strength" for metric in ("cause", "isolate", "disentangle"))
    assert lines == {(method, metric) for metric in wanted for method in (WHOLE, MEANS, PROBE)}
    steps = [p["x"] for p in found.curves if p["setting"] == PROBE]
    assert sorted(set(steps)) == list(SETTINGS.strengths)


def test_an_sae_without_a_meta_sae_is_edited_without_meta_latents(planted):
    config = planted.bench.config
    assert config.saes is not None
    wider = config.model_copy(update={"saes": config.saes.model_copy(update={"widths": (16, 32)})})
    bench = dataclasses.replace(planted.bench, config=wider)
    found = edits_of(bench, "sae-16", SETTINGS, planted.questions)
    tried = {row["setting"] for row in found.measurements}
    assert not {method for method in tried if method.startswith(tuple(META))}
    assert WHOLE in tried
    assert not found.edits  # the table is the decomposed SAE's


def _with_model(planted: Planted, kind: str) -> Bench:
    """The same SAE on a random model of the same width."""
    model = ModelConfig(source=f"random:{kind}", layer=1, bfloat16=False)
    config = planted.bench.config.model_copy(update={"model": model})
    return dataclasses.replace(planted.bench, config=config)


def test_a_model_that_knows_nothing_is_not_edited(planted):
    """The share of right answers is all that there is to say."""
    found = edits_of(_with_model(planted, "gpt2"), "sae-16", SETTINGS, planted.questions)
    assert not found.edits
    assert {row["setting"] for row in found.measurements} == {NOTHING}
    assert all(row["metric"].startswith("answered right") for row in found.measurements)


def test_an_encoder_is_refused(planted):
    with pytest.raises(ConfigError, match=r"\[experiments.edits\].*random:bert is an encoder"):
        targeted_edits(_with_model(planted, "bert"), "sae-16", EditsConfig())
