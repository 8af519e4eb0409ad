"""Find runs on disk, verify one, and answer SQL over it.

A `Run` owns one in-memory DuckDB database. Large tables are views over their Parquet files; small
ones and short facts of each latent are copied into memory when the run is opened, what only some
pages ask for when they do. Once open the database is locked: no file outside the run's folder, no
extension, no changed setting. Each query runs on its own cursor, because a DuckDB connection may
serve only one thread at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import duckdb
from numpy.typing import NDArray

from backend import later_tables
from backend.derived_tables import APPLY_LABELS, DERIVED_TABLES, FOLD
from backend.edited_labels import EditedLabels, labels_path, read_labels
from backend.manifest import Manifest, RunError
from backend.records import Record
from backend.schema import TABLES
from backend.verify import Progress, verify_run

THREADS = 2
MOST_REMEMBERED = 256  # answers of each kind; a latent's row takes about 12 kB
# a copy in memory answers many times faster than Parquet; above these file sizes it needs too much
# room, at once or packed, which takes as much memory as the file or twice as much
MEMORY_BYTES = 1_500_000
PACKED_BYTES = 32_000_000
PACKED = {  # tables of which most pages look a few rows up, and the file of each
    "best_terms": "latents",
    "postings": "terms",
    "stitching": "stitching",
    "contexts": "contexts",
}


class Session:
    """Statements on one cursor of a run."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor

    def query(self, sql: str, **params: Any) -> list[Record]:
        """All rows of one statement, as `Run.query`."""
        result = self._cursor.execute(sql, params)
        names = [described[0] for described in result.description]
        return [dict(zip(names, values, strict=True)) for values in result.fetchall()]


class TooSlow(Exception):
    """A question took longer than it may."""


class Run:
    """A verified run: `manifest`, `folder`, `name`, and SQL over its tables."""

    def __init__(
        self, folder: Path, manifest: Manifest, connection: duckdb.DuckDBPyConnection
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self.name = folder.name
        self.edited_labels = EditedLabels(labels_path(folder))
        self._connection = connection
        self._fixed_query = lru_cache(MOST_REMEMBERED)(self.query)
        self._later_lock = threading.Lock()
        self._has_later = False

    def query(self, sql: str, **params: Any) -> list[Record]:
        """All rows of one statement; `$name` in `sql` takes the value of that parameter.

        Plain rows, not a frame: importing pandas would cost every start time and memory.
        """
        cursor = self._connection.cursor()
        try:
            return Session(cursor).query(sql, **params)
        finally:
            cursor.close()

    def arrays(self, sql: str, **params: Any) -> dict[str, NDArray[Any]]:
        """All rows of one statement, an array for each column: a fifth of the time of `query`.

        A column with nulls comes as a masked array, so let the statement replace them.
        """
        cursor = self._connection.cursor()
        try:
            # of an enum it would be no array, but no table has one
            return cast("dict[str, NDArray[Any]]", cursor.execute(sql, params).fetchnumpy())
        finally:
            cursor.close()

    @contextmanager
    def session(self, seconds: float) -> Iterator[Session]:
        """Several statements on one cursor, which share temporary tables and a time limit.

        Raises:
            TooSlow: they took longer than `seconds` together.
        """
        cursor = self._connection.cursor()
        timer = threading.Timer(seconds, cursor.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield Session(cursor)
        except duckdb.InterruptException as error:
            raise TooSlow(f"stopped after {seconds:g} s") from error
        finally:
            timer.cancel()
            cursor.close()

    def row(self, sql: str, **params: Any) -> Record | None:
        """The first row, None when there is none."""
        return next(iter(self.query(sql, **params)), None)

    def fixed_query(self, sql: str, **params: Any) -> list[Record]:
        """As `query`, remembered: a run never changes, and some questions come with every page.

        Every caller gets rows of its own; the lists in them are shared, so do not change those.
        """
        return [dict(row) for row in self._fixed_query(sql, **params)]

    def fixed_row(self, sql: str, **params: Any) -> Record | None:
        """As `row`, remembered in the same way."""
        return next(iter(self.fixed_query(sql, **params)), None)

    def load_later_tables(self) -> None:
        """Make the tables that search and meta-latents read; only the first caller waits.

        Not part of opening, because the first page needs none of them.
        """
        with self._later_lock:
            if self._has_later:
                return
            terms = self.manifest.files["terms"].path
            size = {name: file.bytes for name, file in self.manifest.files.items()}
            in_memory = {name for name in TABLES if size[name] <= MEMORY_BYTES}
            copied = {name for name, file in PACKED.items() if size[file] <= PACKED_BYTES}
            cursor = self._connection.cursor()
            try:
                later_tables.load(
                    cursor,
                    _literal(self.folder / terms),
                    copied - in_memory,
                    is_large=size["latents"] > PACKED_BYTES,
                )
            finally:
                cursor.close()
            self._has_later = True

    def close(self) -> None:
        self._connection.close()


def open_run(folder: Path, progress: Progress | None = None) -> Run:
    """Verify a run and open it.

    Args:
        folder: `data/<run>`.
        progress: told after each verified file.

    Raises:
        RunError: the run is incomplete, damaged or not of this schema version.
    """
    folder = folder.resolve()
    manifest = verify_run(folder, progress, keys=False)
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": 1,  # more of them make loading no faster here, and cost 30 MB
            # gives what loading and questions no longer use back to the system
            "allocator_background_threads": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    try:
        # global, because each query has a connection of its own, which a plain `set` does not reach
        connection.execute("set global parquet_metadata_cache = true")
        connection.execute(FOLD)
        for name in TABLES:
            _create(connection, name, folder, manifest)
        connection.execute(DERIVED_TABLES)
        edited = _apply_edited_labels(connection, folder)
        connection.execute(f"set threads = {THREADS}")
        connection.execute(f"set allowed_directories = [{_literal(folder)}]")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
    except duckdb.Error as error:
        connection.close()
        raise RunError(f"{folder} was verified but DuckDB cannot open it ({error}).") from error
    run = Run(folder, manifest, connection)
    run.edited_labels = edited
    return run


def _apply_edited_labels(connection: duckdb.DuckDBPyConnection, folder: Path) -> EditedLabels:
    """Put the labels of people and models in the place of those made offline, without scores."""
    rows = connection.execute("select sae_id, n_latents, decoder_sha256 from saes").fetchall()
    names = ("sae_id", "n_latents", "decoder_sha256")
    edited = read_labels(labels_path(folder), [dict(zip(names, row, strict=True)) for row in rows])
    if edited.labels:
        connection.execute(
            APPLY_LABELS,
            {
                "saes": [label.sae_id for label in edited.labels],
                "latents": [label.latent for label in edited.labels],
                "labels": [label.label for label in edited.labels],
                "sources": [label.source for label in edited.labels],
            },
        )
    return edited


def _create(
    connection: duckdb.DuckDBPyConnection, name: str, folder: Path, manifest: Manifest
) -> None:
    record = manifest.files[name]
    kind = _kind(record.bytes, MEMORY_BYTES)
    source = _literal(folder / record.path)  # DDL takes no parameters
    connection.execute(f"create {kind} {name} as select * from read_parquet({source})")


def _kind(size: int, largest: int) -> str:
    return "table" if size <= largest else "view"


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
