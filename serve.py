"""The app with a head start and its downloads: `streamlit run serve.py`.

It reads the first run while the browser loads, and answers the addresses below `download/`.
`streamlit run app.py` shows the same pages; its first visitor then waits for these imports too, and
pages say that downloads need this file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import streamlit as st

from backend.downloads.routes import download_routes
from backend.downloads_html import mark_as_served

LATER_SECONDS = 3.0  # the first page is drawn by then; a search that comes earlier waits


@asynccontextmanager
async def warm(_: st.App) -> AsyncIterator[None]:
    """Start reading without holding up the server; a failure shows on the page, in words."""
    mark_as_served()
    threading.Thread(target=_read_first_run, name="warm", daemon=True).start()
    yield


def _read_first_run() -> None:
    from backend import charts, queries, search  # noqa: F401  imports are most of the time
    from backend.listing import data_dir, list_runs
    from backend.manifest import RunError
    from backend.opener import opened_run
    from backend.tour import tour

    with suppress(RunError):
        for found in list_runs(data_dir())[:1]:
            run = opened_run(found.path, found.short_hash)
            queries.totals(run)  # answers are remembered
            tour(run, queries.saes(run))
            time.sleep(LATER_SECONDS)
            run.load_later_tables()


app = st.App(
    "app.py", lifespan=warm, routes=download_routes(st.get_option("server.baseUrlPath") or "")
)
