"""Every format holds the same directions; damaged and hostile files get a plain message."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from precompute.config import ConfigError
from precompute.named import formats
from precompute.named.formats import read_matrix
from precompute.named.reading import read_directions
from precompute.named.section import DirectionsConfig
from tests.precompute.named.conftest import SAVERS, Given, save_columns, save_npz

GIVEN = Given(["a b", "ß", "🙂"], np.array([[3, 4], [0, 2], [-1, 0]], np.float32))


def _section(path: Path) -> DirectionsConfig:
    return DirectionsConfig(name="own", path=str(path), licence="CC0")


@pytest.mark.parametrize("kind", SAVERS)
def test_every_format_gives_the_same_names_rows_and_hash(kind: str, tmp_path: Path):
    name, save = SAVERS[kind]
    save(tmp_path / name, GIVEN)
    read = read_directions(_section(tmp_path / name))
    assert read.names == GIVEN.names
    # 3-4-5: the lengths are dropped
    np.testing.assert_array_equal(read.rows, np.array([[0.6, 0.8], [0, 1], [-1, 0]], np.float32))
    save_npz(tmp_path / "other.npz", GIVEN)
    assert read.sha256 == read_directions(_section(tmp_path / "other.npz")).sha256


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int32"])
def test_every_real_type_is_read(dtype: str, tmp_path: Path):
    rows = GIVEN.rows.astype(dtype)
    np.savez(tmp_path / "d.npz", names=np.array(GIVEN.names), directions=rows)
    save_columns(tmp_path / "d.parquet", Given(GIVEN.names, rows))
    save_file(
        {"directions": torch.from_numpy(rows).to(torch.bfloat16)},  # holds small whole numbers
        tmp_path / "d.safetensors",
        {"names": json.dumps(GIVEN.names)},
    )
    for ending in ("npz", "parquet", "safetensors"):
        np.testing.assert_array_equal(read_matrix(tmp_path / f"d.{ending}")[1], GIVEN.rows)


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=True)
    return stream.getvalue()


def _claiming(shape: tuple[int, ...]) -> bytes:
    """The head of an array of that shape, and 64 bytes of it."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f4", "fortran_order": False, "shape": shape}
    )
    return stream.getvalue() + bytes(64)


def _npz(path: Path, **members: Any) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            content = content if isinstance(content, bytes) else _npy(np.asarray(content))
            archive.writestr(f"{name}.npy", content)


