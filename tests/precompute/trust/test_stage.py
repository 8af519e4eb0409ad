"""What the trust stage of the tiny run leaves, against its own weights and tables."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from precompute.config import ModelConfig
from precompute.dictionary import Dictionary
from precompute.meta_suite import split_rows
from precompute.sources import load_language_model
from precompute.trust.random_weights import with_random_weights

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def figures(tiny_rows: Rows) -> dict[tuple[str, str, str, str], dict[str, Any]]:
    names = ("experiment", "subject", "setting", "metric")
    return {tuple(row[name] for name in names): row for row in tiny_rows["measurements"]}


@pytest.fixture(scope="module")
def dictionaries(tiny_run: Path) -> dict[str, Dictionary]:
    work = tiny_run.parents[1] / "work" / "tiny"
    (saes,), (metas,) = work.glob("saes-*"), work.glob("meta-*")
    found = {path.name: Dictionary.load(path) for path in saes.iterdir()}
    return found | {"heldout": Dictionary.load(metas / "heldout")}


def test_every_experiment_is_in_the_measurements(figures, tiny_config):
    experiments = {key[0] for key in figures}
    assert {"methods", "controls", "width_sweep", "sampling", "composition", "relations"} <= (
        experiments
    )
    for (experiment, subject, setting, metric), row in figures.items():
        if experiment == "controls" and metric == "variance_explained":
            assert row["n"] == tiny_config.trust.seeds
            assert row["ci_low"] <= row["value"] <= row["ci_high"], (subject, setting)


def test_the_meta_sae_of_the_comparison_is_the_held_out_one(figures, dictionaries, tiny_config):
    rows = dictionaries[tiny_config.decomposed_sae_id].W_dec
    meta = dictionaries["heldout"]
    for setting, part in zip(
        ("in-sample", "held-out"),
        split_rows(rows, tiny_config.meta.heldout_share, tiny_config.seed),
        strict=True,
    ):
        error = (part - meta.decode(meta.encode(part))).pow(2).sum()
        wanted = 1 - float(error / (part - part.mean(0)).pow(2).sum())
        found = figures["methods", "meta-SAE", setting, "variance_explained"]
        assert found["value"] == pytest.approx(wanted, abs=1e-4)
        assert found["n"] == len(part)


def test_other_decompositions_rebuild_the_rows_as_well_as_they_say(
    tiny_rows, dictionaries, tiny_config
):
    rows = dictionaries[tiny_config.decomposed_sae_id].W_dec
    seen, _ = split_rows(rows, tiny_config.meta.heldout_share, tiny_config.seed)
    parts = defaultdict(list)
    for row in tiny_rows["other_decompositions"]:
        if row["part_sae_id"]:
            parts[row["latent"], row["part_sae_id"]].append(row)
    assert {sae_id for _, sae_id in parts} == {"sae-64"}  # the smallest with at least 32 latents
    total = (rows - rows.mean(0)).pow(2).sum(1)
    for (latent, sae_id), own in parts.items():
        assert [row["rank"] for row in own] == list(range(len(own)))
        weights = torch.tensor([row["weight"] for row in own])
        assert bool((weights.diff() <= 0).all())
        directions = dictionaries[sae_id].W_dec[[row["part"] for row in own]]
        rebuilt = seen.mean(0) + weights @ directions
        explained = 1 - float((rows[latent] - rebuilt).pow(2).sum() / total[latent])
        # weights and the figure are stored to 0.2 %
        assert own[0]["variance_explained"] == pytest.approx(explained, abs=4e-3)


def test_labels_of_parts_are_those_of_their_latents(tiny_rows):
    labels = {(row["sae_id"], row["latent"]): row["label"] for row in tiny_rows["latents"]}
    rows = [row for row in tiny_rows["other_decompositions"] if row["part_sae_id"]]
    assert rows
    assert all(row["label"] == labels[row["part_sae_id"], row["part"]] for row in rows)


def test_every_latent_has_one_cluster_and_at_most_k_parts_of_a_pursuit(tiny_rows, tiny_config):
    count: dict[tuple[str, int], int] = defaultdict(int)
    for row in tiny_rows["other_decompositions"]:
        count[row["method"], row["latent"]] += 1
    clusters = [n for (method, _), n in count.items() if method == "k-means"]
    assert clusters == [1] * tiny_config.decomposed_width
    assert max(count.values()) <= tiny_config.meta.k


def test_histograms_count_every_direction(tiny_rows, tiny_config):
    widths = {f"sae-{width}": width for width in tiny_config.widths}
    widths[tiny_config.meta_sae_id] = tiny_config.meta_width
    pairs = {(row["from_id"], row["to_id"]) for row in tiny_rows["cosine_histograms"]}
    assert {(name, name) for name in widths} <= pairs
    for row in tiny_rows["cosine_histograms"]:
        n = widths.get(row["from_id"], int(row["from_id"].rpartition("-")[2]))
        assert sum(row["counts"]) == row["n"] == n
        assert np.all(np.diff(row["edges"]) > 0)


def test_a_model_with_random_weights_is_the_same_architecture_and_another_function():
    model = load_language_model(ModelConfig(source="random:bert", layer=1))
    one, again, other = (with_random_weights(model, seed).model for seed in (5, 5, 6))
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (model.model, one)]
    assert shapes[0] == shapes[1]
    name = next(name for name, value in model.model.named_parameters() if value.ndim == 2)
    weights = [m.get_parameter(name) for m in (model.model, one, again, other)]
    assert torch.equal(weights[1], weights[2])
    assert not torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[1], weights[3])
    assert not one.training
