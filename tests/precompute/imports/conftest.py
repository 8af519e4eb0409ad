"""The planted run as one of GPT-2, so that files of others can be about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests import planted
from tests.fixture_run import build_fixture_run
from tests.planted import Row
from tests.precompute.imports.foreign_files import PLACES

MakeRun = Callable[..., Path]


def _build(folder: Path, changes: dict[str, Any]) -> Path:
    def sae_rows() -> list[Row]:
        return [row | PLACES.get(row["sae_id"], {}) | changes for row in planted.sae_rows()]

    with patch("tests.fixture_run.sae_rows", sae_rows):
        build_fixture_run(folder)
    return folder


@pytest.fixture(scope="session")
def gpt2_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`data/planted` whose `sae-32` is at Neuronpedia; a test that writes beside it gives --out."""
    return _build(tmp_path_factory.mktemp("gpt2") / "planted", {})


@pytest.fixture(scope="session")
def nameless_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, of which it is not known where its SAEs are published."""
    return _build(tmp_path_factory.mktemp("nameless") / "planted", {"neuronpedia_id": None})
