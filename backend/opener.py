"""The runs that this process has opened and verified, shared by all sessions."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from backend.edited_labels import file_stamp, labels_path
from backend.manifest import RunError
from backend.remote_fetching import Fetching, fetching
from backend.remote_listing import run_in
from backend.remote_runs import mend, told_of
from backend.store import Run, open_run

MOST_OPEN_RUNS = 4  # each holds its small tables in memory
MOVES_SECONDS = 0.25  # between two pictures of the progress


def opened_run(folder: Path, short_hash: str) -> Run:
    """Open a run once per process; a run made again, or its label file edited, is opened anew.

    A run at a host is fetched first, with its progress on the page that asks for it.

    Args:
        folder: `data/<run>`, or where a run at a host will be.
        short_hash: of its manifest, part of the cache's key.

    Raises:
        RunError: the run cannot be used; nothing is cached, so a repaired run works at once.
    """
    at_host = run_in(folder)
    coming = None if at_host is None else fetching(at_host)
    if coming is not None:
        _wait_for(coming)
    return _opened(folder, short_hash, file_stamp(labels_path(folder)))


# no spinner: `serve.py` calls this from a thread that has no page to show it on
@st.cache_resource(max_entries=MOST_OPEN_RUNS, show_spinner=False)
def _opened(folder: Path, short_hash: str, labels: tuple[int, int, int]) -> Run:
    del short_hash, labels
    try:
        return open_run(folder)
    except RunError:
        at_host = run_in(folder)
        if at_host is None:
            raise
        mend(at_host)
        with told_of(at_host):
            return open_run(folder)


def _wait_for(coming: Fetching) -> None:
    if get_script_run_ctx(suppress_warning=True) is None:
        coming.has_ended()
        return
    shown = st.empty()
    while not coming.has_ended(MOVES_SECONDS):
        done, total = coming.done / 1e6, coming.total / 1e6  # MB
        words = f"Fetching `{coming.run.name}` for the first time: {done:,.1f} of {total:,.1f} MB"
        shown.progress(min(done / max(total, 1e-6), 1.0), words)
    shown.empty()
