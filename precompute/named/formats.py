"""Names and a matrix from a file of one of three formats.

| file | directions | names |
|---|---|---|
| `.npz` | array `directions` [n, d] | array `names` [n] of strings |
| `.safetensors` | tensor `directions` [n, d] | metadata `names`, a JSON list, or a `.txt` beside |
| `.parquet` | list column `direction`, or a column a dimension in their order | column `name` |

Nothing is unpickled. A file says how large its content is before it is read, and what would not fit
`MOST_VALUES` is refused then: a small file can claim, or inflate to, any size.
"""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors import SafetensorError, safe_open

from backend.edited_labels import LONGEST_LABEL
from precompute.config import ConfigError

LONGEST_NAME = LONGEST_LABEL  # characters: a name is shown where a label is
MOST_DIRECTIONS = 500_000
MOST_VALUES = 1 << 28  # 1 GiB as float32
MOST_NAME_BYTES = 1 << 28
ROWS_AT_ONCE = 1024  # of Parquet
_NPY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

Matrix = tuple[list[str], np.ndarray]


def read_matrix(path: Path) -> Matrix:
    """Names and rows [n, d], of any real type, as the file has them.

    Raises:
        ConfigError: the file is absent, damaged, too large, or holds something else.
    """
    if path.suffix not in READERS:
        raise ConfigError(f"{path} is not one of the formats {', '.join(READERS)}")
    if not path.is_file():
        raise ConfigError(f"{path} is not there (or is not a file)")
    try:
        names, rows = READERS[path.suffix](path)
    except (
        OSError, ValueError, EOFError, RuntimeError, NotImplementedError, RecursionError,
        SafetensorError, pa.ArrowException, zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise ConfigError(f"{path} cannot be read as {path.suffix}: {error}") from error
    if len(names) != len(rows):
        raise ConfigError(f"{path} has {len(rows):,} directions and {len(names):,} names")
    return names, rows


def _npz(path: Path) -> Matrix:
    with zipfile.ZipFile(path) as archive:
        absent = {"directions.npy", "names.npy"} - set(archive.namelist())
        if absent:
            has = ", ".join(name.removesuffix(".npy") for name in archive.namelist()[:8])
            raise ConfigError(f"{path} needs the arrays `directions` and `names`; it has {has}")
        return _npz_names(path, archive), _npz_rows(path, archive)


def _npz_rows(path: Path, archive: zipfile.ZipFile) -> np.ndarray:
    shape, dtype = _npy_header(archive, "directions.npy")
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise ConfigError(f"{path}: `directions` holds {dtype}, not real numbers")
    _check_shape(path, shape)
    return _npy_array(archive, "directions.npy")


def _npz_names(path: Path, archive: zipfile.ZipFile) -> list[str]:
    shape, dtype = _npy_header(archive, "names.npy")
    if dtype.kind not in "US":
        raise ConfigError(
            f"{path}: `names` holds {dtype}, not text. Save it as np.array(names, dtype=str)"
        )
    if len(shape) != 1 or shape[0] * dtype.itemsize > MOST_NAME_BYTES:
        raise ConfigError(f"{path}: `names` is {shape} of {dtype}, not a list of short names")
    names = _npy_array(archive, "names.npy").tolist()
    return [name.decode() if isinstance(name, bytes) else name for name in names]


def _npy_header(archive: zipfile.ZipFile, member: str) -> tuple[tuple[int, ...], np.dtype]:
    info = archive.getinfo(member)
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in _NPY_HEADERS:
            raise ValueError(f"{member} has version {version}")
        shape, _, dtype = _NPY_HEADERS[version](stream)
    # numpy makes room for what the header claims before it reads
    if math.prod(shape) * dtype.itemsize > info.file_size:
        raise ValueError(f"{member} claims {shape} of {dtype} and holds {info.file_size:,} bytes")
    return shape, dtype


def _npy_array(archive: zipfile.ZipFile, member: str) -> np.ndarray:
    with archive.open(member) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def _safetensors(path: Path) -> Matrix:
    with safe_open(path, framework="pt") as tensors:
        if "directions" not in tensors.keys():  # noqa: SIM118 - not a dictionary
            has = ", ".join(sorted(tensors.keys())[:8])
            raise ConfigError(f"{path} needs a tensor `directions`; it has {has}")
        _check_shape(path, tensors.get_slice("directions").get_shape())
        rows = tensors.get_tensor("directions")
        text = (tensors.metadata() or {}).get("names")
    if rows.is_complex() or rows.dtype == torch.bool:
        raise ConfigError(f"{path}: `directions` holds {rows.dtype}, not real numbers")
    if text is None:
        return _name_lines(path), rows.double().numpy()
    names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{path}: the metadata `names` is not a JSON list of strings")
    return names, rows.double().numpy()


def _name_lines(path: Path) -> list[str]:
    """The names in a text file beside the tensors, one a line."""
    beside = path.with_suffix(".txt")
    if not beside.is_file():
        raise ConfigError(
            f"{path} has no names: give its metadata `names`, a JSON list, or one name a line in "
            f"{beside}"
        )
    if beside.stat().st_size > MOST_NAME_BYTES:
        raise ConfigError(f"{beside} is larger than {MOST_NAME_BYTES >> 20} MB")
    return beside.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def _parquet(path: Path) -> Matrix:
    fields = {field.name: field.type for field in pq.read_schema(path)}
    if "name" not in fields:
        raise ConfigError(f"{path} needs a column `name`; it has {', '.join(list(fields)[:8])}")
    with pq.ParquetFile(path, read_dictionary=["name"]) as file:
        columns = ["direction"] if "direction" in fields else [n for n in fields if n != "name"]
        leaf = fields["direction"] if columns == ["direction"] else None
        types = [getattr(fields[n], "value_type", fields[n]) for n in columns]
        wrong = [
            name
            for name, one in zip(columns, types, strict=True)
            if not (pa.types.is_floating(one) or pa.types.is_integer(one))
        ]
        if wrong or not columns:
            raise ConfigError(
                f"{path}: besides `name` it needs a list column `direction`, or a column of "
                f"numbers for each dimension; {', '.join(wrong[:5]) or 'no other column'} is not"
            )
        _check_parquet_sizes(path, file.metadata, set(columns))
        names: list[str] = []
        parts = []
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=["name", *columns]):
            if any(batch.column(name).null_count for name in ("name", *columns)):
                raise ConfigError(f"{path} has empty cells")
            names += _strings(path, batch["name"])
            parts.append(_lists(path, batch["direction"]) if leaf else _columns(batch, columns))
    if len({part.shape[1] for part in parts}) > 1:
        raise ConfigError(f"{path}: the lists in `direction` have different lengths")
    return names, np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)


