"""Files of evidence: what was written is read, and what is broken is told."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend import elsewhere_file
from backend.elsewhere import imported_path, said_elsewhere
from backend.elsewhere_file import ABOUT_KEY, SCHEMA
from precompute.imports.foreign import ForeignLatent
from tests.backend.elsewhere_files import HASH, latent, write
from tests.planted import WIDE

SAE = {"sae_id": WIDE, "decoder_sha256": HASH}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "planted"


def test_an_id_too_long_for_a_file_name_has_no_file(run):
    assert said_elsewhere(run, SAE | {"sae_id": "x" * 300}, 3) == ([], [])


def test_every_field_of_a_latent_comes_back(run):
    write(run, {3: latent()})
    [said], problems = said_elsewhere(run, SAE, 3)
    assert problems == []
    assert said.about["tool"] == "Neuronpedia"
    row = said.row
    assert row["explanations"] == [
        {"text": "an older one", "by": ""},
        {"text": "scientists", "by": "scientists"},
    ]
    assert (row["density"], row["max_activation"]) == (0.0012, 7.25)
    assert row["promoted"][0] == {"token": " scientists", "value": 1.5}
    assert row["fires_on"] == [{"token": "scientists", "value": 60.0}]
    assert row["examples"][0] == {
        "group": "top",
        "tokens": ["We", " scientists", " met"],
        "values": [0.0, 7.25, 0.5],
        "peak": 1,
    }
    [score] = row["scores"]
    assert (score["kind"], score["accuracy"], score["n"]) == ("scientists", 0.75, 100)
    assert math.isnan(score["f1"])
    assert row["parts"][0] == {"part": 3, "weight": 0.5, "label": "scientists"}


def test_a_run_without_a_file_has_nothing(run):
    assert said_elsewhere(run, SAE, 3) == ([], [])


def test_a_latent_is_found_wherever_it_lies(run):
    known = [0, 1, 255, 256, 257, 900, 5_000]
    write(run, {i: ForeignLatent(density=i / 10_000) for i in [*known, *range(300, 800)]})
    for index in [*known, 799, 2, 299, 901, 4_999, 5_001, 2**31 - 1]:
        said, problems = said_elsewhere(run, SAE, index)
        expected = [index / 10_000] if index in known or index == 799 else []
        assert [one.row["density"] for one in said] == expected
        assert problems == []


def test_tools_are_told_in_one_order_whatever_came_first(run):
    for tool in ("metasae", "neuronpedia", "delphi"):
        write(run, {3: latent()}, tool, source=tool)
    said, _ = said_elsewhere(run, SAE, 3)
    assert [one.about["source"] for one in said] == ["neuronpedia", "delphi", "metasae"]


def test_a_replaced_file_is_read_anew_and_a_removed_one_is_gone(run):
    path = write(run, {3: latent("first")})
    assert said_elsewhere(run, SAE, 3)[0][0].row["explanations"][-1]["text"] == "first"
    write(run, {3: latent("second, longer")})
    assert said_elsewhere(run, SAE, 3)[0][0].row["explanations"][-1]["text"] == "second, longer"
    path.unlink()
    assert said_elsewhere(run, SAE, 3) == ([], [])


def test_weights_that_changed_since_are_told(run):
    write(run, {3: latent()}, decoder_sha256="a" * 64)
    said, [problem] = said_elsewhere(run, SAE, 3)
    assert said == []
    assert "neuronpedia-sae-32.parquet was imported for other weights" in problem
    assert "Import it again" in problem


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:0],
        lambda content: content[:4],
        lambda content: content[: len(content) // 2],
        lambda content: content[:-8] + b"\xff\xff\xff\x7fPAR1",
        lambda content: b"sae_id,latent\n" * len(content),
    ],
)
def test_a_torn_file_is_told_and_does_no_harm(run, damage):
    path = write(run, {3: latent()})
    path.write_bytes(damage(path.read_bytes()))
    said, [problem] = said_elsewhere(run, SAE, 3)
    assert said == []
    assert "so it is not shown" in problem


def test_a_changed_byte_in_the_data_is_noticed(run):
    """Wherever in the file: the row is the one that was written, or there is none."""
    path = write(run, {i: latent(f"latent {i}", scores=[]) for i in range(200)})
    whole = path.read_bytes()
    [expected], _ = said_elsewhere(run, SAE, 3)
    n_told = 0
    for at in range(4, len(whole) - 8, len(whole) // 150):
        content = bytearray(whole)
        content[at] ^= 0x10
        path.write_bytes(content)
        said, problems = said_elsewhere(run, SAE, 3)
        n_told += bool(problems)
        assert len(problems) <= 1
        assert [one.row for one in said] in ([expected.row], [])
    assert n_told > 50


@pytest.mark.parametrize(
    ("about", "words"),
    [
        (b"", "does not say what it is"),
        (b"[" * 50_000, "does not say what it is"),
        (b'{"version": 1}', "does not say what it is"),
        (b'{"version": "2"}', "another version"),
        (b'{"tool": "' + b"x" * 200_000 + b'"}', "does not say what it is"),
    ],
)
def test_a_file_that_does_not_say_what_it_is_is_told(run, about, words):
    path = imported_path(run, "delphi", WIDE)
    path.parent.mkdir(parents=True)
    row = {name: [] for name in SCHEMA.names} | {"latent": 3, "density": None}
    table = pa.Table.from_pylist([row | {"max_activation": None}], SCHEMA)
    pq.write_table(table.replace_schema_metadata({ABOUT_KEY: about}), path)
    assert words in said_elsewhere(run, SAE, 3)[1][0]


def test_other_columns_are_told(run):
    path = imported_path(run, "delphi", WIDE)
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"latent": pa.array([3], pa.int32())}), path)
    assert "has other columns" in said_elsewhere(run, SAE, 3)[1][0]


def test_a_piece_too_large_for_a_page_is_not_read(run, monkeypatch):
    write(run, {3: latent("x" * 10_000)})
    monkeypatch.setattr(elsewhere_file, "MOST_GROUP_BYTES", 1_000)
    assert "has more than 0 MB in one piece" in said_elsewhere(run, SAE, 3)[1][0]


def test_a_name_of_an_sae_stays_inside_the_folder(tmp_path):
    path = imported_path(tmp_path / "run", "delphi", "../../etc/x")
    assert path.parent == tmp_path / "run.imported"
