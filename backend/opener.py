"""The runs that this process has opened and verified, shared by all sessions."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from backend.edited_labels import file_stamp, labels_path
from backend.store import Run, open_run

MOST_OPEN_RUNS = 4  # each holds its small tables in memory


def opened_run(folder: Path, short_hash: str) -> Run:
    """Open a run once per process; a run made again, or its label file edited, is opened anew.

    Args:
        folder: `data/<run>`.
        short_hash: of its manifest, part of the cache's key.

    Raises:
        RunError: the run cannot be used; nothing is cached, so a repaired run works at once.
    """
    return _opened(folder, short_hash, file_stamp(labels_path(folder)))


# no spinner: `serve.py` calls this from a thread that has no page to show it on
@st.cache_resource(max_entries=MOST_OPEN_RUNS, show_spinner=False)
def _opened(folder: Path, short_hash: str, labels: tuple[int, int, int]) -> Run:
    del short_hash, labels
    return open_run(folder)
