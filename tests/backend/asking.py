"""Questions for a worker, and whether its process is there."""

from __future__ import annotations

import time
from pathlib import Path

from backend.reading import Question
from backend.text_worker import Limits, TextWorker

SOON = 10.0  # seconds that a process may take to start or to go
QUICK = Limits(start_seconds=SOON, answer_seconds=SOON, queue_seconds=SOON)


def question(text: str, folder: str = "run", short_hash: str = "abc") -> Question:
    """A text for `sae-32`; the stub looks at the folder's name only."""
    return Question(Path(f"/nowhere/{folder}"), short_hash, "sae-32", 32, text)


def is_gone(pid: int) -> bool:
    """Whether there is no such process within some seconds; a zombie still is one."""
    deadline = time.monotonic() + SOON
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def running(worker: TextWorker) -> int:
    """The worker's process, which must be there."""
    assert worker.pid is not None
    return worker.pid
