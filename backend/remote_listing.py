"""The runs of a folder at a host, asked again once a minute and never by a page that waits long.

What a host said last is kept on disk too, so that without a network the list is as it was, and
the runs that are in the cache open.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Event, Lock, Thread

from backend.manifest import RunError
from backend.remote import TooLargeError, ask_anew, entries, read_small
from backend.remote_address import Address, NotThereError, RefusedError
from backend.remote_cache import cache_dir, disk_told, write_whole
from backend.remote_imported import fetch_imported
from backend.remote_labels import fetch_labels
from backend.remote_model import fetch_model
from backend.remote_runs import (
    LARGEST_MANIFEST,
    RemoteRun,
    is_run_name,
    parse_manifest,
    read_manifest_at,
)
from backend.schema import MANIFEST_NAME

RUNS_LIST_NAME = "runs.json"
LARGEST_LIST = 1_000_000  # bytes of runs.json
MOST_RUNS = 500  # of one place; the manifest of each is read
READ_AT_ONCE = 8  # manifests
FRESH_SECONDS = 60.0  # so long an answer counts
AGAIN_SECONDS = 15.0  # after a failure
PATIENCE_SECONDS = 2.0  # a page waits for a new answer when it can show the last one
FIRST_PATIENCE_SECONDS = 30.0  # and when it can show nothing; packages try longer than that
# of a run that is here
_BESIDE = {"Model": fetch_model, "Labels": fetch_labels, "Imported labels": fetch_imported}
_runs_by_folder: dict[Path, RemoteRun] = {}


@dataclass(frozen=True)
class RemoteListing:
    """What is at a place: runs by name, folders that are none and why, and what a reader should
    know, "" for nothing."""

    runs: tuple[RemoteRun, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    note: str = ""


class RemotePlace:
    """A folder of runs at a host; one of these serves all threads of a process."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = Lock()
        self._answered: Event | None = None  # of the question that is under way
        self._last: RemoteListing | None = None
        self._has_answered = False  # in this process; else `_last` is what an earlier one was told
        self._fault = ""
        self._ask_at = 0.0

    def listing(self) -> RemoteListing:
        """What the host said last; it is asked again when that is more than a minute ago.

        Raises:
            RunError: nothing is known of this place, neither now nor from an earlier time.
        """
        with self._lock:
            if self._last is None:
                self._last = _recalled(self.address)
            if self._answered is None and time.monotonic() >= self._ask_at:
                self._answered = Event()
                Thread(target=self._ask, args=(self._answered,), daemon=True).start()
            answered, is_known = self._answered, self._last is not None
        if answered is not None:
            answered.wait(PATIENCE_SECONDS if is_known else FIRST_PATIENCE_SECONDS)
        with self._lock:
            silent = f"The host of {self.address} has not answered yet. Load this again soon."
            fault = self._fault or ("" if self._has_answered else silent)
            if self._last is None:
                raise RunError(fault)
            if not fault:
                return self._last
            note = (
                f"{fault} Shown is what was there when it last answered. Runs that were opened "
                "here before open as usual, others cannot be fetched now."
            )
            return replace(self._last, note=" ".join((note, self._last.note)).strip())

    @property
    def fault(self) -> str:
        """Why the host could not be read when it was last asked; "" when it could."""
        return self._fault

    def _ask(self, answered: Event) -> None:
        last, fault, wait = None, "", AGAIN_SECONDS
        try:
            last, wait = _asked(self.address), FRESH_SECONDS
        except RunError as error:
            fault = str(error)
        finally:
            with self._lock:
                self._last = last or self._last
                self._has_answered = self._has_answered or last is not None
                self._fault = fault
                self._ask_at = time.monotonic() + wait
                self._answered = None
            answered.set()


def place(address: Address) -> RemotePlace:
    """The one of this process for an address."""
    return _place(address, cache_dir())


def run_in(folder: Path) -> RemoteRun | None:
    """The listed run that is, or will be, in a folder of the cache; None for any other folder."""
    return _runs_by_folder.get(folder)


