"""Prove that a run on disk is exactly what was written, before anybody looks at it.

Neither DuckDB nor pyarrow notices most damage: of 100 one-byte flips in a zstd Parquet file 75 came
back as silently different rows. So a run is opened only after these steps, cheapest first:

1. the manifest is canonical and its content hash fits (`backend.manifest.read_manifest`);
2. it lists exactly the tables of `backend.schema`, and each file exists with the recorded size;
3. each file's SHA-256 fits, read in blocks;
4. each file's Arrow schema is the contract's, column by column, and its row count is the recorded;
5. rows are strictly increasing in their key: sorted, and no key twice.

Steps 4 and 5 guard against another writer, not against damage. No DuckDB and no Streamlit here, so
that `python -m precompute check` can use it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.manifest import FileRecord, Manifest, RunError, read_manifest
from backend.schema import MANIFEST_NAME, TABLES
from backend.tables.columns import Table

HASH_BLOCK_BYTES = 1 << 20

Progress = Callable[[str, int, int], None]
"""Called as (table name, bytes verified so far, bytes of the whole run) after each file."""


def verify_run(folder: Path, progress: Progress | None = None, keys: bool = True) -> Manifest:
    """Check every file of a run and return its manifest.

    Args:
        folder: `data/<run>`.
        progress: told after each file.
        keys: read the keys of all rows too. The writer refuses rows out of order or with a
            repeated key, so a file with the hash it recorded has neither; the app, which opens a
            run while somebody waits, leaves this out.

    Raises:
        RunError: something is missing, damaged or not of the contract; the message names the
            file, what is wrong with it, and the command to run next.
    """
    manifest = read_manifest(folder)
    _verify_table_names(folder, manifest)
    for name, record in manifest.files.items():
        _verify_size(folder, name, record)
    total = sum(record.bytes for record in manifest.files.values())
    done = 0
    for name, record in manifest.files.items():
        path = folder / record.path
        _verify_hash(path, record)
        _verify_contents(path, TABLES[name], record, keys)
        done += record.bytes
        if progress is not None:
            progress(name, done, total)
    pa.default_memory_pool().release_unused()  # or a server would keep what the check needed
    return manifest


def _verify_table_names(folder: Path, manifest: Manifest) -> None:
    missing = sorted(set(TABLES) - set(manifest.files))
    unknown = sorted(set(manifest.files) - set(TABLES))
    if missing or unknown:
        raise _error(folder / MANIFEST_NAME, f"lacks tables {missing}, adds {unknown}")


def _verify_size(folder: Path, name: str, record: FileRecord) -> None:
    # a fixed name also keeps a forged manifest from pointing outside the folder
    if record.path != f"{name}.parquet":
        raise _error(folder / MANIFEST_NAME, f"names {record.path!r} as file of table {name}")
    path = folder / record.path
    try:
        found = path.stat().st_size
    except OSError as error:
        raise _error(path, "is missing") from error
    if found != record.bytes:
        raise _error(path, f"has {found} bytes instead of {record.bytes}: cut short or replaced")


def _verify_hash(path: Path, record: FileRecord) -> None:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as handle:
            while block := handle.read(HASH_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise _error(path, f"cannot be read ({error.strerror})") from error
    if digest.hexdigest() != record.sha256:
        raise _error(path, "was damaged or changed after it was written (SHA-256 differs)")


def _verify_contents(path: Path, table: Table, record: FileRecord, keys: bool) -> None:
    try:
        with pq.ParquetFile(path) as file:
            _verify_schema(path, table, file.schema_arrow)
            if file.metadata.num_rows != record.rows:
                found = file.metadata.num_rows
                raise _error(path, f"has {found} rows instead of {record.rows}")
            is_sorted = not keys or _has_increasing_keys(file, table)
    except (pa.ArrowException, OSError) as error:
        raise _error(path, f"cannot be read as Parquet ({error})") from error
    if record.sort_key != table.sort_key or not is_sorted:
        raise _error(path, f"is not sorted by a unique {', '.join(table.sort_key)}")


def _has_increasing_keys(file: pq.ParquetFile, table: Table) -> bool:
    """`is_strictly_increasing` over the whole file, one row group in memory at a time."""
    last: pa.Table | None = None
    for group in range(file.num_row_groups):
        keys = file.read_row_group(group, columns=list(table.sort_key), use_threads=False)
        joined = keys if last is None else pa.concat_tables([last, keys])
        if not is_strictly_increasing(joined):
            return False
        last = joined.slice(max(joined.num_rows - 1, 0))  # a table may be empty
    return True


def _verify_schema(path: Path, table: Table, found: pa.Schema) -> None:
    expected = table.arrow
    if found.equals(expected):
        return
    lacking = [name for name in expected.names if name not in found.names]
    extra = [name for name in found.names if name not in expected.names]
    wrong = [
        f"{field.name} is {found.field(field.name).type}, not {field.type}"
        for field in expected
        if found.names.count(field.name) == 1 and found.field(field.name).type != field.type
    ]
    faults = [f"lacks {lacking}"] * bool(lacking) + [f"adds {extra}"] * bool(extra) + wrong
    detail = "; ".join(faults) or "order or nullability of its columns differs"
    raise _error(path, f"does not have the columns of table {table.name}: {detail}")


def is_strictly_increasing(keys: pa.Table) -> bool:
    """Whether each row's key (all columns, first one most significant) exceeds the row before."""
    if keys.num_rows < 2:
        return True
    before, after = keys.slice(0, keys.num_rows - 1), keys.slice(1)
    tied: Any = None  # rows equal to their predecessor in all columns so far
    for name in keys.column_names:
        falls = _call("greater", before[name], after[name])
        if _holds_anywhere(falls if tied is None else _call("and", tied, falls)):
            return False
        equal = _call("equal", before[name], after[name])
        tied = equal if tied is None else _call("and", tied, equal)
    return not _holds_anywhere(tied)


def _holds_anywhere(flags: Any) -> bool:
    return bool(_call("any", flags).as_py())


def _call(function: str, *arguments: Any) -> Any:
    # imported here, because the app leaves the order of keys to `check` and would only wait for it;
    # by name, because pyarrow makes its functions where a type checker cannot see them
    from pyarrow.compute import call_function

    return call_function(function, list(arguments))


def _error(path: Path, fault: str) -> RunError:
    name = path.parent.name
    return RunError(
        f"{path} {fault}. Restore it from a good copy, or make the run again: "
        f"python -m precompute run precompute/configs/{name}.toml"
    )
