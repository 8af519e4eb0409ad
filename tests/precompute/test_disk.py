"""A disk that is full while text, activations, checkpoints or tables are written."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.manifest import read_manifest
from backend.verify import verify_run
from tests.precompute.command_line import making


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


def _resize(disk: Path, kilobytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(disk)], check=True)


def _kilobytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // 1024


def test_a_full_disk_says_so_and_the_run_goes_on_when_there_is_room(
    attempts, reduced_config, reduced_run, small_disk
):
    work = reduced_run / "work" / "reduced"
    text, activations, saes, meta = (
        sum(_kilobytes(folder) for folder in work.glob(f"{name}-*"))
        for name in ("text", "activations", "saes", "meta")
    )
    harvested = text + round(1.12 * activations)  # a run asks for a tenth more than it needs
    rooms = {  # kilobytes in all, and what they say
        64: "the disk is full",  # the tokenised text does not fit
        text + 200: "GB free",  # the activations do not: refused before they start
        harvested: "the disk is full",  # the SAEs' checkpoints do not
        text + activations + saes + meta // 2: "the disk is full",  # nor do the meta-SAEs'
    }
    assert list(rooms) == sorted(rooms)
    for room, message in rooms.items():
        _resize(small_disk, room)
        done = attempts(*making(reduced_config, small_disk))
        assert done.code == 1, (room, done.log)
        last = done.log.strip().splitlines()[-1]
        assert message in last, (room, last)
        assert "Free some space" in last
        assert "Traceback" not in done.log
        assert not (small_disk / "out" / "reduced").exists()
    _resize(small_disk, 4 * _kilobytes(reduced_run))
    done = attempts(*making(reduced_config, small_disk))
    assert done.code == 0, done.log
    expected = read_manifest(reduced_run / "out" / "reduced").content_hash
    assert verify_run(small_disk / "out" / "reduced").content_hash == expected
