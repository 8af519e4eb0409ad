"""The planted run opened, and a copy of it to damage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.store import Run, open_run


@pytest.fixture(scope="session")
def run(fixture_run: Path) -> Iterator[Run]:
    opened = open_run(fixture_run)
    yield opened
    opened.close()


@pytest.fixture
def copied_run(fixture_run: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(fixture_run, tmp_path / "planted"))
