"""A run at a host: its manifest first, then every table file, checked, into the local cache.

What is opened in the end is a folder of this machine, verified like any other. DuckDB could query
files over the network, but only through its extension httpfs, which it would download at run time;
a table that is replaced under an open run would then give rows of two versions and nobody would
notice; and the database could not be locked to one folder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Lock

from backend.manifest import FileRecord, Manifest, RunError, read_manifest
from backend.remote import ask_anew, read_small
from backend.remote_address import Address
from backend.remote_cache import (
    cache_dir,
    cached_file,
    cached_path,
    check_room,
    disk_told,
    drop_if_damaged,
    has_size,
    is_cached,
    link_whole,
    write_whole,
)
from backend.schema import MANIFEST_NAME, TABLES
from backend.verify import Progress

LARGEST_MANIFEST = 4_000_000  # bytes; that of the shipped run has 9 kB
FETCHED_AT_ONCE = 4  # files; a single stream of most hosts does not fill the line
MOST_MANIFESTS = 512  # remembered as they were parsed
_NAME = re.compile(r"\w[\w .()+=@,-]{0,99}")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class RemoteRun:
    """A run whose manifest is here and checked; `folder` is where its files will be."""

    address: Address
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.address.name

    @property
    def folder(self) -> Path:
        """Of this version of the run alone: another version never changes an open one."""
        key = hashlib.sha256(f"{self.address.text}\n{self.manifest.content_hash}".encode())
        return cache_dir() / "runs" / key.hexdigest()[:32] / self.name

    @property
    def bytes(self) -> int:
        return sum(record.bytes for record in self.manifest.files.values())

    @property
    def is_here(self) -> bool:
        """Whether every file is in `folder`, by its size; opening it checks the content."""
        folder = self.folder
        return (folder / MANIFEST_NAME).exists() and all(
            has_size(folder / record.path, record.bytes) for record in self.manifest.files.values()
        )


class _Stopped(Exception):
    """Another file of the same run could not be fetched."""


def is_run_name(name: str) -> bool:
    """Whether a run at a host may be called so: it becomes a folder here and part of addresses."""
    return _NAME.fullmatch(name) is not None


def remote_run(address: Address) -> RemoteRun:
    """The run at an address, by its manifest; no other file is fetched.

    Raises:
        NotThereError: there is no manifest.
        RunError: it cannot be read, or is not a manifest of this schema version.
    """
    name = address.name
    if not is_run_name(name):
        raise RunError(
            f"{address} cannot be a run's name. Use letters, digits, spaces and . _ - ( ) + = @ ,"
        )
    return RemoteRun(address, parse_manifest(read_manifest_at(address), address))


def read_manifest_at(address: Address) -> bytes:
    """The bytes of a run's manifest, not checked.

    Raises:
        NotThereError: there is none.
        RunError: it cannot be read.
    """
    return read_small(address / MANIFEST_NAME, LARGEST_MANIFEST)


@lru_cache(maxsize=MOST_MANIFESTS)
def parse_manifest(content: bytes, address: Address) -> Manifest:
    """A checked manifest, as `read_manifest`, that in addition may name no file outside its folder.

    Raises:
        RunError: it is damaged, of another schema version, or names what it may not.
    """
    with disk_told(), TemporaryDirectory(prefix="subatomic-") as folder:
        here = Path(folder) / address.name
        here.mkdir()
        (here / MANIFEST_NAME).write_bytes(content)
        try:
            manifest = read_manifest(here)
        except RunError as error:
            raise RunError(str(error).replace(str(here), str(address))) from error
    for name, record in manifest.files.items():
        fault = _fault(name, record)
        if fault:
            raise RunError(f"{address / MANIFEST_NAME} {fault}, so nothing of it is fetched.")
    return manifest


def fetch(run: RemoteRun, progress: Progress | None = None) -> Path:
    """Bring all files of a run here; those that are in the cache already are not fetched again.

    Args:
        run: as `remote_run` gives it.
        progress: told after each piece, with the bytes that are here and those of the whole run.

    Returns:
        The run's folder; `backend.store.open_run` and `verify_run` take it.

    Raises:
        RunError: a file cannot be had or stored. The others are kept, for the next try.
    """
    ask_anew(run.address)
    files = run.manifest.files
    done = dict.fromkeys(files, 0)
    lock, stop = Lock(), Event()

    def fetch_one(name: str) -> None:
        def told(n_bytes: int) -> None:
            if stop.is_set():
                raise _Stopped
            with lock:
                done[name] = n_bytes
                if progress is not None:
                    progress(name, sum(done.values()), run.bytes)

        try:
            record = files[name]
            cached = cached_file(run.address / record.path, record, told)
            with disk_told():
                if not has_size(run.folder / record.path, record.bytes):
                    link_whole(cached, run.folder / record.path)
        except RunError:
            stop.set()
            raise

    with disk_told():
        run.folder.mkdir(parents=True, exist_ok=True)
    missing = {r.sha256: r.bytes for r in files.values() if not is_cached(r)}
    check_room(sum(missing.values()))
    with ThreadPoolExecutor(FETCHED_AT_ONCE, "fetch") as pool:
        fetched = [pool.submit(fetch_one, name) for name in files]
        try:
            wait(fetched)
        finally:
            stop.set()  # somebody pressed Ctrl-C
    faults = [future.exception() for future in fetched]
    for fault in faults:
        if fault is not None and not isinstance(fault, _Stopped):
            raise fault
    with disk_told():
        write_whole(run.folder / MANIFEST_NAME, run.manifest.to_json().encode())
    return run.folder


def mend(run: RemoteRun) -> None:
    """Fetch again what was damaged here after it was fetched.

    Raises:
        RunError: as `fetch`.
    """
    for record in run.manifest.files.values():
        drop_if_damaged(run.folder / record.path, record)
        drop_if_damaged(cached_path(record), record)
    fetch(run)


@contextmanager
def told_of(run: RemoteRun) -> Iterator[None]:
    """Let errors about the run's folder name its address, which is where it must be repaired.

    Raises:
        RunError: with that name.
    """
    try:
        yield
    except RunError as error:
        told = str(error).replace(str(run.folder.resolve()), str(run.address))
        raise RunError(told.replace(str(run.folder), str(run.address))) from error


def _fault(name: str, record: FileRecord) -> str:
    """What is wrong with a record of a manifest that anybody may have written; "" for nothing."""
    if name not in TABLES:
        return f"names a table {name!r} that this app does not know"
    if record.path != f"{name}.parquet":
        return f"names {record.path!r} as file of table {name}"
    if not (isinstance(record.sha256, str) and _HASH.fullmatch(record.sha256)):
        return f"gives no SHA-256 of {record.path}"
    if type(record.bytes) is not int or record.bytes < 0:
        return f"gives {record.bytes!r} as size of {record.path}"
    return ""
