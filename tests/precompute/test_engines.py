"""The same shards on a real Ray of this machine: a killed process, and what can go wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backend.manifest import read_manifest
from backend.verify import verify_run
from precompute import engines
from precompute.config import ConfigError
from precompute.engines import shard_engine
from tests.precompute.command_line import ENVIRONMENT, ROOT, making

PATIENCE = 120  # seconds


def _refused(task: str) -> None:
    raise ConfigError(f"{task} cannot be used")


def _blind(token: Path) -> bool:
    return not token


def test_a_process_killed_in_the_middle_of_a_shard_changes_nothing(
    reduced_config: Path, reduced_run: Path, tmp_path: Path
):
    expected = read_manifest(reduced_run / "out" / "reduced").content_hash
    folder, victim = tmp_path / "ray", tmp_path / "victim"
    shutil.copytree(reduced_run / "work", folder / "work")
    for tables in (folder / "work" / "reduced").glob("tables-*"):
        shutil.rmtree(tables)  # all that shards are for
    arguments = [str(one) for one in making(reduced_config, folder)]
    arguments[arguments.index("--workers") + 1] = "2"
    program = [sys.executable, "-m", "tests.precompute.on_ray", str(victim), *arguments]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*program, "--engine", "ray", "--max-memory", "2GB"],
            cwd=ROOT,
            env={k: v for k, v in ENVIRONMENT.items() if k != "RAY_ADDRESS"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        until = time.monotonic() + PATIENCE
        while not (victim.exists() and victim.read_text()) and time.monotonic() < until:
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.05)
        killed = int(victim.read_text())
        assert killed != process.pid
        os.kill(killed, signal.SIGKILL)
        code = process.wait(PATIENCE)
    assert code == 0, (tmp_path / "log").read_text()
    assert verify_run(folder / "out" / "reduced").content_hash == expected
    assert "tokens/s" in (tmp_path / "log").read_text()
    assert not list((folder / "work").rglob("shards"))


def test_what_a_ray_task_raises_and_a_machine_without_the_folder_are_told_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with (
        pytest.raises(ConfigError, match=r"^sae-1 cannot be used$"),
        shard_engine("ray", 1, tmp_path) as run,
    ):
        monkeypatch.setattr(engines, "_sees", _blind)
        with pytest.raises(ConfigError, match=f"does not see {tmp_path}.*storage that all"):
            engines._check_sight(engines._ray(), tmp_path)
        run(_refused, ["sae-1"], lambda _: None)
    assert list(tmp_path.iterdir()) == []  # no token is left behind


def test_ray_is_asked_for_by_name_when_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # as if it were not installed
    with (
        pytest.raises(ConfigError, match=r'pip install "ray==2\.60\.0"'),
        shard_engine("ray", 1, tmp_path),
    ):
        pass


def test_an_address_where_no_ray_listens_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with (
        pytest.raises(ConfigError, match=r"RAY_ADDRESS = 127\.0\.0\.1:1.*ray start"),
        shard_engine("ray", 1, tmp_path),
    ):
        pass
