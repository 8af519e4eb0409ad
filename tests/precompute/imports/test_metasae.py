"""The files of the published meta-SAE dashboard."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.planted import META, WIDE, weights
from tests.precompute.imports.foreign_files import byte_coded, word
from tests.precompute.imports.importing import refusal, run_import
from tests.precompute.imports.test_weights_only import Runs

NAMED = [f"part {i}" for i in range(4)]
BOS, POSITION = 0, 5  # each context starts with token 0, and the latent fires on token 5 of it


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "data"


def statistics(**changes: Any) -> dict[str, Any]:
    """As the dashboard's code saves them: indices of contexts are numbers of numpy."""
    parts = {i: [(m, w) for m, w in enumerate(weights(i)) if w] for i in range(32)}
    return {
        "n_features": 32,
        "highly_activating_indices": {
            # positions are counted without the first token; one is out of order
            i: [(np.int64(i), POSITION - 1, 3.0 + i), (np.int64(0), 0, 1.0), (np.int64(0), 1, 2.0)]
            for i in range(32)
        },
        "feature_to_clusters": parts,
        "cluster_to_features": {
            m: [(i, w) for i, row in parts.items() for part, w in row if part == m]
            for m in range(4)
        },
        "feature_token_count": {i: {word(i).lower().strip(): 60, "rare": 2} for i in range(32)},
        "feature_word_count": {i: {word(i): 60} for i in range(32)},
        "top_boosted_logits": {i: [(f" {word(i)}", 1.5), (" so", 0.25)] for i in range(32)},
        "meta_feature_top_boosted_logits": {m: [(f" m{m}", 0.5)] for m in range(4)},
        **changes,
    }


def write(folder: Path, descriptions: Any = None, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    torch.save(statistics(**changes), folder / "feature_stats_gpt2.pth")
    torch.save(torch.arange(32 * 8).reshape(32, 8), folder / "dataset.pth")
    usual = {
        "features": {str(i): f"about {word(i)}" for i in range(32)},
        "meta_features": {str(i): name for i, name in enumerate(NAMED)},
    }
    (folder / "feature_descriptions.json").write_text(json.dumps(descriptions or usual))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "dashboard")


def test_labels_tokens_and_parts_of_latents_are_kept(folder, gpt2_run, out):
    done = run_import("metasae", folder, gpt2_run, out)
    assert len(done.labels) == 32
    assert done.labels[0]["label"] == "about einstein"
    assert done.labels[0]["source"] == "metasae"
    row = done.rows[0]
    assert row["promoted"] == [
        {"token": " einstein", "value": 1.5},
        {"token": " so", "value": 0.25},
    ]
    assert row["fires_on"] == [{"token": "einstein", "value": 60}, {"token": "rare", "value": 2}]
    assert row["max_activation"] == 3.0
    assert row["density"] is None
    # einstein = 0.5 german + 0.6 scientist + 0.4 words in e-: strongest first
    assert [(part["part"], part["label"]) for part in row["parts"]] == [
        (1, "part 1"),
        (0, "part 0"),
        (2, "part 2"),
    ]
    assert row["parts"][0]["weight"] == pytest.approx(0.6)


def test_a_position_in_the_text_is_one_further_on(folder, gpt2_run, out):
    """The first token was dropped before positions were counted."""
    vocabulary = folder / "tokenizer.json"
    vocabulary.write_text(
        json.dumps({"model": {"vocab": {byte_coded(f" t{i}"): i for i in range(256)}}})
    )
    row = run_import("metasae", folder, gpt2_run, out, tokenizer=vocabulary).rows[7]
    strongest = row["examples"][0]
    assert strongest["tokens"] == [f" t{7 * 8 + at}" for at in range(8)]
    assert strongest["peak"] == POSITION
    assert strongest["values"][POSITION] == 10.0
    # the others are in context 0, stored as 0 and 1, so tokens 1 and 2
    assert [each["peak"] for each in row["examples"]] == [POSITION, 2]


def test_both_decompositions_are_compared(folder, gpt2_run, out):
    """The planted parts are those of the run, so all components are shared; four parts in 31
    latents leave a lot to chance."""
    report = run_import("metasae", folder, gpt2_run, out).report
    assert "decomposition beside that of meta-4, meta-latents the same: mean Jaccard index of " in (
        report
    )
    assert report.count("components 1.000") == 2
    assert "31 latents" in report


