"""Neuronpedia's bulk files: what is read, what is refused, and what is kept of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from backend.edited_labels import read_labels
from precompute.imports import bounded_files
from tests.planted import SMALL, WIDE, direction, sae_rows
from tests.precompute.imports.foreign_files import (
    SOURCE,
    activation,
    explanation,
    feature,
    word,
    write_jsonl,
    write_neuronpedia,
)
from tests.precompute.imports.importing import refusal, run_import


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_neuronpedia(tmp_path / SOURCE)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_labels_of_a_whole_source_are_in_the_label_file(folder, gpt2_run, out):
    done = run_import("neuronpedia", folder, gpt2_run, out)
    assert len(done.labels) == 32
    assert done.labels[3] == {
        "sae_id": WIDE,
        "latent": "3",
        "label": "mentions of paris",
        "decoder_sha256": f"{WIDE:0>64}"[:16],
        "source": "neuronpedia",
        "note": f"imported from Neuronpedia {SOURCE}",
        "model": "gpt-4o-mini, oai_token-act-pair",
    }
    found = read_labels(done.labels_path, list(sae_rows()))
    assert [(one.latent, one.source) for one in found.labels] == [
        (latent, "neuronpedia") for latent in range(32)
    ]
    assert found.notes == ()


def test_the_evidence_holds_what_the_rows_say(folder, gpt2_run, out):
    row = run_import("neuronpedia", folder, gpt2_run, out).rows[3]
    assert row["explanations"] == [
        {"text": "mentions of paris", "by": "gpt-4o-mini, oai_token-act-pair"}
    ]
    assert row["density"] == 0.00097
    assert row["max_activation"] == 5.5
    assert row["promoted"] == [
        {"token": " paris", "value": 1.5},
        {"token": " common", "value": 0.5},
    ]
    assert row["suppressed"] == [{"token": " not", "value": -0.75}]
    assert row["examples"] == [
        {"group": "top", "tokens": ["We", " paris", " met"], "values": [0, 5.5, 0.25], "peak": 1}
    ]


def test_tokens_of_bytes_are_text_again(folder, gpt2_run, out):
    """`röntgen` has an umlaut, which a byte-level vocabulary writes as two characters."""
    row = run_import("neuronpedia", folder, gpt2_run, out).rows[10]
    assert row["promoted"][0]["token"] == " röntgen"
    assert row["examples"][0]["tokens"][1] == " röntgen"


def test_the_report_says_what_agrees(folder, gpt2_run, out):
    report = run_import("neuronpedia", folder, gpt2_run, out).report
    assert "Neuronpedia: 32 of the 32 latents of sae-32" in report
    assert "the model gpt2-small, here openai-community/gpt2" in report
    assert f"the source gpt2-small/{SOURCE}" in report
    assert "32 decoder rows, median cosine 1.0000" in report
    assert "densities: rank correlation 0." in report
    assert "labels: 32, of which 0 say the same" in report


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"modelId": "gemma-2-2b"}, "about the model gemma-2-2b"),
        ({"layer": "8-res_fs64-jb"}, "about gpt2-small/8-res_fs64-jb, but the run has"),
        ({"layer": "9-res_fs32-jb"}, "about gpt2-small/9-res_fs32-jb, but the run has"),
        ({"index": "32"}, "latent 32, but sae-32 has 32 latents"),
        ({"index": "x"}, "no field index that is a whole number"),
        ({"index": -1}, "no field index that is a whole number"),
        ({"modelId": None}, "no field modelId"),
    ],
)
def test_a_row_about_something_else_ends_the_import_with_its_place(
    folder, gpt2_run, out, changes, words
):
    rows = [explanation(0), explanation(1), explanation(2)]
    rows[0 if "modelId" in changes or "layer" in changes else 2] |= changes
    path = write_jsonl(folder / "explanations" / "batch-0.jsonl.gz", rows)
    told = refusal("neuronpedia", path, gpt2_run, out)
    assert words in told
    assert f"{path}, line {3 if 'index' in changes else 1}" in told


def test_other_vectors_are_another_sae_whatever_the_rows_say(folder, gpt2_run, out):
    rows = [feature(i, vector=direction((i + 1) % 16)) for i in range(16)]
    write_jsonl(folder / "features" / "batch-0.jsonl.gz", rows)
    told = refusal("neuronpedia", folder, gpt2_run, out)
    # the other batch has the 16 rows of the run, so the median alone would not tell
    assert "its decoder rows are not those of sae-32: 16 of 32 have a cosine below 0.99" in told
    rows = [feature(i, vector=[1.0] * 7) for i in range(32)]
    write_jsonl(folder / "features" / "batch-0.jsonl.gz", rows)
    assert "decoder rows of 7 numbers, but sae-32 reads 6" in refusal(
        "neuronpedia", folder, gpt2_run, out
    )


def test_another_sae_of_the_run_is_refused(folder, gpt2_run, out):
    told = refusal("neuronpedia", folder, gpt2_run, out, SMALL)
    assert "the run has gpt2-small/8-res_fs8-jb" in told


def test_without_an_id_a_vector_or_tokens_the_user_has_to_say_that_it_is_the_same(
    tmp_path, nameless_run, out
):
    rows = [explanation(latent) for latent in range(32)]
    path = write_jsonl(tmp_path / "explanations.jsonl", rows)
    told = refusal("neuronpedia", path, nameless_run, out)
    assert "--trust-width" in told
    assert f"the place {SOURCE}, here blocks.8.hook_resid_pre" in told  # but that is not enough
    done = run_import("neuronpedia", path, nameless_run, out, trusts_width=True)
    assert len(done.labels) == 32


def test_a_wrong_layer_is_refused_even_if_the_user_trusts_the_width(tmp_path, nameless_run, out):
    rows = [explanation(latent, layer="5-res_fs32-jb") for latent in range(32)]
    path = write_jsonl(tmp_path / "explanations.jsonl", rows)
    told = refusal("neuronpedia", path, nameless_run, out, trusts_width=True)
    assert "5-res_fs32-jb is another place than blocks.8.hook_resid_pre" in told


def test_the_width_in_a_sources_name_counts(tmp_path, nameless_run, out):
    """8,192 latents fit below 49,152, so only the name tells the family's members apart."""
    rows = [explanation(latent, layer="8-res_fs8192-jb") for latent in range(8)]
    path = write_jsonl(tmp_path / "explanations.jsonl", rows)
    told = refusal("neuronpedia", path, nameless_run, out, trusts_width=True)
    assert "8,192 latents, but sae-32 has 32" in told


