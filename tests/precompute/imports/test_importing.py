"""What an import does to the files beside a run, and the command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backend.edited_labels import read_labels
from backend.store import open_run
from precompute.__main__ import main
from precompute.imports.label_rows import short_label
from precompute.model_labels import label_file
from tests.planted import WIDE, sae_rows
from tests.precompute.imports.foreign_files import (
    SOURCE,
    explanation,
    feature,
    word,
    write_jsonl,
    write_neuronpedia,
)
from tests.precompute.imports.importing import refusal, run_import

HASH = f"{WIDE:0>64}"
HEADER = "sae_id,latent,label,decoder_sha256,source,note,mine\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_neuronpedia(tmp_path / SOURCE)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "data"


def put_labels(out: Path, run: Path, rows: str) -> None:
    out.mkdir()
    (out / f"{run.name}.labels.csv").write_text(HEADER + rows)


def test_rows_by_people_and_models_stay_and_earlier_imports_are_replaced(folder, gpt2_run, out):
    put_labels(
        out,
        gpt2_run,
        f"{WIDE},0,by hand,{HASH},person,,a\n"
        f"{WIDE},1,by model,{HASH},model,,b\n"
        f"{WIDE},2,old import,{HASH},neuronpedia,,c\n"
        f"{WIDE},2,other tool,{HASH},delphi,,d\n"
        f"sae-8,2,other SAE,{'sae-8':0>64},neuronpedia,,e\n",
    )
    for file in (folder / "explanations").iterdir():
        file.unlink()
    rows = [explanation(latent) for latent in (0, 1, 3)]
    write_jsonl(folder / "explanations" / "batch-0.jsonl.gz", rows)
    done = run_import("neuronpedia", folder, gpt2_run, out)
    assert [(row["sae_id"], row["latent"], row["label"], row["mine"]) for row in done.labels] == [
        (WIDE, "0", "by hand", "a"),
        (WIDE, "1", "by model", "b"),
        (WIDE, "2", "other tool", "d"),
        ("sae-8", "2", "other SAE", "e"),
        (WIDE, "0", f"mentions of {word(0)}", ""),
        (WIDE, "1", f"mentions of {word(1)}", ""),
        (WIDE, "3", f"mentions of {word(3)}", ""),
    ]
    found = {
        (one.sae_id, one.latent): one.label
        for one in read_labels(done.labels_path, list(sae_rows())).labels
    }
    assert found[WIDE, 0] == "by hand"
    assert found[WIDE, 1] == "by model"
    assert found[WIDE, 3] == "mentions of paris"


def test_the_same_import_again_changes_nothing(folder, gpt2_run, out):
    done = run_import("neuronpedia", folder, gpt2_run, out)
    labels, evidence = done.labels_path.read_bytes(), done.evidence_path.read_bytes()
    again = run_import("neuronpedia", folder, gpt2_run, out)
    assert again.labels_path.read_bytes() == labels
    assert again.evidence_path.read_bytes() == evidence


def test_a_refused_import_leaves_the_files_as_they_were(folder, gpt2_run, out):
    done = run_import("neuronpedia", folder, gpt2_run, out)
    before = {path: path.read_bytes() for path in (done.labels_path, done.evidence_path)}
    path = write_jsonl(folder / "bad.jsonl", [explanation(0, layer="8-res-jb")])
    empty = out.parent / "empty"
    refusal("neuronpedia", path, gpt2_run, empty)
    assert {path: path.read_bytes() for path in before} == before


def test_without_labels_only_the_evidence_is_written(folder, gpt2_run, out):
    done = run_import("neuronpedia", folder, gpt2_run, out, with_labels=False)
    assert not done.labels_path.exists()
    assert len(done.rows) == 32


def test_a_label_file_that_cannot_be_kept_whole_stops_everything(folder, gpt2_run, out):
    out.mkdir()
    path = out / f"{gpt2_run.name}.labels.csv"
    path.write_bytes(b"caf\xe9")
    with pytest.raises(label_file.ConfigError, match="no label is added to it"):
        run_import("neuronpedia", folder, gpt2_run, out)
    assert [each.name for each in out.iterdir()] == [path.name]


def test_more_labels_than_pages_read_are_on_the_pages_of_latents_only(
    folder, gpt2_run, out, monkeypatch
):
    put_labels(out, gpt2_run, f"{WIDE},0,by hand,{HASH},person,,a\n")
    monkeypatch.setattr(label_file, "MOST_ROWS", 30)
    done = run_import("neuronpedia", folder, gpt2_run, out)
    assert "no label is applied" in done.report
    assert [row["label"] for row in done.labels] == ["by hand"]
    assert len(done.rows) == 32


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("mentions of rivers", "mentions of rivers"),
        ("a" * 80, "a" * 80),
        ("a" * 81, "a" * 79 + "…"),
        ("word " * 20, "word " * 15 + "word…"),
        ("a\u202eb\nc\x07", "ab c"),
        ("\u200b", ""),
        ("\u200d", ""),
    ],
)
def test_a_label_is_short_visible_and_cut_between_words(text, label):
    assert short_label(" ".join(text.split())) == label


def test_formulas_and_long_texts_pass_through_the_label_file_unharmed(tmp_path, gpt2_run, out):
    texts = ["=1+1", "-ing", "word " * 40, 'quotes "," and;semicolons', "@here", "<b>x</b>"]
    rows = [explanation(i, description=text) for i, text in enumerate(texts)]
    path = write_jsonl(tmp_path / "x.jsonl", [*rows, feature(0)])
    done = run_import("neuronpedia", path, gpt2_run, out)
    found = read_labels(done.labels_path, list(sae_rows()))
    assert found.problems == ()
    assert [one.label for one in found.labels] == [short_label(t.strip()) for t in texts]
    assert done.rows[2]["explanations"][0]["text"] == ("word " * 40).strip()


def test_an_sae_that_is_not_there_is_told(folder, gpt2_run, out):
    assert "it has meta-4, sae-32, sae-8" in refusal("neuronpedia", folder, gpt2_run, out, "sae-1")


def test_the_command_imports_beside_the_run_and_the_app_shows_it(
    folder, gpt2_run, tmp_path, capsys, caplog
):
    run = tmp_path / "runs" / "planted"
    shutil.copytree(gpt2_run, run)
    asked = ["import", "neuronpedia", str(folder), "--run", str(run), "--sae"]
    assert main([*asked, WIDE]) == 0
    assert "32 decoder rows, median cosine 1.0000" in capsys.readouterr().out
    opened = open_run(run)
    try:
        row = opened.row(
            "select label, label_source from latent_facts where sae_id = $sae and latent = 3",
            sae=WIDE,
        )
    finally:
        opened.close()
    assert row == {"label": "mentions of paris", "label_source": "neuronpedia"}
    assert main(["labels", str(run)]) == 0
    assert main([*asked, "sae-8"]) == 1
    assert "Nothing was imported" in caplog.text
