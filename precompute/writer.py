"""Schema-checked, sorted, checksummed Parquet, renamed into place only when it is complete.

A table is written to a hidden temporary file in the same folder, flushed to disk, then renamed; the
manifest comes last. So a killed or full-disk run leaves either the old file or the new one, and a
folder without a manifest is not a run.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.manifest import FileRecord, Manifest
from backend.schema import MANIFEST_NAME, TABLES
from backend.tables.columns import Table
from precompute.rounding import rounded_column

COMPRESSION_LEVEL = 19
HASH_BLOCK_BYTES = 1 << 20


class WriterError(Exception):
    """Rows do not fit the table they are written to; the message names table and column."""


def write_table(folder: Path, name: str, rows: pa.Table | dict[str, Any]) -> FileRecord:
    """Check `rows` against the contract, sort them by the table's key and write `<name>.parquet`.

    Args:
        folder: the run's folder; made when it is missing.
        name: a table of `backend.schema.TABLES`.
        rows: an Arrow table, or columns by name; types are cast where nothing is lost.

    Raises:
        WriterError: a column is missing, unknown, of the wrong type or null, or a key repeats.
    """
    table = TABLES[name]
    checked = conform(table, rows)
    path = folder / f"{name}.parquet"
    write_atomically(path, lambda temporary: _write_parquet(checked, table, temporary))
    return FileRecord(
        path=path.name,
        rows=checked.num_rows,
        bytes=path.stat().st_size,
        sha256=sha256_of(path),
        sort_key=table.sort_key,
    )


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Fill in the content hash and write `manifest.json`: from here on the folder is a run."""
    complete = manifest.with_content_hash()
    payload = complete.to_json().encode()
    write_atomically(folder / MANIFEST_NAME, lambda temporary: temporary.write_bytes(payload))
    return complete


def conform(table: Table, rows: pa.Table | dict[str, Any]) -> pa.Table:
    """`rows` with exactly the columns, types and order of `table`, rounded, sorted, keys unique."""
    names = list(rows) if isinstance(rows, dict) else rows.column_names
    expected = [column.name for column in table.columns]
    if set(names) != set(expected):
        missing, unknown = set(expected) - set(names), set(names) - set(expected)
        raise WriterError(f"{table.name}: missing {sorted(missing)}, unknown {sorted(unknown)}")
    columns = {}
    for column in table.columns:
        try:
            values = rows[column.name]
            if not isinstance(values, pa.Array | pa.ChunkedArray):
                # given the type, pyarrow would cut 0.5 to 0; a cast of what it finds refuses that
                exact = pa.types.is_integer(column.type)
                values = pa.array(values, None if exact else column.type)
            columns[column.name] = values.cast(column.type)
            if column.mantissa_bits is not None:
                columns[column.name] = rounded_column(columns[column.name], column.mantissa_bits)
        except pa.ArrowException as error:
            raise WriterError(f"{table.name}.{column.name}: {error}") from error
        nulls = columns[column.name].null_count
        if nulls and not column.nullable:
            raise WriterError(f"{table.name}.{column.name}: {nulls} null values")
    try:
        result = pa.Table.from_pydict(columns, schema=table.arrow)
    except ValueError as error:
        raise WriterError(f"{table.name}: {error}") from error
    result = result.sort_by([(name, "ascending") for name in table.sort_key])
    n_keys = result.group_by(list(table.key)).aggregate([]).num_rows
    if n_keys != result.num_rows:
        raise WriterError(f"{table.name}: {result.num_rows - n_keys} rows repeat a key {table.key}")
    return result


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Call `write` with a temporary path beside `path`, flush it to disk, then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        write(temporary)
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _float_paths(field: pa.Field, before: str = "") -> Iterator[str]:
    """Parquet paths of the floats in a column: their bytes compress better apart, sign by sign."""
    path = before + field.name
    if pa.types.is_list(field.type):
        yield from _float_paths(pa.field("element", field.type.value_type), f"{path}.list.")
    elif pa.types.is_struct(field.type):
        for inner in field.type:
            yield from _float_paths(inner, f"{path}.")
    elif pa.types.is_floating(field.type):
        yield path


def _write_parquet(rows: pa.Table, table: Table, path: Path) -> None:
    # dictionaries pay for strings and ids; for floats they only cost time
    dictionary = [
        column.name
        for column in table.columns
        if not (pa.types.is_floating(column.type) or pa.types.is_list(column.type))
    ]
    pq.write_table(
        rows,
        path,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        row_group_size=table.row_group_rows,
        use_dictionary=dictionary,  # pyright: ignore[reportArgumentType] - stubs lack the list
        column_encoding={
            path: "BYTE_STREAM_SPLIT" for field in table.arrow for path in _float_paths(field)
        },
        store_schema=True,
    )
