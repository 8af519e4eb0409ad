"""Fixtures that several test folders share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixture_run import build_fixture_run


@pytest.fixture(scope="session")
def fixture_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the planted run, `<data>/planted`; its parent serves as a `data/` folder.

    It is shared: a test that changes a file works on a copy.
    """
    folder = tmp_path_factory.mktemp("data") / "planted"
    build_fixture_run(folder)
    return folder
