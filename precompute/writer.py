"""Schema-checked, sorted, checksummed Parquet, renamed into place only when it is complete.

A table is written to a hidden temporary file in the same folder, flushed to disk, then renamed; the
manifest comes last. So a killed or full-disk run leaves either the old file or the new one, and a
folder without a manifest is not a run.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend.manifest import FileRecord, Manifest
from backend.schema import MANIFEST_NAME, TABLES
from backend.tables.columns import Table
from backend.tables.types import FLOATS, INTEGERS, ListOf
from precompute.rounding import rounded_column

COMPRESSION_LEVEL = 19
HASH_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Parts:
    """Rows of a table that would be too large for memory, made while they are written."""

    n_rows: int
    """How many there will be, or about."""
    tables: Iterable[pa.Table | dict[str, Any]]
    """In the order of the key: the keys of each come after those of the one before."""


class WriterError(Exception):
    """Rows do not fit the table they are written to; the message names table and column."""


def write_table(folder: Path, name: str, rows: pa.Table | dict[str, Any] | Parts) -> FileRecord:
    """Check `rows` against the contract, sort them by the table's key and write `<name>.parquet`.

    Args:
        folder: the run's folder; made when it is missing.
        name: a table of `backend.schema.TABLES`.
        rows: an Arrow table, columns by name, or parts. Types are cast where nothing is lost.

    Raises:
        WriterError: a column is missing, unknown, of the wrong type or null, a key repeats, or
            parts are out of order.
    """
    table = TABLES[name]
    if isinstance(rows, dict):
        rows = Parts(max(map(len, rows.values()), default=0), [rows])
    elif not isinstance(rows, Parts):
        rows = Parts(rows.num_rows, [rows])
    parts, group_rows = rows.tables, table.rows_of_a_group(rows.n_rows)
    path = folder / f"{name}.parquet"
    n_rows = 0

    def write(temporary: Path) -> None:
        nonlocal n_rows
        with _parquet_writer(table, temporary) as writer:
            for group in _row_groups(table, parts, group_rows):
                n_rows += group.num_rows
                writer.write_table(group, row_group_size=group_rows)

    write_atomically(path, write)
    return FileRecord(
        path=path.name,
        rows=n_rows,
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
                exact = column.type in INTEGERS
                values = pa.array(values, None if exact else column.type.arrow)
            columns[column.name] = values.cast(column.type.arrow)
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
    if repeated := _repeated_keys(result, table):
        raise WriterError(f"{table.name}: {repeated} rows repeat a key {table.key}")
    return result


def _repeated_keys(ordered: pa.Table, table: Table) -> int:
    """Rows that have the key of the row before."""
    n = ordered.num_rows - 1
    if n < 1:
        return 0
    # their functions are made when the module is loaded, so a type checker does not see them
    equal, both, total = (getattr(pc, name) for name in ("equal", "and", "sum"))
    same = (equal(ordered[k].slice(1), ordered[k].slice(0, n)) for k in table.key)
    return total(functools.reduce(both, same)).as_py() or 0


def _row_groups(
    table: Table, parts: Iterable[pa.Table | dict[str, Any]], group_rows: int
) -> Iterator[pa.Table]:
    """Checked rows, whole row groups at a time but for the last."""
    waiting, last_key = table.arrow.empty_table(), None
    for part in parts:
        checked = conform(table, part)
        if not checked.num_rows:
            continue
        keys = checked.select(list(table.sort_key))
        first, last = (tuple(keys.slice(i, 1).to_pylist()[0].values()) for i in (0, len(keys) - 1))
        if last_key is not None and first <= last_key:
            raise WriterError(f"{table.name}: a part begins at {first}, after one up to {last_key}")
        last_key = last
        waiting = pa.concat_tables([waiting, checked])
        n_whole = len(waiting) // group_rows * group_rows
        if n_whole:
            yield waiting.slice(0, n_whole)
            waiting = waiting.slice(n_whole)
    if len(waiting):
        yield waiting


def write_atomically(path: Path, write: Callable[[Path], Any], mark: str = "") -> None:
    """Call `write` with a temporary path beside `path`, flush it to disk, then rename it.

    Writers of the same path at the same time need a `mark` each, in their temporary name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}{mark}.tmp")
    try:
        write(temporary)
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def swap_into_place(fresh: Path, final: Path) -> None:
    """Replace the folder `final` by `fresh`; at every moment one of the two is complete."""
    old = final.with_name(f".{final.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    fresh.rename(final)
    shutil.rmtree(old, ignore_errors=True)


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


def _parquet_writer(table: Table, path: Path) -> pq.ParquetWriter:
    # dictionaries pay for strings and ids; for floats they only cost time
    dictionary = [
        column.name
        for column in table.columns
        if column.type not in FLOATS and not isinstance(column.type, ListOf)
    ]
    return pq.ParquetWriter(
        path,
        table.arrow,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        use_dictionary=dictionary,  # pyright: ignore[reportArgumentType] - stubs lack the list
        column_encoding={
            path: "BYTE_STREAM_SPLIT" for field in table.arrow for path in _float_paths(field)
        },
        store_schema=True,
    )