def test_tokens_alone_prove_that_it_is_the_same(tmp_path, nameless_run, out):
    rows = [feature(i, vector=[], hasVector=False) for i in range(32)]
    path = write_jsonl(tmp_path / "features.jsonl.gz", rows)
    report = run_import("neuronpedia", path, nameless_run, out).report
    # the one without a label in the run has no word in common
    assert "97% of 32 latents have a token in common, 0% by chance" in report


def test_tokens_of_other_latents_prove_nothing(tmp_path, nameless_run, out):
    rows = [feature(i, vector=[], pos_str=[word((i + 1) % 32)], pos_values=[1]) for i in range(32)]
    path = write_jsonl(tmp_path / "features.jsonl", rows)
    assert "--trust-width" in refusal("neuronpedia", path, nameless_run, out)


def test_of_two_sources_one_has_to_be_named(tmp_path, gpt2_run, out):
    rows = [explanation(0), explanation(0, layer="9-res-jb", description="other")]
    path = write_jsonl(tmp_path / "mixed.jsonl", rows)
    assert "Give one of them with --model and --source" in refusal(
        "neuronpedia", path, gpt2_run, out
    )
    done = run_import("neuronpedia", path, gpt2_run, out, source=SOURCE)
    assert [row["label"] for row in done.labels] == ["mentions of einstein"]


