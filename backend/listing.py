"""The runs of a data folder, and folders that look like a run and are none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from backend.manifest import RunError, read_manifest
from backend.schema import MANIFEST_NAME

DATA_VARIABLE = "SUBATOMIC_DATA"
DEFAULT_DATA = Path(__file__).resolve().parent.parent / "data"


@dataclass(frozen=True)
class RunSummary:
    """A run that can be listed: its manifest is valid, its files are not verified yet."""

    name: str
    title: str
    short_hash: str
    path: Path


@dataclass(frozen=True)
class RunProblem:
    """A folder that looks like a run and is none, and why."""

    name: str
    message: str


def data_dir() -> Path:
    """Where runs are looked for: the folder in SUBATOMIC_DATA, else the repository's `data/`."""
    configured = os.environ.get(DATA_VARIABLE)
    return Path(configured).expanduser() if configured else DEFAULT_DATA


def list_runs(data_dir: Path) -> list[RunSummary]:
    """Folders with a valid manifest, by name."""
    return [entry for entry in _inspect(data_dir) if isinstance(entry, RunSummary)]


def list_problems(data_dir: Path) -> list[RunProblem]:
    """Folders that hold Parquet or a manifest, and are not a valid run."""
    return [entry for entry in _inspect(data_dir) if isinstance(entry, RunProblem)]


def _inspect(data_dir: Path) -> list[RunSummary | RunProblem]:
    try:
        folders = sorted(path for path in data_dir.iterdir() if path.is_dir())
    except OSError:  # no such folder, or one that may not be read: it holds no run for us
        return []
    found: list[RunSummary | RunProblem] = []
    for folder in folders:
        has_manifest = (folder / MANIFEST_NAME).exists()
        if folder.name.startswith(".") or not (has_manifest or any(folder.glob("*.parquet"))):
            continue
        try:
            manifest = read_manifest(folder)
        except RunError as error:
            found.append(RunProblem(folder.name, str(error)))
        else:
            found.append(RunSummary(folder.name, manifest.title, manifest.short_hash, folder))
    return found
