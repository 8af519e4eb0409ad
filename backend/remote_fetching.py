"""Runs on their way into the cache: one download a run, however many readers wait for it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread

from backend.manifest import RunError
from backend.remote_imported import fetch_imported
from backend.remote_labels import fetch_labels
from backend.remote_listing import place
from backend.remote_model import fetch_model
from backend.remote_runs import RemoteRun, fetch

_under_way: dict[Path, Fetching] = {}
_lock = Lock()


class Fetching:
    """One run that is being fetched; `done` of `total` bytes are here."""

    def __init__(self, run: RemoteRun) -> None:
        self.run = run
        self.done = 0
        self.total = run.bytes
        self._fault: RunError | None = None
        self._ended = Event()
        Thread(target=self._fetch, name="fetching", daemon=True).start()

    def has_ended(self, seconds: float | None = None) -> bool:
        """Whether the run is here; waits for it, for ever without a limit.

        Raises:
            RunError: it cannot be fetched. What is here already is kept for the next try.
        """
        has_ended = self._ended.wait(seconds)
        if self._fault is not None:
            raise RunError(str(self._fault)) from self._fault  # one of its own for each who waits
        return has_ended

    def _fetch(self) -> None:
        try:
            fault = place(self.run.address.parent).fault
            if fault:  # a page that tries one run after the other would wait for each of them
                raise RunError(f"{self.run.name} is not in the cache. {fault}")
            fetch(self.run, self._told)
            for fetch_beside in (fetch_model, fetch_labels, fetch_imported):
                with suppress(RunError):  # the listing tries again, and tells
                    fetch_beside(self.run)
        except RunError as error:
            self._fault = error
        finally:
            with _lock:
                del _under_way[self.run.folder]
            self._ended.set()

    def _told(self, name: str, done: int, total: int) -> None:
        del name, total
        self.done = done


def fetching(run: RemoteRun) -> Fetching | None:
    """The download of a run, begun unless it is under way; None when the run is here."""
    if run.is_here:
        return None
    with _lock:
        if run.folder not in _under_way:
            _under_way[run.folder] = Fetching(run)
        return _under_way[run.folder]