def test_a_source_that_is_not_in_the_files_is_told_with_those_that_are(folder, gpt2_run, out):
    told = refusal("neuronpedia", folder, gpt2_run, out, source="8-res-jb")
    assert f"it has gpt2-small/{SOURCE}" in told


def test_of_several_explanations_all_are_kept_and_the_last_is_the_label(tmp_path, gpt2_run, out):
    rows = [explanation(1, description=text) for text in ("first", "second", "", None, "  ")]
    path = write_jsonl(tmp_path / "x.jsonl", rows)
    done = run_import("neuronpedia", path, gpt2_run, out)
    assert [row["label"] for row in done.labels] == ["second"]
    assert [each["text"] for each in done.rows[1]["explanations"]] == ["first", "second"]


def test_statistics_given_twice_are_the_later_ones_and_it_is_said(tmp_path, gpt2_run, out):
    rows = [feature(1, frac_nonzero=0.5), feature(1, frac_nonzero=0.25), feature(2)]
    done = run_import("neuronpedia", write_jsonl(tmp_path / "x.jsonl", rows), gpt2_run, out)
    assert done.rows[1]["density"] == 0.25
    assert "1 latents have several rows; the last is used" in done.report


def test_what_is_no_finite_number_is_unknown(tmp_path, gpt2_run, out):
    nan = float("nan")
    rows = [
        feature(1, frac_nonzero=nan, maxActApprox=None, pos_values=[nan, 1e999], neg_values=["x"]),
        activation(1, values=[nan, 1.5, float("inf")]),
    ]
    row = run_import("neuronpedia", write_jsonl(tmp_path / "x.jsonl", rows), gpt2_run, out).rows[1]
    assert row["density"] is None
    assert row["promoted"] == row["suppressed"] == []
    assert row["examples"][0]["values"] == [0.0, 1.5, 0.0]
    assert row["max_activation"] == 1.5


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "line 2: not JSON"),
        (b"[1]", "line 2: not a JSON object"),
        (b"[" * 100_000, "line 2: not JSON"),
        (b'{"modelId": "gpt2", "layer": "8-res_fs32-jb", "index": "1"}', "line 2: neither an"),
        (b"\xff\xfe", "line 2: not JSON"),
    ],
)
def test_a_damaged_line_is_told_with_its_number(tmp_path, gpt2_run, out, line, words):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(explanation(1)).encode() + b"\n" + line + b"\n"))
    assert words in refusal("neuronpedia", path, gpt2_run, out)


def test_a_cut_or_false_gzip_file_is_told(tmp_path, gpt2_run, out):
    path = tmp_path / "x.jsonl.gz"
    whole = gzip.compress(b"\n".join(json.dumps(explanation(i)).encode() for i in range(32)))
    for content in (whole[:-20], b"plain text", whole[:40] + b"\0" * 40 + whole[80:]):
        path.write_bytes(content)
        assert "cannot be read" in refusal("neuronpedia", path, gpt2_run, out)


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(tmp_path, gpt2_run, out, monkeypatch):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(b" " * 3_000_000))
    monkeypatch.setattr(bounded_files, "MOST_LINE_BYTES", 1_000_000)
    assert "line 1: longer than 1 MB" in refusal("neuronpedia", path, gpt2_run, out)
    path.write_bytes(gzip.compress((b" " * 999_999 + b"\n") * 3))
    monkeypatch.setattr(bounded_files, "MOST_FILE_BYTES", 2_000_000)
    assert "holds more than 2 MB" in refusal("neuronpedia", path, gpt2_run, out)


def test_a_folder_without_a_file_is_told(tmp_path, gpt2_run, out):
    assert "has no file *.jsonl.gz" in refusal("neuronpedia", tmp_path, gpt2_run, out)
    assert "there is no" in refusal("neuronpedia", tmp_path / "none", gpt2_run, out)
