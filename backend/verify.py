"""Prove that a run on disk is exactly what was written, before anybody looks at it.

Neither DuckDB nor pyarrow notices most damage: of 100 one-byte flips in a zstd Parquet file 75 came
back as silently different rows. So a run is opened only after these steps, cheapest first:

1. the manifest is canonical and its content hash fits (`backend.manifest.read_manifest`);
2. it lists exactly the tables of `backend.schema`, and each file exists with the recorded size;
3. each file's SHA-256 fits, read in blocks;
4. each file's columns are the contract's, type by type, and its row count is the recorded;
5. rows are strictly increasing in their key: sorted, and no key twice.

Steps 4 and 5 guard against another writer, not against damage. No Streamlit here, so that
`python -m precompute check` can use it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb

from backend.manifest import FileRecord, Manifest, RunError, read_manifest
from backend.schema import MANIFEST_NAME, TABLES
from backend.tables.columns import Table
from backend.tables.types import named

HASH_BLOCK_BYTES = 1 << 20

Progress = Callable[[str, int, int], None]
"""Called as (table name, bytes verified so far, bytes of the whole run) after each file."""


class _Found(NamedTuple):
    """A column of a file, as its footer describes it."""

    name: str
    in_duckdb: str
    nullable: bool


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
        _verify_hash(folder / record.path, record)
        done += record.bytes
        if progress is not None:
            progress(name, done, total)
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        _verify_contents(folder, manifest, connection)
    if keys:
        _verify_order(folder, manifest)
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


def _verify_contents(
    folder: Path, manifest: Manifest, connection: duckdb.DuckDBPyConnection
) -> None:
    paths = {name: folder / record.path for name, record in manifest.files.items()}
    try:
        found = _contents(list(paths.values()), connection)
    except duckdb.Error:  # of which file? asked once more, one by one
        found = {}
        for path in paths.values():
            try:
                found |= _contents([path], connection)
            except duckdb.Error as error:
                raise _error(path, f"cannot be read as Parquet ({error})") from error
    for name, path in paths.items():
        record, table, (columns, n_rows) = manifest.files[name], TABLES[name], found[str(path)]
        _verify_columns(path, table, columns)
        if n_rows != record.rows:
            raise _error(path, f"has {n_rows} rows instead of {record.rows}")
        if record.sort_key != table.sort_key:
            raise _error(path, f"is not sorted by a unique {', '.join(table.sort_key)}")


def _contents(
    paths: list[Path], connection: duckdb.DuckDBPyConnection
) -> dict[str, tuple[list[_Found], int]]:
    """Columns, in order, and number of rows of some files, by path."""
    files = [str(path) for path in paths]
    rows = connection.execute(
        """
        select file_name, name, duckdb_type, repetition_type, coalesce(num_children, 0)
        from parquet_schema($files) order by file_name, column_id
        """,
        {"files": files},
    ).fetchall()
    counts = connection.execute(
        "select file_name, num_rows from parquet_file_metadata($files)", {"files": files}
    ).fetchall()
    columns: dict[str, list[_Found]] = {file: [] for file in files}
    inside = 0  # nodes that are yet to come below the last column
    for file, name, in_duckdb, repetition, n_children in rows:
        if in_duckdb is None:  # the root, whose children are the columns
            inside = 0
        elif inside:
            inside += n_children - 1
        else:
            in_duckdb = in_duckdb.replace('"', "")  # around names that are keywords
            columns[file].append(_Found(name, in_duckdb, repetition == "OPTIONAL"))
            inside = n_children
    return {file: (columns[file], n_rows) for file, n_rows in counts}


def _verify_columns(path: Path, table: Table, found: list[_Found]) -> None:
    expected = [_Found(c.name, c.type.in_duckdb, c.nullable) for c in table.columns]
    if found == expected:
        return
    types = {column.name: column.in_duckdb for column in found}
    lacking = [column.name for column in table.columns if column.name not in types]
    extra = [name for name in types if name not in {column.name for column in table.columns}]
    wrong = [
        f"{column.name} is {named(types[column.name])}, not {column.type}"
        for column in table.columns
        if types.get(column.name, column.type.in_duckdb) != column.type.in_duckdb
    ]
    faults = [f"lacks {lacking}"] * bool(lacking) + [f"adds {extra}"] * bool(extra) + wrong
    detail = "; ".join(faults) or "order or nullability of its columns differs"
    raise _error(path, f"does not have the columns of table {table.name}: {detail}")


def _verify_order(folder: Path, manifest: Manifest) -> None:
    # imported here, because pyarrow would cost the app its start and memory
    import pyarrow as pa

    from backend.row_order import has_increasing_keys

    for name, record in manifest.files.items():
        path, sort_key = folder / record.path, TABLES[name].sort_key
        try:
            is_sorted = has_increasing_keys(path, sort_key)
        except (pa.ArrowException, OSError) as error:
            raise _error(path, f"cannot be read as Parquet ({error})") from error
        if not is_sorted:
            raise _error(path, f"is not sorted by a unique {', '.join(sort_key)}")
    pa.default_memory_pool().release_unused()


def _error(path: Path, fault: str) -> RunError:
    name = path.parent.name
    return RunError(
        f"{path} {fault}. Restore it from a good copy, or make the run again: "
        f"python -m precompute run precompute/configs/{name}.toml"
    )
