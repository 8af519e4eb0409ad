"""SAEDashboard's batches, with the traps of its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.elsewhere import said_elsewhere
from tests.planted import direction, sae_rows
from tests.precompute.imports.foreign_files import batch, dashboard_feature, word
from tests.precompute.imports.importing import refusal, run_import


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "data"


def write(folder: Path, **batches: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in batches.items():
        file = name.replace("batch_", "batch-")
        (folder / f"{file}.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "np", batch_0=batch(range(16)), batch_1=batch(range(16, 32)))


def test_batches_become_evidence_and_no_label(folder, gpt2_run, out):
    done = run_import("saedashboard", folder, gpt2_run, out)
    assert done.labels == []
    assert sorted(done.rows) == list(range(32))
    row = done.rows[10]
    assert row["promoted"][0] == {"token": f" {word(10)}", "value": 1.5}
    assert row["examples"] == [
        {"group": "top", "tokens": ["We", " röntgen", " met"], "values": [0, 12.5, 0.25], "peak": 1}
    ]
    assert row["max_activation"] == 12.5  # the strongest of its activations
    assert "32 decoder rows, median cosine 1.0000" in done.report


def test_the_token_of_a_bin_is_stored_one_too_low_and_tokens_are_of_the_vocabulary(
    tmp_path, gpt2_run, out
):
    chosen = {
        "bin_min": 1.0,
        "bin_max": 2.0,
        "bin_contains": 0.1,
        "tokens": ["\u0120a", "<|outofrange|>", "\u0120b", "\u0120c"],
        "values": [1.2, 0.0, 1.5, 1.9],
        "qualifying_token_index": 1,
    }
    content = batch(range(32))
    content["features"][5] = dashboard_feature(5, activations=[chosen])
    done = run_import("saedashboard", write(tmp_path / "np", batch_0=content), gpt2_run, out)
    [found] = done.rows[5]["examples"]
    assert found["peak"] == 2
    assert found["group"] == "1 to 2"
    assert found["tokens"] == [" a", "[no such token]", " b", " c"]


def test_a_density_parsed_back_from_a_title_keeps_its_step(folder, gpt2_run, out):
    """0 in the file means less than half of 0.001 %, which the page has to know."""
    content = batch(range(1))
    content["features"][0]["frac_nonzero"] = 0.0
    write(folder, batch_2=content)
    run_import("saedashboard", folder, gpt2_run, out)
    sae = next(row for row in sae_rows() if row["sae_id"] == "sae-32")
    [said], _ = said_elsewhere(out / gpt2_run.name, sae, 0)
    assert said.row["density"] == 0.0
    assert said.about["density_step"] == "0.00001"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_id": "gemma-2-2b"}, "about the model gemma-2-2b"),
        ({"model_id": None}, "no field model_id"),
        ({"layer": 5}, "layer 5 is another place"),
        ({"features": {}}, "no list features"),
        ({"features": [{"feature_index": 32}]}, "latent 32, but sae-32 has 32 latents"),
        ({"features": [{"feature_index": None}]}, "features[0]: no field feature_index"),
        ({"features": [3]}, "features[0]: no field feature_index"),
        ({"sae_set": "other-set"}, "earlier batches have"),
    ],
)
def test_a_batch_about_something_else_is_refused_with_its_name(
    folder, gpt2_run, out, changes, words
):
    write(folder, batch_10=batch(range(2)) | changes)
    told = refusal("saedashboard", folder, gpt2_run, out)
    assert words in told
    assert "batch-10.json" in told


def test_other_vectors_are_another_sae(folder, gpt2_run, out):
    moved = [dashboard_feature(i, vector=direction(i + 1)) for i in range(15)]
    write(folder, batch_0=batch(range(0)) | {"features": moved})
    assert "its decoder rows are not those" in refusal("saedashboard", folder, gpt2_run, out)


def test_of_a_latent_in_two_batches_the_later_is_used(folder, gpt2_run, out):
    again = dashboard_feature(3, frac_nonzero=0.5, activations=[])
    write(folder, batch_10=batch(range(0)) | {"features": [again]})
    done = run_import("saedashboard", folder, gpt2_run, out)
    assert done.rows[3]["density"] == 0.5
    assert done.rows[3]["examples"] == []
    assert "1 latents are in several batches; the last is used" in done.report


def test_settings_that_name_another_layer_are_refused(folder, gpt2_run, out):
    write(folder, run_settings={"sae_set": "x", "sae_path": "blocks.3.hook_resid_pre"})
    assert "blocks.3.hook_resid_pre is another place" in refusal(
        "saedashboard", folder, gpt2_run, out
    )


def test_latents_that_were_left_out_are_counted_and_belong_to_the_width(folder, gpt2_run, out):
    write(folder, skipped_indexes={"model_id": "gpt2-small", "skipped_indexes": [3, 31]})
    assert "2 latents were left out" in run_import("saedashboard", folder, gpt2_run, out).report


def test_more_latents_left_out_than_there_are_is_another_sae(folder, gpt2_run, out):
    write(folder, skipped_indexes={"skipped_indexes": [40]})
    assert "latent 40, but" in refusal("saedashboard", folder, gpt2_run, out)


def test_without_vectors_tokens_or_an_id_it_is_not_shown(tmp_path, nameless_run, out):
    features = [{"feature_index": latent} for latent in range(32)]
    path = write(tmp_path / "np", batch_0=batch(range(0)) | {"features": features})
    assert "--trust-width" in refusal("saedashboard", path, nameless_run, out)


def test_an_empty_folder_is_told(tmp_path, gpt2_run, out):
    (tmp_path / "np").mkdir()
    assert "has no file batch-*.json" in refusal("saedashboard", tmp_path / "np", gpt2_run, out)
