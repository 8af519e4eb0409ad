"""The runs that this process has opened and verified, shared by all sessions."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from backend.store import Run, open_run

MOST_OPEN_RUNS = 4  # each holds its small tables in memory


# no spinner: `serve.py` calls this from a thread that has no page to show it on
@st.cache_resource(max_entries=MOST_OPEN_RUNS, show_spinner=False)
def opened_run(folder: Path, short_hash: str) -> Run:
    """Open a run once per process; a run made again has another hash and is opened anew.

    Args:
        folder: `data/<run>`.
        short_hash: of its manifest, part of the cache's key.

    Raises:
        RunError: the run cannot be used; nothing is cached, so a repaired run works at once.
    """
    del short_hash
    return open_run(folder)
