"""Processes side by side: who is told what, and what a killed one looks like."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from precompute.config import ConfigError
from precompute.workers import run_tasks
from tests.precompute.command_line import ENVIRONMENT, ROOT


def _sleep(path: Path) -> None:
    path.write_text(str(os.getpid()))
    time.sleep(60)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _touch(path: Path) -> None:
    path.write_text(str(os.getpid()))


def _killed(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    path.touch()


def _refused(path: Path) -> None:
    raise ConfigError(f"{path.name} cannot be used")


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_done_and_told_once(workers, tmp_path):
    tasks, told = [tmp_path / str(i) for i in range(5)], []
    run_tasks(_touch, tasks, workers, told.append)
    assert sorted(told) == tasks
    here = {path.read_text() == str(os.getpid()) for path in tasks}
    assert here == {workers == 1}


def test_a_killed_process_is_told_as_what_it_most_likely_is(tmp_path):
    tasks = [tmp_path / "a", tmp_path / "b"]
    with pytest.raises(ConfigError, match=r"_killed was killed.*memory ran out.*fewer --workers"):
        run_tasks(_killed, tasks, 2)


def test_workers_end_with_the_main_process_however_that_ends(tmp_path):
    """Else they would write beside the run that goes on where this one was killed."""
    code = (
        "from pathlib import Path\n"
        "from precompute.workers import run_tasks\n"
        "from tests.precompute.test_workers import _sleep\n"
        f"run_tasks(_sleep, [Path({str(tmp_path)!r}) / i for i in 'ab'], 2)"
    )
    main = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=ENVIRONMENT)
    files = [tmp_path / "a", tmp_path / "b"]
    while not all(path.exists() and path.read_text() for path in files):
        assert main.poll() is None
        time.sleep(0.05)
    main.kill()
    main.wait()
    until = time.monotonic() + 10
    workers = [int(path.read_text()) for path in files]
    while any(map(_is_alive, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(_is_alive, workers))


def test_an_error_ends_the_rest(tmp_path):
    with pytest.raises(ConfigError, match="cannot be used"):
        run_tasks(_refused, [tmp_path / str(i) for i in range(50)], 2)
