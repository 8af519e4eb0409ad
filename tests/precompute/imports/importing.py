"""One import of a test, with everything it writes in a folder of the test."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from backend.elsewhere import imported_path
from precompute.config import ConfigError
from precompute.imports.importing import Request, import_foreign
from tests.planted import WIDE


class Imported:
    """What came of an import: the report, the label file and the file of evidence."""

    def __init__(self, tool: str, run: Path, out: Path, sae_id: str, report: list[str]) -> None:
        self.report = "\n".join(report)
        self.labels_path = out / f"{run.name}.labels.csv"
        self.evidence_path = imported_path(out / run.name, tool, sae_id)

    @property
    def labels(self) -> list[dict[str, str]]:
        if not self.labels_path.exists():
            return []
        text = self.labels_path.read_text(encoding="utf-8-sig")
        return list(csv.DictReader(text.splitlines()))

    @property
    def rows(self) -> dict[int, dict[str, Any]]:
        found = pq.read_table(self.evidence_path).to_pylist()
        return {row["latent"]: row for row in found}


def run_import(
    tool: str, path: Path, run: Path, out: Path, sae_id: str = WIDE, **asked: Any
) -> Imported:
    """Import `path` about an SAE of `run`, writing into `out`."""
    request = Request(tool, path, run, sae_id, out=out, **asked)
    return Imported(tool, run, out, sae_id, import_foreign(request))


def refusal(tool: str, path: Path, run: Path, out: Path, sae_id: str = WIDE, **asked: Any) -> str:
    """What is said when an import is refused, after which nothing may have been written."""
    with pytest.raises(ConfigError) as told:
        run_import(tool, path, run, out, sae_id, **asked)
    assert not out.exists() or not list(out.iterdir())
    return str(told.value)