def test_parts_under_other_numbers_are_matched(tmp_path, gpt2_run, out):
    moved = {i: [((m + 1) % 4, w) for m, w in enumerate(weights(i)) if w] for i in range(32)}
    folder = write(tmp_path / "dashboard", feature_to_clusters=moved)
    report = run_import("metasae", folder, gpt2_run, out).report
    assert "meta-latents matched: mean Jaccard index of the components 1.000" in report
    assert report.count("components 1.000") == 1


def test_meta_labels_go_to_the_same_meta_sae(folder, gpt2_run, out):
    done = run_import("metasae", folder, gpt2_run, out, META)
    assert [row["label"] for row in done.labels] == NAMED
    assert {row["sae_id"] for row in done.labels} == {META}
    assert done.rows[2]["promoted"] == [{"token": " m2", "value": 0.5}]
    assert "components 1.000" in done.report


def test_meta_labels_never_go_to_another_meta_sae(tmp_path, gpt2_run, out):
    """A meta-SAE of the same size that was trained again has other meta-latents."""
    moved = {i: [((m + 1) % 4, w) for m, w in enumerate(weights(i)) if w] for i in range(32)}
    folder = write(tmp_path / "dashboard", feature_to_clusters=moved)
    told = refusal("metasae", folder, gpt2_run, out, META, trusts_width=True)
    assert "it is another meta-SAE" in told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_features": 49_152}, "it has 49,152 latents, but sae-32 has 32"),
        ({"n_features": None}, "does not say how many latents"),
        ({"top_boosted_logits": {32: [("a", 1.0)]}}, "latent 32, but sae-32 has 32"),
        ({"top_boosted_logits": {"x": [("a", 1.0)]}}, "'x' is no index"),
    ],
)
def test_other_statistics_are_refused(tmp_path, gpt2_run, out, changes, words):
    assert words in refusal("metasae", write(tmp_path / "d", **changes), gpt2_run, out)


def test_what_the_user_says_has_to_fit_and_proves_nothing(folder, gpt2_run, out):
    assert "about gpt2-small/8-res-jb, but the run has" in refusal(
        "metasae", folder, gpt2_run, out, model="gpt2-small", source="8-res-jb"
    )
    assert "about the model gemma-2-2b" in refusal(
        "metasae", folder, gpt2_run, out, model="gemma-2-2b"
    )
    write(folder, top_boosted_logits={}, feature_token_count={})  # no tokens to compare
    asked = {"model": "gpt2-small", "source": "8-res_fs32-jb"}
    assert "--trust-width" in refusal("metasae", folder, gpt2_run, out, **asked)
    done = run_import("metasae", folder, gpt2_run, out, **asked, trusts_width=True)
    assert "imported from The meta-SAE dashboard 8-res_fs32-jb" in done.labels[0]["note"]


def test_odd_rows_are_passed_over_and_odd_labels_told(tmp_path, gpt2_run, out):
    odd = {0: [("a",), 3, None, ("b", float("nan")), ("c", 1.0)], 1: "text", 2: None}
    done = run_import("metasae", write(tmp_path / "d", top_boosted_logits=odd), gpt2_run, out)
    assert done.rows[0]["promoted"] == [{"token": "c", "value": 1.0}]
    folder = write(tmp_path / "e", {"features": {"one": "x"}})
    assert "'one' is no index" in refusal("metasae", folder, gpt2_run, tmp_path / "none")


def test_a_hostile_file_runs_nothing_and_is_named(folder, tmp_path, gpt2_run, out):
    mark = tmp_path / "it-ran"
    hostile = {"n_features": 32, "top_boosted_logits": Runs(os.system, f"touch {mark}")}
    torch.save(hostile, folder / "feature_stats_gpt2.pth")
    told = refusal("metasae", folder, gpt2_run, out)
    assert "posix.system" in told
    assert not mark.exists()


def test_a_folder_without_statistics_is_told(tmp_path, gpt2_run, out):
    assert "has 0 files feature_stats*.pth" in refusal("metasae", tmp_path, gpt2_run, out)


def test_the_parent_is_not_named_by_its_meta_labels(folder, gpt2_run, out):
    assert {row["sae_id"] for row in run_import("metasae", folder, gpt2_run, out).labels} == {WIDE}
