"""Reading folders and files at a host through fsspec, in pieces and with time limits.

fsspec, and what a protocol needs beyond it, are imported when the first address is asked: an app of
local folders neither waits for them nor has to install them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import local
from typing import Any

from backend.manifest import RunError
from backend.remote_address import PACKAGES, Address, RefusedError, plainly

BLOCK_BYTES = 4 << 20  # of one request; smaller ones wait more often, larger ones need more memory
CONNECT_SECONDS = 5
READ_SECONDS = 20
ATTEMPTS = 2  # of one request, before its error is told
PARTIAL_CONTENT, NO_SUCH_RANGE = 206, 416  # of HTTP
_of_thread = local()


class TooLargeError(RunError):
    """A file is larger than it may be."""


@dataclass(frozen=True)
class Entry:
    """What a folder at a host holds."""

    name: str
    is_folder: bool


class RemoteFile:
    """A file at a host, read from byte `start` on.

    `stamp` changes when the file does; "" when the host does not tell.
    """

    def __init__(self, address: Address, handle: Any, start: int, stamp: str) -> None:
        self.address = address
        self.start = start
        self.stamp = stamp
        self._handle = handle

    def read(self) -> bytes:
        """The next piece, `BLOCK_BYTES` at most; b"" at the end.

        Raises:
            RunError: the host does not go on.
        """
        with plainly(self.address):
            return self._handle.read(BLOCK_BYTES)

    def rest(self, most_bytes: int) -> bytes:
        """All that is left.

        Raises:
            TooLargeError: it is more than `most_bytes`.
            RunError: the host does not go on.
        """
        content = bytearray()
        while piece := self.read():
            content += piece
            if len(content) > most_bytes:
                limit = f"{most_bytes:,} bytes, its limit"
                raise TooLargeError(f"{self.address} is larger than {limit}.")
        return bytes(content)


@contextmanager
def open_remote(address: Address, offset: int = 0) -> Iterator[RemoteFile]:
    """A file from byte `offset` on, or from its start where the host cannot do that.

    Raises:
        NotThereError: no such file.
        RunError: it cannot be read; the message says why and what to do.
    """
    with _asking(address):
        handle, start, stamp = _open(address, offset)
    try:
        yield RemoteFile(address, handle, start, stamp)
    finally:
        handle.close()


def read_small(address: Address, most_bytes: int) -> bytes:
    """A whole file that fits in memory.

    Raises:
        NotThereError: no such file.
        TooLargeError: it is larger than `most_bytes`.
        RunError: it cannot be read.
    """
    with open_remote(address) as file:
        return file.rest(most_bytes)


def size_and_hash(address: Address) -> tuple[int, str]:
    """Bytes and SHA-256 of a file as it is at its host now; nothing of it is kept.

    Raises:
        NotThereError: no such file.
        RunError: it cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    with open_remote(address) as file:
        while piece := file.read():
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def entries(address: Address) -> list[Entry]:
    """What a folder holds, by name; not for web addresses, whose hosts list nothing.

    Raises:
        NotThereError: no such folder.
        RunError: it cannot be listed.
    """
    with _asking(address):
        found = file_system(address.scheme).ls(address.text, detail=True)
    own = address.text.partition("://")[2]  # a folder may hold an empty object of its own name
    named = [(str(entry["name"]).rstrip("/"), entry["type"] == "directory") for entry in found]
    listed = [Entry(name.rpartition("/")[2], is_dir) for name, is_dir in named if name != own]
    return sorted(listed, key=lambda entry: entry.name)


def ask_anew(address: Address) -> None:
    """Forget what fsspec remembers of folders and sizes, so that changes are seen."""
    with plainly(address):
        file_system(address.scheme).invalidate_cache()


def file_system(scheme: str) -> Any:
    """fsspec's file system of a protocol, with time limits; made when first asked for."""
    if scheme != "hf":
        return _shared_file_system(scheme)
    # one a thread, as its package wants it; its time limit is HF_HUB_DOWNLOAD_TIMEOUT, 10 s
    if not hasattr(_of_thread, "hub"):
        import fsspec

        _of_thread.hub = fsspec.filesystem(scheme, skip_instance_cache=True)
    return _of_thread.hub


@lru_cache(maxsize=len(PACKAGES))
def _shared_file_system(scheme: str) -> Any:
    import fsspec

    # ours alone: fsspec would keep one for every thread, each with connections of its own
    options: dict[str, Any] = {"skip_instance_cache": True}
    if scheme == "s3":
        waits = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
        options["config_kwargs"] = {**waits, "retries": {"total_max_attempts": ATTEMPTS}}
        files = fsspec.filesystem(scheme, **options)
        files.retries = ATTEMPTS
        return files
    from aiohttp import ClientTimeout

    waits = ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
    if scheme == "gs":
        return fsspec.filesystem(scheme, requests_timeout=waits, **options)
    # trust_env: proxies of the environment, and passwords of ~/.netrc
    client = {"timeout": waits, "trust_env": True}
    return fsspec.filesystem(scheme, client_kwargs=client, **options)


@contextmanager
def _asking(address: Address) -> Iterator[None]:
    try:
        with plainly(address):
            yield
    except RefusedError:
        _shared_file_system.cache_clear()  # so that new credentials are read without a restart
        raise


def _open(address: Address, offset: int) -> tuple[Any, int, str]:
    """A handle, the byte where it begins, and a text that changes with the file."""
    files = file_system(address.scheme)
    if not address.is_web:
        handle = files.open(address.text, "rb", block_size=BLOCK_BYTES, cache_type="none")
        handle.seek(offset)
        return handle, offset, str(sorted((k, str(v)) for k, v in handle.details.items()))
    headers = {"Accept-Encoding": "identity"}  # else the host may send other bytes than the file's
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        # block size 0 streams; with a size given, whichever it is, the host is not asked for it
        handle = files.open(address.text, "rb", block_size=0, size=1, headers=headers)
    except Exception as error:
        if offset and getattr(error, "status", None) == NO_SUCH_RANGE:  # it has become shorter
            return _open(address, 0)
        raise
    told = [handle.r.headers.get(name) for name in ("ETag", "Last-Modified")]
    stamp = str(told) if any(told) else ""
    return handle, offset if handle.r.status == PARTIAL_CONTENT else 0, stamp
