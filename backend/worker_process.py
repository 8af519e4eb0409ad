"""One process that answers JSON lines with JSON lines, held within memory, time and output.

Threads: the app has many, so nothing runs between fork and exec; limits are set from outside. A
thread of its own reads what the process says and waits for its end, so that no zombie stays.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import re
import subprocess
import tempfile
import threading
from contextlib import suppress
from typing import Any

from backend.torch_python import ROOT

log = logging.getLogger(__name__)

MEMORY_VARIABLE = "SUBATOMIC_TEXT_GIB"  # for models that need more than the default
LONGEST_LINE = 8 << 20  # bytes; 126 tokens with 40 latents each take about 0.1 MB
LONGEST_LOG = 4 << 20  # bytes that a process may write to its log
LOG_TAIL = 4000  # bytes of it that are read when it ends
MOST_LINES = 4  # unread; it says one line at a time
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "2",
    "TOKENIZERS_PARALLELISM": "false",
    "MALLOC_ARENA_MAX": "2",  # reserved memory counts too
}
NO_ANSWER = (
    "The process that runs the language model gave no proper answer, so it was stopped. Try "
    "again: a new one will be started."
)


class TextError(Exception):
    """A text could not be read; the message is for the reader."""


class NotEnabled(TextError):
    """There is no Python with torch, or it lacks a package."""


class ProcessFailed(Exception):
    """The process cannot be used any more; `told` is what the reader is told."""

    def __init__(self, told: TextError) -> None:
        super().__init__(str(told))
        self.told = told


class WorkerProcess:
    """A running command; `run` says what it was started for."""

    def __init__(self, command: list[str], run: str, memory_gib: float) -> None:
        """Start it.

        Raises:
            ProcessFailed: there is no such program.
        """
        self.run = run
        self._program, self._memory_gib = command[0], memory_gib
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._n_asked = 0
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        try:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **ENVIRONMENT},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                start_new_session=True,  # Ctrl+C is for the app, which then ends its worker
            )
        except OSError as error:
            self._log.close()
            told = NotEnabled(f"{self._program} cannot be run: {error.strerror}.")
            raise ProcessFailed(told) from error
        _limit(self._process.pid, memory_gib)
        self._reader = threading.Thread(target=self._read, name="own-text-process", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, body: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The answer to one request.

        Raises:
            ProcessFailed: it did not come, or is not one.
        """
        self._n_asked += 1
        line = json.dumps({"id": self._n_asked, **body}) + "\n"
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended; the line that does not come says so
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        answer = self.line(seconds, "Reading the text")
        if answer.get("id") != self._n_asked:
            raise ProcessFailed(TextError(NO_ANSWER))
        return answer

    def line(self, seconds: float, what: str) -> dict[str, Any]:
        """The next line; `what` it is the result of, for the message when it does not come.

        Raises:
            ProcessFailed: as `ask`.
        """
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            late = f"{what} took longer than {seconds:g} s, so it was stopped. Try again later."
            raise ProcessFailed(TextError(late)) from None
        if line is None:
            raise ProcessFailed(self._why_it_ended())
        try:
            body = json.loads(line)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise ProcessFailed(TextError(NO_ANSWER))
        return body

    def stop(self) -> None:
        """Kill it and wait until it is gone."""
        self._process.kill()
        self._reader.join(timeout=5)

    def _read(self) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        while line := stdout.readline(LONGEST_LINE):
            self._lines.put(line)
            if self._lines.qsize() > MOST_LINES:  # it talks without being asked
                self._process.kill()
                break
        try:
            self._process.wait(timeout=2)  # its output has ended, so it is about to
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._lines.put(None)
        stdout.close()
        with suppress(OSError):  # what it did not take is lost with it
            stdin.close()

    def _why_it_ended(self) -> TextError:
        code = self._process.returncode
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - LOG_TAIL))
        tail = self._log.read().decode("utf-8", "replace")
        log.warning("the worker for readers' text ended with code %s: %s", code, tail)
        lacking = re.search(r"No module named '([\w.]+)'", tail)
        if lacking:
            return NotEnabled(f"{self._program} has no package {lacking[1]}.")
        if re.search(r"alloc|memory", tail, re.IGNORECASE):
            return TextError(
                f"The language model needs more than the {self._memory_gib:g} GiB of memory that "
                f"it may use; {MEMORY_VARIABLE} sets another limit."
            )
        return TextError(
            f"The process that runs the language model ended (code {code}). Try again: a new one "
            "will be started."
        )


def _limit(pid: int, memory_gib: float) -> None:
    """Limit a process from outside, where the system can (Linux).

    RLIMIT_DATA counts what a process may write to; the address space, which torch reserves
    without using, would have to be limited far above it.
    """
    try:
        from resource import RLIMIT_CORE, RLIMIT_DATA, RLIMIT_FSIZE, prlimit
    except ImportError:
        return
    limits = {RLIMIT_DATA: int(memory_gib * 2**30), RLIMIT_FSIZE: LONGEST_LOG, RLIMIT_CORE: 0}
    for name, most in limits.items():
        with suppress(OSError):  # it has ended already
            prlimit(pid, name, (most, most))
