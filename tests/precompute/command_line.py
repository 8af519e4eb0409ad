"""`python -m precompute` as a user runs it, and the same in processes that can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "precompute" / "configs" / "tiny.toml"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Done:
    """How a command ended: exit code (negative for a signal), its messages, wall clock."""

    code: int
    log: str
    seconds: float = 0.0


def precompute(*arguments: str | Path) -> Done:
    """One command in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "precompute", *map(str, arguments)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout)


def making(config: Path, folder: Path) -> list[str | Path]:
    """The command that makes the run of `config` in `folder/out`, with work in `folder/work`."""
    places: list[str | Path] = ["--out", folder / "out", "--work", folder / "work"]
    return ["run", config, *places, "--workers", "1", "--device", "cpu"]


class Attempts:
    """Commands as children of one process that has torch imported; see `attempts.py`."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.precompute.attempts"],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str | Path, kill_after: float | None = None) -> Done:
        """Run one command, and kill it with SIGKILL after that many seconds if it still runs."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        task = {
            "arguments": [str(argument) for argument in arguments],
            "kill_after": kill_after,
            "log": str(self._log),
        }
        stdin.write(json.dumps(task) + "\n")
        stdin.flush()
        answer = json.loads(stdout.readline())
        return Done(answer["code"], self._log.read_text(encoding="utf-8"), answer["seconds"])

    def close(self) -> None:
        """The process ends with its input."""
        self._process.communicate()
