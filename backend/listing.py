"""The runs of one or more places, and folders that look like a run and are none."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.elsewhere import imported_folder, is_imported_name
from backend.manifest import Manifest, RunError, read_manifest
from backend.remote_address import Address, as_address
from backend.remote_imported import LIST_NAME
from backend.remote_listing import RUNS_LIST_NAME, place
from backend.schema import MANIFEST_NAME

DATA_VARIABLE = "SUBATOMIC_DATA"
DEFAULT_DATA = Path(__file__).resolve().parent.parent / "data"


@dataclass(frozen=True)
class RunSummary:
    """A run that can be listed: its manifest is valid, its files are not verified yet.

    `path` is its folder; of a run at a host the one in the cache where its files will be.
    `n_latents` counts those of all its SAEs and meta-SAEs.
    """

    name: str
    title: str
    short_hash: str
    path: Path
    n_latents: int
    address: str = ""  # at its host; "" for a run on this machine


@dataclass(frozen=True)
class RunProblem:
    """A folder that looks like a run and is none, or a place that cannot be read, and why."""

    name: str
    message: str


@dataclass(frozen=True)
class Places:
    """Where runs are looked for, in this order: of two runs with one name the first is shown."""

    places: tuple[Path | Address, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.places))


def data_dir() -> Places:
    """Where runs are looked for: the places in SUBATOMIC_DATA, else the repository's `data/`."""
    configured = os.environ.get(DATA_VARIABLE)
    return places(configured) if configured else Places((DEFAULT_DATA,))


def places(text: str) -> Places:
    """The places that a text names, with commas between them.

    Not spaces, which are common in the names of folders, and not `os.pathsep`, which is a colon
    and so part of every address. A folder that exists may have commas in its name; an address may
    not, but a web address can say %2C.

    Args:
        text: folders of this machine, or addresses such as `s3://bucket/runs`, `gs://...`,
            `hf://datasets/owner/name`, or that of a folder of a web server.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) < 2 or Path(text).expanduser().exists():
        return Places((_place(text),))
    return Places(tuple(map(_place, parts)))


def list_runs(where: Path | Places) -> list[RunSummary]:
    """Runs with a valid manifest, that with most latents first: it is what opens by itself."""
    return sorted(_inspect(where)[0], key=lambda run: (-run.n_latents, run.name))


def list_problems(where: Path | Places) -> list[RunProblem]:
    """Folders that hold Parquet or a manifest and are not a valid run, and places out of reach."""
    return _inspect(where)[1]


def list_notes(where: Path | Places) -> list[str]:
    """What a reader should know of these places although there are runs to show."""
    if isinstance(where, Path) or (len(where.places) == 1 and isinstance(where.places[0], Path)):
        return []
    return _inspect(where)[2]


def write_runs_list(folder: Path) -> Path:
    """Write `runs.json`, the names of a folder's runs, for a web server, which lists no folders.

    What was imported for a run gets a list of its own, `<run>.imported/files.json`.

    Raises:
        RunError: there is no run in it.
    """
    runs = list_runs(folder)
    if not runs:
        raise RunError(f"There is no run in {folder}, so no {RUNS_LIST_NAME} was written.")
    for beside in (imported_folder(run.path) for run in runs):
        if beside.is_dir():
            found = (path.name for path in beside.iterdir() if is_imported_name(path.name))
            _write_names(beside / LIST_NAME, sorted(found))
    return _write_names(folder / RUNS_LIST_NAME, [run.name for run in runs])


def _write_names(path: Path, names: list[str]) -> Path:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(json.dumps(names, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return fresh.replace(path)


def _place(text: str) -> Path | Address:
    return as_address(text) or Path(text).expanduser()


def _inspect(where: Path | Places) -> tuple[list[RunSummary], list[RunProblem], list[str]]:
    """Runs, problems and notes of all places."""
    runs: dict[str, RunSummary] = {}
    problems: list[RunProblem] = []
    notes: list[str] = []
    for one in (where,) if isinstance(where, Path) else where.places:
        for found in _folders_of(one) if isinstance(one, Path) else _runs_at(one, notes):
            if isinstance(found, RunProblem):
                problems.append(found)
                continue
            first = runs.setdefault(found.name, found)
            if first.short_hash != found.short_hash:
                message = (
                    f"{found.address or found.path} is not shown, because "
                    f"{first.address or first.path} has the same name and comes first in "
                    f"{DATA_VARIABLE}. Rename one of the two folders."
                )
                notes.append(message)
    return list(runs.values()), problems, notes


def _runs_at(address: Address, notes: list[str]) -> Iterator[RunSummary | RunProblem]:
    try:
        listing = place(address).listing()
    except RunError as error:
        notes.append(str(error))
        yield RunProblem(str(address), str(error))
        return
    if listing.note:
        notes.append(listing.note)
        if not listing.runs:  # then it is why there is nothing to show
            yield RunProblem(str(address), listing.note)
    for run in listing.runs:
        yield _summary(run.name, run.manifest, run.folder, str(run.address))
    for name, message in listing.problems:
        yield RunProblem(name, message)


def _folders_of(data_dir: Path) -> Iterator[RunSummary | RunProblem]:
    try:
        folders = sorted(path for path in data_dir.iterdir() if path.is_dir())
    except OSError:  # no such folder, or one that may not be read: it holds no run for us
        return
    for folder in folders:
        has_manifest = (folder / MANIFEST_NAME).exists()
        if folder.name.startswith(".") or not (has_manifest or any(folder.glob("*.parquet"))):
            continue
        try:
            manifest = read_manifest(folder)
        except RunError as error:
            yield RunProblem(folder.name, str(error))
        else:
            yield _summary(folder.name, manifest, folder)


def _summary(name: str, manifest: Manifest, folder: Path, address: str = "") -> RunSummary:
    latents = manifest.files.get("latents")  # a forged manifest may lack it
    n_latents = latents.rows if latents else 0
    return RunSummary(name, manifest.title, manifest.short_hash, folder, n_latents, address)
