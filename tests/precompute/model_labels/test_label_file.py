"""Labels by a model enter the file, and what people wrote stays."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from backend.edited_labels import read_labels
from precompute.config import ConfigError
from precompute.model_labels.label_file import (
    ModelLabel,
    check_mergeable,
    label_texts,
    merge_labels,
)

HASH = "3fa9c1d2e4b5" + "0" * 52
SAES = [{"sae_id": "sae-8", "n_latents": 8, "decoder_sha256": HASH}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "mine.labels.csv"


def _label(latent: int, label: str = "city") -> ModelLabel:
    return ModelLabel("sae-8", latent, label, HASH, "=model", "answer 123")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _rows(path: Path, delimiter: str = ",") -> list[list[str]]:
    text = path.read_text(encoding="utf-8-sig")
    return list(csv.reader(text.splitlines(), delimiter=delimiter))


def test_a_new_file_is_sorted_opens_in_a_spreadsheet_and_is_read_as_by_a_model(path):
    merge_labels(path, [_label(3, "-ing"), _label(1)])
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")  # by which Excel knows UTF-8
    assert _rows(path) == [
        ["sae_id", "latent", "label", "decoder_sha256", "source", "note", "model"],
        ["sae-8", "1", "city", HASH, "model", "answer 123", "'=model"],
        ["sae-8", "3", "'-ing", HASH, "model", "answer 123", "'=model"],
    ]
    found = read_labels(path, SAES)
    assert [(one.latent, one.label, one.source) for one in found.labels] == [
        (1, "city", "model"),
        (3, "-ing", "model"),
    ]
    assert found.problems == found.notes == ()


def test_rows_by_people_other_columns_and_their_order_stay(path):
    _write(
        path,
        "mine;label;latent;sae_id;source\n"
        "a;by hand;1;sae-8;\n"
        "b;old model;2;sae-8;model\n"
        ";;;;\n"
        "c;old model of another;3;sae-8;MODEL\n"
        'd;"two; parts";3;sae-8;person\n',
    )
    merge_labels(path, [_label(2, "new"), _label(1, "new")])
    assert _rows(path, ";") == [
        ["mine", "label", "latent", "sae_id", "source", "decoder_sha256", "note", "model"],
        ["a", "by hand", "1", "sae-8", ""],
        ["", "", "", "", ""],
        ["c", "old model of another", "3", "sae-8", "MODEL"],
        ["d", "two; parts", "3", "sae-8", "person"],
        ["", "new", "1", "sae-8", "model", HASH, "answer 123", "'=model"],
        ["", "new", "2", "sae-8", "model", HASH, "answer 123", "'=model"],
    ]
    assert [one.source for one in read_labels(path, SAES).labels] == ["person", "model", "person"]


def test_the_same_labels_again_change_nothing(path):
    merge_labels(path, [_label(1), _label(2)])
    once = path.read_bytes()
    merge_labels(path, [_label(2), _label(1)])
    assert path.read_bytes() == once


def test_without_labels_no_file_is_made_or_changed(path):
    merge_labels(path, [])
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [b"caf\xe9", b"latent,label\n1,x\n", b'sae_id,latent,label\na,1,"' + b"x" * 200_000, b"\0\1"],
)
def test_a_file_that_cannot_be_kept_whole_is_left_alone(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    for act in (lambda: merge_labels(path, [_label(1)]), lambda: check_mergeable(path)):
        with pytest.raises(ConfigError, match="no label is added to it"):
            act()
    assert path.read_bytes() == content


def test_a_folder_in_its_place_is_said(path):
    path.mkdir(parents=True)
    with pytest.raises(ConfigError, match="no label is added to it"):
        check_mergeable(path)


def test_a_link_to_the_file_stays_a_link(path, tmp_path):
    target = tmp_path / "kept.csv"
    target.write_text("sae_id,latent,label\n")
    path.parent.mkdir()
    path.symlink_to(target)
    merge_labels(path, [_label(1)])
    assert path.is_symlink()
    assert "city" in target.read_text()


def test_label_texts_are_those_of_one_source_and_of_these_weights(path):
    rows = [
        ("1", "by hand", HASH, "person"),
        ("1", "by model", HASH, "model"),
        ("2", "old", "a" * 64, "model"),
    ]
    lines = [f"sae-8,{latent},{label},{digest},{source}" for latent, label, digest, source in rows]
    _write(path, "\n".join(["sae_id,latent,label,decoder_sha256,source", *lines]))
    assert label_texts(path, SAES) == {("sae-8", 1): "by model"}
    assert label_texts(path, SAES, "person") == {("sae-8", 1): "by hand"}