def names_at(address: Address) -> list[str]:
    """Names of the folders that may be runs: as the host lists them, or as `runs.json` does.

    Raises:
        RunError: the place cannot be listed; the message says what to do.
    """
    if address.is_web:
        return _names_in_list(address)
    found = entries(address)
    if any(entry.name == MANIFEST_NAME for entry in found):
        raise RunError(f"{address} is a run itself. Name the folder above it: {address.parent}")
    return [entry.name for entry in found if entry.is_folder and not entry.name.startswith(".")]


def _names_in_list(address: Address) -> list[str]:
    path = address / RUNS_LIST_NAME
    advice = (
        "A web server does not list folders, so that file must hold the names of the runs, e.g. "
        '["minilm"]. Write it with python -m precompute list --out FOLDER --write, and put it there'
    )
    try:
        names = json.loads(read_small(path, LARGEST_LIST))
    except NotThereError as error:
        raise RunError(f"There is no {path}. {advice}.") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} cannot be read as JSON ({error}). {advice}.") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RunError(f"{path} is not a list of names. {advice}.")
    return sorted(set(names))


@lru_cache(maxsize=64)
def _place(address: Address, cache: Path) -> RemotePlace:
    del cache  # another cache, another memory
    return RemotePlace(address)


def _asked(address: Address) -> RemoteListing:
    ask_anew(address)
    names = names_at(address)
    if len(names) > MOST_RUNS:
        raise RunError(f"{address} holds more than {MOST_RUNS} folders. Name a folder of runs.")
    fit = [name for name in names if is_run_name(name)]

    def manifest(name: str) -> bytes | RunError:
        try:
            return read_manifest_at(address / name)
        except (NotThereError, RefusedError, TooLargeError) as error:
            return error  # of this run alone; what else may fail concerns the host

    with ThreadPoolExecutor(READ_AT_ONCE, "manifest") as pool:
        manifests = dict(zip(fit, pool.map(manifest, fit), strict=True))
    found = {name: told for name, told in manifests.items() if isinstance(told, bytes)}
    listing = _listed(address, found)
    problems = [(name, f"{address} has a folder whose name cannot be a run's: {name!r}.")
                for name in names if name not in fit]  # fmt: skip
    for name, error in manifests.items():
        if isinstance(error, NotThereError) and address.is_web:
            missing = f"{address / RUNS_LIST_NAME} names {name}, but there is no {address / name}."
            problems.append((name, missing))
        elif isinstance(error, RunError) and not isinstance(error, NotThereError):
            problems.append((name, str(error)))  # elsewhere a folder without a manifest is no run
    notes = []
    for run in listing.runs:
        if run.is_here:
            for what, fetch_beside in _BESIDE.items():
                try:
                    fetch_beside(run)
                except RunError as error:
                    notes.append(f"{what} of {run.name}: {error}")
    _remember(address, found)
    return replace(listing, problems=(*listing.problems, *problems), note=" ".join(notes))


def _listed(address: Address, manifests: Mapping[str, bytes]) -> RemoteListing:
    runs, problems = [], []
    for name, content in manifests.items():
        at = address / name
        try:
            runs.append(RemoteRun(at, parse_manifest(content, at)))
        except RunError as error:
            problems.append((name, str(error)))
    _runs_by_folder.update({run.folder: run for run in runs})
    return RemoteListing(tuple(runs), tuple(problems))


def _memory(address: Address) -> Path:
    key = hashlib.sha256(address.text.encode()).hexdigest()[:32]
    return cache_dir() / "places" / f"{key}.json"


def _remember(address: Address, manifests: Mapping[str, bytes]) -> None:
    path = _memory(address)
    texts = {name: content.decode("utf-8", "replace") for name, content in manifests.items()}
    said = json.dumps({"of": str(address), "runs": texts}).encode()
    with disk_told():
        if not (path.exists() and path.read_bytes() == said):  # a cache may be made read-only
            write_whole(path, said)


def _recalled(address: Address) -> RemoteListing | None:
    """What the host said to an earlier process; None when nothing, or nothing readable, is left."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        path = _memory(address)
        if path.stat().st_size <= MOST_RUNS * LARGEST_MANIFEST:
            runs = json.loads(path.read_bytes())["runs"].items()
            texts = {name: text.encode() for name, text in runs if is_run_name(name)}
            return _listed(address, texts)
    return None