class Explosive:
    """Does something when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a pickle was loaded",))


NAMES = np.array(GIVEN.names)
BAD_NPZ: dict[str, tuple[dict[str, Any], str]] = {
    "no names": ({"directions": GIVEN.rows}, "needs the arrays `directions` and `names`; it has d"),
    "another array": ({"names": NAMES, "W": GIVEN.rows}, "it has names, W"),
    "names pickled": (
        {"directions": GIVEN.rows, "names": np.array([Explosive()] * 3, object)},
        "np.array.names, dtype=str",
    ),
    "rows pickled": (
        {"directions": np.array([Explosive()] * 3, object), "names": NAMES},
        "holds object, not real numbers",
    ),
    "no array": ({"directions": pickle.dumps(1), "names": NAMES}, "cannot be read as .npz"),
    "complex": ({"directions": GIVEN.rows * 1j, "names": NAMES}, "holds complex64"),
    "text": ({"directions": NAMES, "names": NAMES}, "not real numbers"),
    "one row": ({"directions": GIVEN.rows[0], "names": NAMES}, r"is \(2,\), not \[directions, d"),
    "other names": ({"directions": GIVEN.rows, "names": NAMES[:2]}, "3 directions and 2 names"),
    "names in two dimensions": (
        {"directions": GIVEN.rows, "names": NAMES[:, None]},
        "not a list of short names",
    ),
    "a claim": ({"directions": _claiming((1 << 30, 1 << 30)), "names": NAMES}, "claims"),
    "cut": ({"directions": _npy(GIVEN.rows)[:-4], "names": NAMES}, "expected 24 bytes"),
}


@pytest.mark.parametrize("kind", BAD_NPZ)
def test_a_bad_npz_is_refused(kind: str, tmp_path: Path):
    members, message = BAD_NPZ[kind]
    _npz(tmp_path / "d.npz", **members)
    with pytest.raises(ConfigError, match=message):
        read_matrix(tmp_path / "d.npz")


@pytest.mark.parametrize("ending", ["npz", "safetensors", "parquet"])
def test_noise_an_empty_file_a_folder_and_nothing_are_refused(ending: str, tmp_path: Path):
    path = tmp_path / f"d.{ending}"
    with pytest.raises(ConfigError, match="is not there"):
        read_matrix(path)
    for content in (b"", b"PK\x03\x04", np.random.default_rng(0).bytes(1000)):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=f"cannot be read as .{ending}"):
            read_matrix(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match="not a file"):
        read_matrix(path)


def test_another_ending_is_refused_before_it_is_opened(tmp_path: Path):
    (tmp_path / "d.pkl").write_bytes(pickle.dumps(Explosive()))
    with pytest.raises(ConfigError, match=r"one of the formats .npz, .safetensors, .parquet"):
        read_matrix(tmp_path / "d.pkl")


BAD_TENSORS: dict[str, tuple[dict[str, torch.Tensor], dict[str, str] | None, str]] = {
    "another tensor": ({"W": torch.ones(2, 2)}, None, "needs a tensor `directions`; it has W"),
    "no names": ({"directions": torch.ones(2, 2)}, None, "one name a line in"),
    "names no JSON": ({"directions": torch.ones(2, 2)}, {"names": "a,b"}, "cannot be read"),
    "names deep": ({"directions": torch.ones(2, 2)}, {"names": "[" * 10**6}, "cannot be read"),
    "names of numbers": ({"directions": torch.ones(2, 2)}, {"names": "[1, 2]"}, "list of strings"),
    "flat": ({"directions": torch.ones(2)}, {"names": '["a", "b"]'}, r"is \(2,\)"),
    "booleans": ({"directions": torch.ones(2, 2).bool()}, {"names": '["a", "b"]'}, "not real"),
}


@pytest.mark.parametrize("kind", BAD_TENSORS)
def test_bad_tensors_are_refused(kind: str, tmp_path: Path):
    tensors, metadata, message = BAD_TENSORS[kind]
    save_file(tensors, tmp_path / "d.safetensors", metadata)
    with pytest.raises(ConfigError, match=message):
        read_matrix(tmp_path / "d.safetensors")


BAD_PARQUET: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"direction": [[1.0], [2.0]]}, "needs a column `name`"),
    "name alone": ({"name": ["a", "b"]}, "no other column is not"),
    "a column of text": ({"name": ["a", "b"], "d0": [1.0, 2.0], "kind": ["x", "y"]}, "kind is not"),
    "lists of text": ({"name": ["a", "b"], "direction": [["x"], ["y"]]}, "direction is not"),
    "ragged": ({"name": ["a", "b"], "direction": [[1.0], [1.0, 2.0]]}, "different lengths"),
    "an empty list": ({"name": ["a", "b"], "direction": [[1.0], None]}, "has empty cells"),
    "an empty value": ({"name": ["a", "b"], "direction": [[1.0], [None]]}, "has empty cells"),
    "an empty name": ({"name": ["a", None], "direction": [[1.0], [1.0]]}, "has empty cells"),
    "names of numbers": ({"name": [1, 2], "direction": [[1.0], [2.0]]}, "holds int64, not text"),
    "a long name": ({"name": ["a" * 81, "b"], "direction": [[1.0], [2.0]]}, "longer than 80"),
}


@pytest.mark.parametrize("kind", BAD_PARQUET)
def test_a_bad_parquet_file_is_refused(kind: str, tmp_path: Path):
    columns, message = BAD_PARQUET[kind]
    pq.write_table(pa.table(columns), tmp_path / "d.parquet")
    with pytest.raises(ConfigError, match=message):
        read_matrix(tmp_path / "d.parquet")


def test_other_columns_beside_lists_are_no_dimensions(tmp_path: Path):
    columns = {"name": ["a", "b"], "direction": [[1.0, 0.0], [0.0, 1.0]], "layer": [1, 2]}
    pq.write_table(pa.table(columns), tmp_path / "d.parquet")
    np.testing.assert_array_equal(read_matrix(tmp_path / "d.parquet")[1], np.eye(2))


def test_what_inflates_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(formats, "MOST_VALUES", 1000)
    monkeypatch.setattr(formats, "MOST_NAME_BYTES", 4000)
    rows = np.zeros((501, 2), np.float32)  # compresses to nothing
    given = Given(["a"] * 501, rows)
    for kind, (name, save) in SAVERS.items():
        save(tmp_path / name, given)
        with pytest.raises(ConfigError, match="501 directions of 2 numbers; at most"):
            read_matrix(tmp_path / name)
        assert (tmp_path / name).unlink() is None, kind
    wide = Given(["a", "b" * 999], rows[:2])
    save_npz(tmp_path / "d.npz", wide)
    with pytest.raises(ConfigError, match="not a list of short names"):
        read_matrix(tmp_path / "d.npz")
    save_columns(tmp_path / "d.parquet", Given(["a", "b" * 9999], rows[:2]))
    with pytest.raises(ConfigError, match="column `name` is larger"):
        read_matrix(tmp_path / "d.parquet")
