"""The planted run in a folder of its own, without a key in the environment."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.precompute.model_labels.label_place import Place


@pytest.fixture
def place(fixture_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name in ("SUBATOMIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(fixture_run, tmp_path / "data" / "planted")
    return Place(tmp_path)
