"""Find runs on disk, verify one, and answer SQL over it.

A `Run` owns one in-memory DuckDB database. Large tables are views over their Parquet files; small
ones and short facts of each latent are copied into memory when the run is opened, what only some
pages ask for when they do. Once open the database is locked: no file outside the run's folder, no
extension, no changed setting. Each query runs on its own cursor, because a DuckDB connection may
serve only one thread at a time.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from backend.manifest import Manifest, RunError, read_manifest
from backend.records import Record
from backend.schema import MANIFEST_NAME, TABLES
from backend.verify import Progress, verify_run

DATA_VARIABLE = "SUBATOMIC_DATA"
DEFAULT_DATA = Path(__file__).resolve().parent.parent / "data"
THREADS = 2
MOST_REMEMBERED = 256  # answers of each kind; a latent's row takes about 12 kB
# a copy in memory answers many times faster than Parquet; above these file sizes it needs too much
# room (twice the file). Search may take more: a word's latents lie in all row groups of `terms`
MEMORY_BYTES = 2_000_000
SEARCH_MEMORY_BYTES = 24_000_000

# `fold` makes what search compares: lower case, without accents; `latent_facts` has what lists of
# latents show; `suite` the SAEs that were stitched, each with the next larger one (others, such as
# one of words, belong to no suite); `links` every latent's nearest in the next smaller of them
_FOLD = "create macro fold(name) as strip_accents(lower(name))"
_DERIVED_TABLES = """
create table latent_facts as
    select sae_id, latent, label, fold(label) as folded, label_source, label_score, count,
        tokens_seen, n_components, decomposition_variance_explained, x, y
    from latents;
create table suite as
    select sae_id, n_latents, lead(sae_id) over (order by n_latents) as next_sae_id
    from saes where sae_id in (
        select small_sae_id from stitch_curve union select large_sae_id from stitch_curve
    );
create table links as
    select s.small_sae_id, s.large_sae_id, s.latent, s.nearest_latent, s.max_cosine,
        s.together / nullif(s.fired, 0) as together_share
    from stitching s
    join suite z on z.sae_id = s.small_sae_id and z.next_sae_id = s.large_sae_id
"""
# what the first page needs not. `search_terms` is `terms` as search compares them; `words` has one
# row for each spelling, for near misses; `best_examples` the line that a hit shows; `best_terms`
# the words that the members of a meta-latent share
_LATER_TABLES = """
create {kind} search_terms as select *, fold(term) as folded from terms;
create table words as
    select folded, arg_max(term, count) as term, max(count) as count
    from search_terms where "index" = 'fires' group by folded;
create table best_examples as
    select sae_id, latent, context_id, position, activation
    from examples where "group" = 'top' and rank = 0;
create table best_terms as
    select sae_id, latent,
        list_transform(top_terms[:5], lambda t: {{'term': t.term, 'score': t.score}}) as terms
    from latents;
"""


@dataclass(frozen=True)
class RunSummary:
    """A run that can be listed: its manifest is valid, its files are not verified yet."""

    name: str
    title: str
    short_hash: str
    path: Path


@dataclass(frozen=True)
class RunProblem:
    """A folder that looks like a run and is none, and why."""

    name: str
    message: str


class Run:
    """A verified run: `manifest`, `folder`, `name`, and SQL over its tables."""

    def __init__(
        self, folder: Path, manifest: Manifest, connection: duckdb.DuckDBPyConnection
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self.name = folder.name
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
            result = cursor.execute(sql, params)
            names = [described[0] for described in result.description]
            return [dict(zip(names, values, strict=True)) for values in result.fetchall()]
        finally:
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
            kind = _kind(self.manifest.files["terms"].bytes, SEARCH_MEMORY_BYTES)
            cursor = self._connection.cursor()
            try:
                cursor.execute(f"begin; {_LATER_TABLES.format(kind=kind)} commit")
            finally:
                cursor.close()  # an unfinished transaction ends with it, and leaves nothing
            self._has_later = True

    def close(self) -> None:
        self._connection.close()


def data_dir() -> Path:
    """Where runs are looked for: the folder in SUBATOMIC_DATA, else the repository's `data/`."""
    configured = os.environ.get(DATA_VARIABLE)
    return Path(configured).expanduser() if configured else DEFAULT_DATA


def list_runs(data_dir: Path) -> list[RunSummary]:
    """Folders with a valid manifest, by name."""
    return [entry for entry in _inspect(data_dir) if isinstance(entry, RunSummary)]


def list_problems(data_dir: Path) -> list[RunProblem]:
    """Folders that hold Parquet or a manifest, and are not a valid run."""
    return [entry for entry in _inspect(data_dir) if isinstance(entry, RunProblem)]


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
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    try:
        connection.execute("set parquet_metadata_cache = true")
        connection.execute(_FOLD)
        for name in TABLES:
            _create(connection, name, folder, manifest)
        connection.execute(_DERIVED_TABLES)
        connection.execute(f"set threads = {THREADS}")
        connection.execute(f"set allowed_directories = [{_literal(folder)}]")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
    except duckdb.Error as error:
        connection.close()
        raise RunError(f"{folder} was verified but DuckDB cannot open it ({error}).") from error
    return Run(folder, manifest, connection)


def _create(
    connection: duckdb.DuckDBPyConnection, name: str, folder: Path, manifest: Manifest
) -> None:
    record = manifest.files[name]
    kind = _kind(record.bytes, MEMORY_BYTES)
    source = _literal(folder / record.path)  # DDL takes no parameters
    connection.execute(f"create {kind} {name} as select * from read_parquet({source})")


def _kind(size: int, largest: int) -> str:
    return "table" if size <= largest else "view"


def _inspect(data_dir: Path) -> list[RunSummary | RunProblem]:
    try:
        folders = sorted(path for path in data_dir.iterdir() if path.is_dir())
    except OSError:  # no such folder, or one that may not be read: it holds no run for us
        return []
    found: list[RunSummary | RunProblem] = []
    for folder in folders:
        has_manifest = (folder / MANIFEST_NAME).exists()
        if folder.name.startswith(".") or not (has_manifest or any(folder.glob("*.parquet"))):
            continue
        try:
            manifest = read_manifest(folder)
        except RunError as error:
            found.append(RunProblem(folder.name, str(error)))
        else:
            found.append(RunSummary(folder.name, manifest.title, manifest.short_hash, folder))
    return found


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
