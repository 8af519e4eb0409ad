"""`export neuronpedia`: batches, names, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from precompute.__main__ import main
from precompute.exports import neuronpedia
from tests.planted import DEAD, META, SMALL, WIDE
from tests.precompute.exports.changed_run import changed_run, table_of, with_column
from tests.precompute.exports.neuronpedia_fields import GIVEN, PLACE, Row, lines_of


def test_batches_hold_as_many_latents_as_neuronpedias(exported, monkeypatch):
    assert neuronpedia.BATCH_LATENTS == 1024
    monkeypatch.setattr(neuronpedia, "BATCH_LATENTS", 10)
    whole = exported("neuronpedia", "--sae", WIDE, *GIVEN) / PLACE
    rows = {name: lines_of(whole, name) for name in ("features", "explanations", "activations")}
    for name in rows:
        assert {path.name for path in (whole / name).iterdir()} == {
            f"batch-{number}.jsonl.gz" for number in range(4)
        }
    assert [row["index"] for row in rows["features"]] == [str(latent) for latent in range(32)]
    part = exported("neuronpedia", "--sae", WIDE, *GIVEN, "--latents", "12:29") / PLACE
    for name in rows:
        assert {path.name for path in (part / name).iterdir()} == {
            "batch-1.jsonl.gz",
            "batch-2.jsonl.gz",
        }
        undated = [{**row, "createdAt": ""} for row in rows[name] if 12 <= int(row["index"]) < 29]
        assert [
            {**row, "createdAt": ""} if "createdAt" in row else row for row in lines_of(part, name)
        ] == [row if name != "explanations" else _without_date(row) for row in undated]


def _without_date(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "createdAt"}


def test_a_batch_without_a_row_has_no_file(exported):
    folder = exported("neuronpedia", "--sae", WIDE, *GIVEN, "--latents", f"{DEAD}:{DEAD + 1}")
    assert [path.name for path in (folder / PLACE).iterdir() if path.is_dir()] == ["features"]


def test_a_meta_sae_has_features_and_labels_and_no_text(exported):
    folder = exported("neuronpedia", "--sae", META, *GIVEN) / PLACE
    assert [row["index"] for row in lines_of(folder, "features")] == ["0", "1", "2", "3"]
    assert {row["hookName"] for row in lines_of(folder, "features")} == {None}
    assert not (folder / "activations").exists()
    assert f"{META}: " in json.loads((folder / "source.jsonl").read_text())["notes"]


def test_names_come_from_the_run_where_it_has_them(exported):
    folder = exported("neuronpedia", "--sae", SMALL)
    place = folder / "gpt2-small" / "8-res_fs49152-jb"
    assert json.loads((place / "source.jsonl").read_text())["setName"] == "res_fs49152-jb"
    assert {row["creatorId"] for row in lines_of(place, "features")} == {None}
    kept = json.loads((folder / "export.json").read_text())
    assert (kept["format"], kept["sae_id"], kept["latents"]) == ("neuronpedia", SMALL, [0, 8])


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ((), "Give --model-id, e.g. gpt2-small, and --source-id"),
        (("--model-id", "m"), "Give --model-id"),
        (("--model-id", "../m", "--source-id", "1-a"), "--model-id '../m'"),
        (("--model-id", "m", "--source-id", "a"), "is not <layer>-<set>"),
        (("--model-id", "m", "--source-id", "1-a/b"), "is not <layer>-<set>"),
        (("--model-id", "m", "--source-id", "1-.."), "is not <layer>-<set>"),
        ((*GIVEN, "--latents", "5:5"), "--latents 5:5: sae-32 has the latents 0 to 31"),
        ((*GIVEN, "--latents", "0:33"), "--latents 0:33"),
    ],
)
def test_what_cannot_be_named_is_refused(weighted, tmp_path, caplog, given, fault):
    command = ["export", "neuronpedia", str(weighted.run), "--sae", WIDE, "--out"]
    assert main([*command, str(tmp_path / "out"), *given]) == 1
    assert fault in caplog.records[-1].message
    assert not list(tmp_path.iterdir())


def test_an_sae_that_is_not_there_and_a_damaged_run_are_refused(weighted, tmp_path, caplog):
    out = tmp_path / "out"
    assert main(["export", "neuronpedia", str(weighted.run), "--sae", "x", "--out", str(out)]) == 1
    assert "has no SAE 'x'; it has meta-4, sae-32, sae-8" in caplog.records[-1].message
    run = Path(shutil.copytree(weighted.run, tmp_path / "planted"))
    content = bytearray((run / "examples.parquet").read_bytes())
    content[200] ^= 1
    (run / "examples.parquet").write_bytes(content)
    assert main(["export", "neuronpedia", str(run), "--sae", WIDE, *GIVEN, "--out", str(out)]) == 1
    assert "examples.parquet was damaged" in caplog.records[-1].message
    assert not out.exists()


def test_a_row_that_json_has_no_word_for_stops_the_export_without_a_trace(
    weighted, tmp_path, caplog
):
    latents = table_of(weighted.run, "latents")
    values = [float("nan"), *latents["max_activation"].to_pylist()[1:]]
    tables = {"latents": with_column(latents, "max_activation", values)}
    run = changed_run(weighted.run, tmp_path / "data" / "planted", tables)
    out = tmp_path / "out"
    given = ("--sae", META, *GIVEN, "--out", str(out))
    assert main(["export", "neuronpedia", str(run), *given]) == 1
    assert "meta-4, latents 0 to 3: features cannot be written" in caplog.records[-1].message
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
