"""What this project exports, it imports as it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from precompute.__main__ import main
from precompute.exports.neuronpedia_rows import activation_row
from precompute.exports.neuronpedia_source import Source
from precompute.imports.activation_rows import keep_activation
from precompute.imports.foreign import ForeignLatent
from precompute.imports.label_rows import short_label
from precompute.imports.neuronpedia import _FIELDS
from precompute.imports.token_texts import TokenTexts
from tests.planted import META, SMALL, WIDE
from tests.precompute.imports.foreign_files import MODEL, PLACES, SOURCE
from tests.precompute.imports.importing import refusal, run_import


def export(run: Path, sae_id: str, out: Path, *given: str) -> Path:
    """The folder of the rows that `export neuronpedia` writes."""
    assert (
        main(["export", "neuronpedia", str(run), "--sae", sae_id, "--out", str(out), *given]) == 0
    )
    [source] = out.rglob("source.jsonl")
    return source.parent


def own_latents(run: Path, sae_id: str) -> dict[int, dict]:
    table = pq.read_table(run / "latents.parquet")
    return {row["latent"]: row for row in table.filter(pc.field("sae_id") == sae_id).to_pylist()}


@pytest.mark.parametrize(("sae_id", "n"), [(WIDE, 31), (SMALL, 8)])
def test_labels_figures_and_tokens_come_back_equal(gpt2_run, tmp_path, sae_id, n):
    folder = export(gpt2_run, sae_id, tmp_path / "np")
    done = run_import("neuronpedia", folder, gpt2_run, tmp_path / "data", sae_id)
    own = own_latents(gpt2_run, sae_id)
    assert {int(row["latent"]): row["label"].removeprefix("'") for row in done.labels} == {
        latent: short_label(row["label"]) for latent, row in own.items() if row["label"]
    }
    for latent, row in own.items():
        found = done.rows[latent]
        assert found["density"] == row["count"] / row["tokens_seen"]
        assert [each["token"] for each in found["promoted"]] == [
            each["token"] for each in row["promoted"]
        ]
        assert found["max_activation"] == row["max_activation"] or row["count"] == 0
    assert f"labels: {n}, of which {n} say the same as the run's own" in done.report
    # of fewer than 30 latents no correlation is given
    assert ("densities: rank correlation 1.00" in done.report) == (sae_id == WIDE)


def test_a_meta_sae_comes_back_and_is_not_taken_for_another(gpt2_run, tmp_path):
    names = ("--model-id", MODEL, "--source-id", "8-meta4-jb")
    folder = export(gpt2_run, META, tmp_path / "np", *names)
    (tmp_path / "np" / "export.json").unlink()  # which is a proof, as the next test has it
    out = tmp_path / "data"
    assert "--trust-width" in refusal("neuronpedia", folder, gpt2_run, out, META)
    done = run_import("neuronpedia", folder, gpt2_run, out, META, trusts_width=True)
    assert [row["label"] for row in done.labels] == [
        row["label"] for row in own_latents(gpt2_run, META).values()
    ]
    known = PLACES[WIDE]["neuronpedia_id"]
    assert f"but the run has {known}" in refusal(
        "neuronpedia", folder, gpt2_run, tmp_path / "none", WIDE
    )
    assert known == f"{MODEL}/{SOURCE}"


@pytest.mark.parametrize(
    "given", ["", "my-model", "my-model/8-mine-jb", "my-model/8-mine-jb/features"]
)
def test_an_export_under_any_name_comes_back_from_its_folder_and_those_in_it(
    gpt2_run, tmp_path, given
):
    """The command of the README: names are of the exporter's choice, the mark says what it is."""
    names = ("--model-id", "my-model", "--source-id", "8-mine-jb")
    export(gpt2_run, WIDE, tmp_path / "np", *names)
    done = run_import("neuronpedia", tmp_path / "np" / given, gpt2_run, tmp_path / "data")
    assert "an export of this run" in done.report
    assert set(done.rows) == set(own_latents(gpt2_run, WIDE))


def test_the_mark_of_another_run_or_sae_proves_nothing(gpt2_run, tmp_path):
    names = ("--model-id", "my-model", "--source-id", "8-mine-jb")
    export(gpt2_run, SMALL, tmp_path / "np", *names)
    told = refusal("neuronpedia", tmp_path / "np", gpt2_run, tmp_path / "data")
    assert "about the model my-model" in told


@pytest.mark.parametrize("content", ["[]", "{", '{"format": 3}', "\\x00"])
def test_another_export_json_says_nothing(gpt2_run, tmp_path, content):
    """A file of that name above the rows may be anybody's."""
    folder = export(gpt2_run, WIDE, tmp_path / "np")
    (tmp_path / "np" / "export.json").write_text(content)
    done = run_import("neuronpedia", folder, gpt2_run, tmp_path / "data")
    assert "an export of this run" not in done.report
    assert set(done.rows) == set(own_latents(gpt2_run, WIDE))


def test_of_several_sources_one_is_asked_for(gpt2_run, tmp_path):
    folder = export(gpt2_run, WIDE, tmp_path / "np")
    shutil.copytree(folder, folder.with_name("other"))
    told = refusal("neuronpedia", tmp_path / "np", gpt2_run, tmp_path / "data")
    assert "several sources" in told and str(folder.with_name("other")) in told


@pytest.mark.parametrize("position", [0, 1, 4])
def test_the_chosen_token_is_stored_one_too_low_and_so_is_read_back(position):
    """Its neighbours lie in the bin too: read as it stands, the index would name the one before."""
    example = {
        "latent": 3,
        "context_id": 7,
        "position": position,
        "positions": [0, 1, 2, 3, 4],
        "activations": [1.25, 1.5, 1.25, 1.0, 1.75],
    }
    bounds = {"binMin": 1.0, "binMax": 2.0, "binContains": 0.1}
    source = Source(MODEL, SOURCE, SOURCE, None, None, "2026-01-01")
    row = activation_row(source, example, list("abcde"), bounds, "text")
    assert row["qualifyingTokenIndex"] == position - 1
    latent = ForeignLatent()
    keep_activation(latent, row, _FIELDS, TokenTexts())
    [kept] = latent.examples
    assert kept.tokens[kept.peak] == "abcde"[position]
