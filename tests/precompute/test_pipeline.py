"""The tiny config run for real: what its tables must say, whatever was learned."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from backend.manifest import Manifest
from backend.schema import EXAMPLE_GROUPS, TABLES, TERM_INDEXES
from backend.verify import verify_run
from precompute.config import RunConfig, load_config
from precompute.corpus.documents import shown_documents
from tests.precompute.conftest import TINY

Row = dict[str, Any]


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return load_config(TINY)


@pytest.fixture(scope="module")
def manifest(tiny_run: Path) -> Manifest:
    return verify_run(tiny_run)


@pytest.fixture(scope="module")
def rows(tiny_run: Path) -> dict[str, list[Row]]:
    """Every table as a list of rows."""
    return {name: pq.read_table(tiny_run / f"{name}.parquet").to_pylist() for name in TABLES}


@pytest.fixture(scope="module")
def saes(rows: dict[str, list[Row]]) -> dict[str, Row]:
    return {row["sae_id"]: row for row in rows["saes"]}


@pytest.fixture(scope="module")
def latents(rows: dict[str, list[Row]]) -> dict[tuple[str, int], Row]:
    return {(row["sae_id"], row["latent"]): row for row in rows["latents"]}


def test_the_run_is_intact_and_no_table_is_empty(manifest, tiny_run):
    assert {name: record.rows > 0 for name, record in manifest.files.items()} == dict.fromkeys(
        TABLES, True
    )
    # nothing but the run: no temporary file, no folder built aside
    names = {path.name for path in tiny_run.iterdir()}
    assert names == {"manifest.json", *(f"{name}.parquet" for name in TABLES)}
    assert [path.name for path in tiny_run.parent.iterdir()] == ["tiny"]


def test_the_manifest_says_where_everything_came_from(manifest, config):
    assert (manifest.run, manifest.title) == ("tiny", config.title)
    assert manifest.config == TINY.read_text(encoding="utf-8")
    assert manifest.model_id == "random:bert"
    (corpus,) = manifest.corpora
    assert (corpus.name, corpus.licence, corpus.shown) == ("subatomic", "Apache-2.0", True)
    assert corpus.documents == config.corpora[0].documents
    assert {"torch", "sae-lens", "pyarrow"} <= set(manifest.library_versions)


def test_saes_are_those_of_the_config(saes, config):
    assert set(saes) == {*config.sae_ids, config.meta_sae_id}
    for sae_id, width in zip(config.sae_ids, config.widths, strict=True):
        sae = saes[sae_id]
        assert (sae["kind"], sae["n_latents"], sae["parent_sae_id"]) == ("sae", width, None)
        assert sae["hook_name"] == "hidden_states[1]"
        assert sae["k"] == config.saes.k
    meta = saes[config.meta_sae_id]
    assert (meta["kind"], meta["parent_sae_id"]) == ("meta", config.decomposed_sae_id)
    assert meta["n_latents"] == config.meta_width


def test_sparsity_is_what_was_asked_for_and_something_is_explained(saes, config):
    for sae in saes.values():
        # the threshold is exact on training rows; held-out rows differ by chance
        assert sae["l0"] == pytest.approx(sae["k"], rel=0.05)
        assert 0.3 < sae["variance_explained"] < 1
        assert 0.2 < sae["variance_explained_heldout"] < sae["variance_explained"] + 0.05
    assert saes[config.meta_sae_id]["l0"] == pytest.approx(config.meta.k, abs=0.05)


def test_every_latent_has_its_row(latents, saes):
    expected = {(s["sae_id"], i) for s in saes.values() for i in range(s["n_latents"])}
    assert set(latents) == expected


def test_counts_histograms_and_means_agree(latents, saes):
    for (sae_id, _), row in latents.items():
        edges, counts = row["histogram_edges"], row["histogram_counts"]
        assert sum(counts) == row["count"] <= row["tokens_seen"]
        if row["count"] == 0:
            assert (edges, row["max_activation"], row["mean_activation"]) == ([], 0.0, 0.0)
            continue
        assert len(edges) == len(counts) + 1
        assert all(np.diff(edges) > 0)
        assert edges[0] == pytest.approx(saes[sae_id]["threshold"], rel=1e-5)
        assert edges[-1] == pytest.approx(row["max_activation"], rel=1e-5)
        assert edges[0] < row["mean_activation"] <= row["max_activation"]
    for sae_id, sae in saes.items():
        own = [row for (owner, _), row in latents.items() if owner == sae_id]
        dead = sum(row["count"] == 0 for row in own) / len(own)
        assert sae["dead_fraction"] == pytest.approx(dead)
        mean_active = sum(row["count"] for row in own) / own[0]["tokens_seen"]
        assert mean_active == pytest.approx(sae["k"], rel=0.05)


def test_every_token_of_the_corpus_was_seen(latents, saes, manifest):
    for (sae_id, _), row in latents.items():
        if saes[sae_id]["kind"] == "sae":
            assert row["tokens_seen"] == manifest.corpora[0].tokens
        else:
            assert row["tokens_seen"] == saes[saes[sae_id]["parent_sae_id"]]["n_latents"]


def test_terms_and_labels_stay_in_bounds(latents):
    for row in latents.values():
        assert (row["label"] == "") == (row["label_source"] == "none")
        assert (row["label_score"] is None) == (row["label"] == "")
        for term in row["top_terms"]:
            for name in ("score", "precision", "recall"):
                assert 0 < term[name] <= 1, (row["latent"], term)
            assert 0 < term["count"] <= row["count"]
        for name, sign in (("promoted", -1), ("suppressed", 1)):
            logits = [sign * entry["logit"] for entry in row[name]]
            assert logits == sorted(logits)
            assert len(logits) == 10


def test_only_the_widest_sae_is_decomposed_and_its_parts_add_up(rows, latents, saes, config):
    parts = defaultdict(list)
    for row in rows["components"]:
        assert row["meta_sae_id"] == config.meta_sae_id
        assert 0 <= row["latent"] < config.widths[-1]
        assert 0 <= row["meta_latent"] < config.meta_width
        assert row["activation"] > saes[config.meta_sae_id]["threshold"] - 1e-6
        assert -1 - 1e-6 <= row["cosine"] <= 1 + 1e-6
        # decoder rows have unit length
        assert row["share"] == pytest.approx(row["activation"] * row["cosine"], abs=1e-5)
        assert 0 <= row["stability"] <= 1
        parts[row["latent"]].append(row)
    for (sae_id, latent), row in latents.items():
        if sae_id != config.decomposed_sae_id:
            assert row["n_components"] is None
            assert row["residual_share"] is None
            continue
        assert row["n_components"] == len(parts[latent])
        shares = sum(part["share"] for part in parts[latent])
        assert shares + row["bias_share"] + row["residual_share"] == pytest.approx(1, abs=1e-4)
    members = {(row["latent"], row["meta_latent"]): row for row in rows["members"]}
    assert members == {(r["latent"], r["meta_latent"]): r for r in rows["components"]}
    for (sae_id, latent), row in latents.items():
        if sae_id == config.meta_sae_id:
            own = [r["activation"] for r in rows["components"] if r["meta_latent"] == latent]
            assert row["count"] == len(own)
            assert row["max_activation"] == pytest.approx(max(own, default=0.0))


def test_contexts_are_the_text_of_the_corpus_token_by_token(rows, config):
    texts = {document.title: document.text for document in shown_documents(config.seed)}
    assert [row["context_id"] for row in rows["contexts"]] == list(range(len(rows["contexts"])))
    for row in rows["contexts"]:
        assert row["text"] in texts[row["title"]]
        spans = list(zip(row["token_starts"], row["token_ends"], strict=True))
        assert 0 < len(spans) <= config.model.context_size - 2  # two special tokens
        assert all(0 <= start < end <= len(row["text"]) for start, end in spans)
        assert row["token_starts"] == sorted(row["token_starts"])


def test_examples_lie_in_their_contexts_and_are_as_strong_as_the_latent(
    rows, latents, saes, config
):
    length = [len(row["token_starts"]) for row in rows["contexts"]]
    limits = dict(zip(EXAMPLE_GROUPS, (12, 3, 3, 3, 4), strict=True))
    grouped = defaultdict(list)
    for row in rows["examples"]:
        assert saes[row["sae_id"]]["kind"] == "sae"
        own = dict(zip(row["positions"], row["activations"], strict=True))
        assert max(own) < length[row["context_id"]]
        assert row["activation"] == pytest.approx(max(own.values()), rel=1e-3)
        assert own[row["position"]] == pytest.approx(row["activation"], rel=1e-3)
        assert row["activation"] > saes[row["sae_id"]]["threshold"]
        grouped[row["sae_id"], row["latent"], row["group"]].append(row)
    for (_, _, group), own in grouped.items():
        assert [row["rank"] for row in own] == list(range(len(own)))
        assert len(own) <= limits[group]
        assert len({row["context_id"] for row in own}) == len(own)
    for (sae_id, latent), row in latents.items():
        if saes[sae_id]["kind"] == "sae" and row["count"] > 50:
            top = grouped[sae_id, latent, "top"][0]
            # all text is shown in this run; counts are made in bfloat16
            assert top["activation"] == pytest.approx(row["max_activation"], rel=0.01)
            assert {g for s, n, g in grouped if (s, n) == (sae_id, latent)} >= {"top", "random"}


def test_the_search_index_agrees_with_the_latents(rows, latents, config):
    for row in rows["terms"]:
        assert row["index"] in TERM_INDEXES
        assert 0 < len(row["latents"]) <= min(config.latents.latents_per_term, row["n_latents"])
        scores = [found["score"] for found in row["latents"]]
        assert scores == sorted(scores, reverse=True)
        if row["index"] == "fires":
            assert row["term"] == row["term"].lower()
            assert row["count"] >= config.latents.min_term_count
    indexed = {
        (row["sae_id"], row["term"], found["latent"]): found["score"]
        for row in rows["terms"]
        if row["index"] == "fires"
        for found in row["latents"]
    }
    best = [
        (row["sae_id"], row["top_terms"][0], row["latent"])
        for row in latents.values()
        if row["top_terms"] and row["sae_id"] in config.sae_ids
    ]
    shared = [(s, t, i) for s, t, i in best if (s, t["term"], i) in indexed]
    assert len(shared) > len(best) / 2  # the rest were cut from the lists of frequent words
    for sae_id, term, latent in shared:
        assert indexed[sae_id, term["term"], latent] == pytest.approx(term["score"])


def test_neighbours_are_ranked_and_never_the_latent_itself(rows, saes):
    grouped = defaultdict(list)
    for row in rows["neighbours"]:
        grouped[row["sae_id"], row["latent"], row["other_sae_id"]].append(row)
    for (sae_id, latent, other), own in grouped.items():
        assert [row["rank"] for row in own] == list(range(10 if sae_id == other else 5))
        cosines = [row["cosine"] for row in own]
        assert cosines == sorted(cosines, reverse=True)
        assert max(map(abs, cosines)) <= 1 + 1e-6
        found = {row["other_latent"] for row in own}
        assert len(found) == len(own)
        assert max(found) < saes[other]["n_latents"]
        assert sae_id != other or latent not in found
    assert len(grouped) == len(saes) * sum(sae["n_latents"] for sae in saes.values())


def test_every_figure_that_a_page_quotes_is_there(rows, config):
    figures = {
        (row["experiment"], row["subject"], row["setting"], row["metric"])
        for row in rows["measurements"]
    }
    for sae_id in config.sae_ids:
        for setting in ("train", "heldout"):
            for metric in ("variance_explained", "l0"):
                assert ("sae", sae_id, setting, metric) in figures
    settings = {setting for kind, _, setting, _ in figures if kind == "meta_sae"}
    for words in ("shown seed", "held-out, decoder rows", "isotropic", "covariance", "frozen"):
        assert any(words in setting for setting in settings), words
    for row in rows["measurements"]:
        if row["ci_low"] is not None:
            assert row["ci_low"] <= row["value"] <= row["ci_high"]
