"""Files of remote runs on this machine, each stored once under the SHA-256 of its content.

A file is downloaded as `<hash>.part` and takes its final name only when size and hash are those
that its manifest gives, so what has a final name is whole. A download that was stopped or killed
goes on where it was, if the host can begin in the middle. One process at a time downloads a file,
the others wait and find it there. Only what is damaged is removed, until `clear` removes all.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from backend.manifest import FileRecord, RunError
from backend.remote import open_remote
from backend.remote_address import Address

CACHE_VARIABLE = "SUBATOMIC_CACHE"
FOLDER = "remote-1"  # all of ours, so that clearing never removes what others keep beside it
LOCKS = "locks"  # empty files, one for each that was ever fetched
HASH_BLOCK_BYTES = 1 << 20
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def cache_dir() -> Path:
    """The folder in SUBATOMIC_CACHE, else `subatomic` in XDG_CACHE_HOME or `~/.cache`."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser().absolute() / FOLDER
    caches = os.environ.get("XDG_CACHE_HOME")
    base = Path(caches) if caches and Path(caches).is_absolute() else Path.home() / ".cache"
    return base / "subatomic" / FOLDER


def cache_size() -> tuple[int, int]:
    """Files of the cache and their bytes, each content once however many names it has."""
    found = {}
    for path in cache_dir().rglob("*"):
        if path.is_file() and path.parent.name != LOCKS:
            stat = path.stat()
            found[(stat.st_dev, stat.st_ino)] = stat.st_size
    return len(found), sum(found.values())


def clear() -> None:
    """Remove all that was ever fetched; a run that is open is fetched again when it is needed.

    Raises:
        RunError: it cannot be removed.
    """
    with disk_told():
        if cache_dir().exists():
            shutil.rmtree(cache_dir())


def cached_file(source: Address, record: FileRecord, told: Callable[[int], None]) -> Path:
    """The file that `record` describes, downloaded unless it is in the cache.

    Args:
        source: where it is at its host.
        record: of a checked manifest; its hash must be 64 hexadecimal digits.
        told: called with the number of its bytes that are here, after each piece.

    Raises:
        RunError: it cannot be read, is not what the manifest says, or cannot be stored.
    """
    final = cached_path(record)
    with disk_told():
        if not is_cached(record):
            final.parent.mkdir(parents=True, exist_ok=True)
            with _lock(final):
                if not is_cached(record):  # another process may have been first
                    _fetch(source, record, final, told)
    told(record.bytes)
    return final


def cached_path(record: FileRecord) -> Path:
    """Where the file with this content is, or will be."""
    return cache_dir() / "files" / record.sha256


def is_cached(record: FileRecord) -> bool:
    return has_size(cached_path(record), record.bytes)


def check_room(n_bytes: int) -> None:
    """Refuse what the disk of the cache cannot hold, before it is filled in vain.

    Raises:
        RunError: there is less room than `n_bytes`, or no folder.
    """
    with disk_told():
        cache_dir().mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(cache_dir()).free < n_bytes:
            raise OSError(errno.ENOSPC, "no room")


def drop_if_damaged(path: Path, record: FileRecord) -> None:
    """Remove a file of the cache whose content is no longer what it was when it was checked."""
    with disk_told():
        if path.exists():
            with path.open("rb") as handle:
                found = hashlib.file_digest(handle, "sha256").hexdigest()
            if found != record.sha256:
                path.unlink(missing_ok=True)


def has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file so that no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as handle:
        handle.write(content)
    Path(handle.name).replace(path)


def link_whole(source: Path, path: Path) -> None:
    """Give a file a second name, or copy it where the disk knows no such thing."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        try:
            os.link(source, fresh)
        except OSError:
            shutil.copyfile(source, fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)  # it stays when both names are of one file already


@contextmanager
def disk_told() -> Iterator[None]:
    """Turn errors of the cache's disk into a sentence with what to do.

    Raises:
        RunError: the disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        elsewhere = f"name another folder in {CACHE_VARIABLE}"
        if error.errno in _DISK_FULL:
            raise RunError(
                f"The disk of the cache {cache_dir()} is full. Free some space, or {elsewhere}; "
                "what was fetched is kept, and fetching goes on where it stopped."
            ) from error
        raise RunError(
            f"The cache {cache_dir()} cannot be used ({error}). Make it writable, or {elsewhere}."
        ) from error


@contextmanager
def _lock(final: Path) -> Iterator[None]:
    try:
        from filelock import FileLock
    except ImportError as error:
        raise RunError(
            "Runs at a host need the package filelock. Install it: pip install filelock"
        ) from error
    locks = final.parent.with_name(LOCKS)
    locks.mkdir(exist_ok=True)
    with FileLock(locks / final.name):
        yield


def _fetch(source: Address, record: FileRecord, final: Path, told: Callable[[int], None]) -> None:
    part = final.with_name(f"{final.name}.part")
    resumed = part.exists()
    fault = _download(source, record, part, told)
    if fault and resumed:  # what an earlier process left may be damaged: once more, from the start
        part.unlink()
        fault = _download(source, record, part, told)
    if fault:
        part.unlink()
        raise RunError(
            f"{source} {fault}, so it is not used. If the run is being replaced there, load this "
            "again in a minute; else it is damaged and must be copied there again."
        )
    part.replace(final)


def _download(source: Address, record: FileRecord, part: Path, told: Callable[[int], None]) -> str:
    """Complete `part`; what is wrong with it then, "" for nothing."""
    digest = hashlib.sha256()
    with part.open("a+b") as handle:
        handle.seek(0)
        while block := handle.read(HASH_BLOCK_BYTES):
            digest.update(block)
        done = handle.tell()
        if done < record.bytes:
            with open_remote(source, done) as remote:
                if remote.start != done:
                    handle.truncate(0)
                    digest, done = hashlib.sha256(), 0
                while piece := remote.read():
                    done += len(piece)
                    if done > record.bytes:
                        return f"has more than the {record.bytes:,} bytes of its manifest"
                    digest.update(piece)
                    handle.write(piece)
                    told(done)
        handle.flush()
        os.fsync(handle.fileno())
    if done != record.bytes:
        return f"has {done:,} bytes instead of the {record.bytes:,} of its manifest"
    return "" if digest.hexdigest() == record.sha256 else "is not what its manifest says (SHA-256)"