def _check_parquet_sizes(path: Path, metadata: pq.FileMetaData, columns: set[str]) -> None:
    chunks = [
        metadata.row_group(i).column(j)
        for i in range(metadata.num_row_groups)
        for j in range(metadata.num_columns)
    ]
    values = sum(one.num_values for one in chunks if one.path_in_schema.split(".")[0] in columns)
    _check_shape(path, (metadata.num_rows, -(-values // max(metadata.num_rows, 1))))
    if any(
        one.total_uncompressed_size > MOST_NAME_BYTES
        for one in chunks
        if one.path_in_schema == "name"
    ):
        raise ConfigError(f"{path}: the column `name` is larger than {MOST_NAME_BYTES >> 20} MB")


def _strings(path: Path, column: pa.Array) -> list[str]:
    # one long text that stands for every row is small in the file and not when it is read
    values = column.dictionary if isinstance(column, pa.DictionaryArray) else column
    if not pa.types.is_string(values.type) and not pa.types.is_large_string(values.type):
        raise ConfigError(f"{path}: the column `name` holds {values.type}, not text")
    if max((len(name) for name in values.to_pylist() if name), default=0) > LONGEST_NAME:
        raise ConfigError(f"{path}: a name is longer than {LONGEST_NAME} characters")
    return column.to_pylist()


def _lists(path: Path, column: pa.Array) -> np.ndarray:
    one = column.type
    fixed = one.list_size if pa.types.is_fixed_size_list(one) else None
    lengths = {fixed} if fixed is not None else set(column.value_lengths().to_pylist())
    if len(lengths) != 1:
        raise ConfigError(f"{path}: the lists in `direction` have different lengths")
    values = column.flatten()
    if values.null_count:
        raise ConfigError(f"{path} has empty cells")
    return values.to_numpy(zero_copy_only=False).reshape(len(column), lengths.pop())


def _columns(batch: pa.RecordBatch, columns: list[str]) -> np.ndarray:
    arrays = [batch.column(name).to_numpy(zero_copy_only=False) for name in columns]
    return np.stack(arrays, 1)


def _check_shape(path: Path, shape: tuple[int, ...] | list[int]) -> None:
    if len(shape) != 2:
        raise ConfigError(f"{path}: `directions` is {tuple(shape)}, not [directions, dimensions]")
    if shape[0] > MOST_DIRECTIONS or math.prod(shape) > MOST_VALUES:
        raise ConfigError(
            f"{path} holds {shape[0]:,} directions of {shape[1]:,} numbers; at most "
            f"{MOST_DIRECTIONS:,} directions and {MOST_VALUES:,} numbers are read"
        )


READERS: dict[str, Callable[[Path], Matrix]] = {
    ".npz": _npz,
    ".safetensors": _safetensors,
    ".parquet": _parquet,
}
