"""The planted run opened, and a copy of it to damage."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backend import torch_python
from backend.store import Run, open_run
from backend.text_worker import Limits, TextWorker
from tests.backend.asking import QUICK, is_gone
from tests.stub_worker import stub_python


@pytest.fixture(scope="session")
def run(fixture_run: Path) -> Iterator[Run]:
    opened = open_run(fixture_run)
    yield opened
    opened.close()


@pytest.fixture
def copied_run(fixture_run: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(fixture_run, tmp_path / "planted"))


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., TextWorker]]:
    """Makes workers of the stub; none may be left running, and none as a zombie."""
    monkeypatch.setenv(torch_python.VARIABLE, str(stub_python(tmp_path)))
    made: list[TextWorker] = []

    def make_one(limits: Limits = QUICK) -> TextWorker:
        made.append(TextWorker(limits))
        return made[-1]

    yield make_one
    for worker in made:
        pid = worker.pid
        worker.stop()
        assert pid is None or is_gone(pid)
