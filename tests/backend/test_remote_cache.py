"""Files under their hash: only whole ones, once, whatever stops, breaks or fills the disk."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import remote
from backend.manifest import FileRecord, RunError
from backend.remote_address import Address, NotThereError
from backend.remote_cache import (
    CACHE_VARIABLE,
    FOLDER,
    cache_dir,
    cache_size,
    cached_file,
    check_room,
    clear,
    drop_if_damaged,
)
from tests.hosts import Web

pytest_plugins = ("tests.host_fixtures",)

ROOT = Path(__file__).resolve().parents[2]
CONTENT = bytes(range(256)) * 400  # 102,400 bytes
HALF = len(CONTENT) // 2
# one file fetched as a process of its own: address, hash, bytes
FETCH = """
import sys
from backend.manifest import FileRecord
from backend.remote_address import Address
from backend.remote_cache import cached_file

address, sha256, size = sys.argv[1:]
cached_file(Address(address), FileRecord("file", 0, int(size), sha256, ()), lambda done: None)
"""


def record_of(content: bytes) -> FileRecord:
    return FileRecord("file", 0, len(content), hashlib.sha256(content).hexdigest(), ())


RECORD = record_of(CONTENT)


def fetch(web: Web, told: list[int] | None = None) -> Path:
    steps = [] if told is None else told
    return cached_file(Address(web.address) / "file", RECORD, steps.append)


@pytest.fixture
def served(web: Web) -> Web:
    """CONTENT as `file` of a web server."""
    (web.folder / "file").write_bytes(CONTENT)
    return web


def part_of(cache: Path) -> Path:
    return cache / "files" / f"{RECORD.sha256}.part"


def test_a_file_is_fetched_once_and_lies_under_its_hash(cache: Path, served: Web) -> None:
    told: list[int] = []
    path = fetch(served, told)
    assert path == cache / "files" / RECORD.sha256
    assert path.read_bytes() == CONTENT
    assert told[-1] == len(CONTENT)
    assert told == sorted(told)
    assert fetch(served) == path
    assert len(served.asked) == 1
    assert cache_size() == (1, len(CONTENT))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (CONTENT[:HALF], r"has 51,200 bytes instead of the 102,400 of its manifest"),
        (b"", r"has 0 bytes instead of the 102,400"),
        (CONTENT + b"x", r"has more than the 102,400 bytes of its manifest"),
        (b"x" + CONTENT[1:], r"is not what its manifest says \(SHA-256\)"),
    ],
    ids=["cut short", "empty", "longer", "tampered"],
)
def test_what_differs_from_its_manifest_never_gets_its_name(
    cache: Path, served: Web, content: bytes, fault: str
) -> None:
    (served.folder / "file").write_bytes(content)
    with pytest.raises(RunError, match=fault) as caught:
        fetch(served)
    assert f"{served.address}/file" in str(caught.value)
    assert os.listdir(cache / "files") == []  # noqa: PTH208
    (served.folder / "file").write_bytes(CONTENT)  # repaired: the next try works
    assert fetch(served).read_bytes() == CONTENT


def test_a_missing_file_is_told(cache: Path, served: Web) -> None:
    (served.folder / "file").unlink()
    with pytest.raises(NotThereError, match=r"There is nothing at .*/file"):
        fetch(served)
    assert not (cache / "files" / RECORD.sha256).exists()


@pytest.mark.parametrize("takes_ranges", [True, False])
def test_a_download_goes_on_where_it_was(cache: Path, served: Web, takes_ranges: bool) -> None:
    served.takes_ranges = takes_ranges
    part_of(cache).parent.mkdir(parents=True)
    part_of(cache).write_bytes(CONTENT[:HALF])
    assert fetch(served).read_bytes() == CONTENT
    assert served.requests_of("file") == [f"bytes={HALF}-"]
    assert not part_of(cache).exists()


@pytest.mark.parametrize(
    "left", [b"x" * HALF, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 9)], ids=len
)
def test_a_damaged_beginning_is_thrown_away(cache: Path, served: Web, left: bytes) -> None:
    part_of(cache).parent.mkdir(parents=True)
    part_of(cache).write_bytes(left)
    assert fetch(served).read_bytes() == CONTENT


def test_a_file_that_was_whole_but_not_named_yet_needs_no_host(cache: Path, served: Web) -> None:
    part_of(cache).parent.mkdir(parents=True)
    part_of(cache).write_bytes(CONTENT)
    assert fetch(served).read_bytes() == CONTENT
    assert served.asked == []


def start_fetching(web: Web) -> subprocess.Popen[bytes]:
    arguments = [f"{web.address}/file", RECORD.sha256, str(len(CONTENT))]
    return subprocess.Popen([sys.executable, "-c", FETCH, *arguments], cwd=ROOT)


def test_a_killed_download_leaves_no_half_file_and_is_resumed(cache: Path, served: Web) -> None:
    served.stops_after["file"] = HALF
    child = start_fetching(served)
    assert served.stopped.wait(30)
    while not (part_of(cache).exists() and part_of(cache).stat().st_size):
        served.goes_on.wait(0.02)  # until some of it is on disk
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    on_disk = part_of(cache).stat().st_size
    assert 0 < on_disk <= HALF
    assert not (cache / "files" / RECORD.sha256).exists()
    served.stops_after.clear()
    served.goes_on.set()
    assert fetch(served).read_bytes() == CONTENT  # and the dead process locks nobody out
    assert served.requests_of("file") == ["", f"bytes={on_disk}-"]


def test_processes_that_want_the_same_file_fetch_it_once(cache: Path, served: Web) -> None:
    children = [start_fetching(served) for _ in range(3)]
    assert [child.wait(30) for child in children] == [0, 0, 0]
    assert (cache / "files" / RECORD.sha256).read_bytes() == CONTENT
    assert len(served.asked) == 1


def test_a_cached_file_that_was_damaged_is_dropped_and_a_good_one_kept(
    cache: Path, served: Web
) -> None:
    path = fetch(served)
    drop_if_damaged(path, RECORD)
    assert path.exists()
    path.write_bytes(b"x" + CONTENT[1:])
    drop_if_damaged(path, RECORD)
    assert not path.exists()
    drop_if_damaged(path, RECORD)
    assert cache.exists()


def test_the_cache_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/caches")
    monkeypatch.setenv(CACHE_VARIABLE, "~/mine")
    assert cache_dir() == tmp_path / "mine" / FOLDER
    monkeypatch.delenv(CACHE_VARIABLE)
    assert cache_dir() == Path("/var/caches/subatomic") / FOLDER
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # to be ignored, says its specification
    assert cache_dir() == tmp_path / ".cache" / "subatomic" / FOLDER
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_dir() == tmp_path / ".cache" / "subatomic" / FOLDER


def test_clearing_removes_the_cache_and_nothing_beside_it(
    cache: Path, served: Web, tmp_path: Path
) -> None:
    other = tmp_path / "cache" / "somebody else's"
    other.parent.mkdir()
    other.write_text("kept")
    fetch(served)
    clear()
    clear()  # nothing there is nothing to do
    assert not cache.exists()
    assert cache_size() == (0, 0)
    assert other.read_text() == "kept"


def test_a_cache_that_cannot_be_a_folder_is_told_with_the_way_out(
    served: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    with pytest.raises(RunError, match=f"name another folder in {CACHE_VARIABLE}"):
        fetch(served)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_told_and_fetching_goes_on_when_there_is_room(
    served: Web, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(small_disk))
    monkeypatch.setattr(remote, "BLOCK_BYTES", 4096)
    with pytest.raises(RunError, match=f"is full. Free some space, or name .* {CACHE_VARIABLE}"):
        check_room(len(CONTENT))
    with pytest.raises(RunError, match="is full"):
        fetch(served)
    assert not (cache_dir() / "files" / RECORD.sha256).exists()
    subprocess.run(["mount", "-o", "remount,size=400k", str(small_disk)], check=True)
    check_room(len(CONTENT))
    assert fetch(served).read_bytes() == CONTENT
    assert served.requests_of("file")[1].startswith("bytes=")  # not from the start
