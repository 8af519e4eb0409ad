"""One page's script through Streamlit's AppTest, kept open in a process of its own.

In a module of its own, because AppTest puts the app in the place of `__main__`, where a process
that is sent functions would look for them.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

SECONDS_AT_MOST = 180.0
# says at every start that there is no server, which is so by design
logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").disabled = True
_opened: dict[Path, AppTest] = {}


def rerun(script: Path, page: str | None, parameters: dict[str, str]) -> tuple[float, float]:
    """Run a page's script with these parameters in its address.

    Args:
        script: the app; opened by the first call, which does not count.
        page: file of the page, relative to the script; None for the app's only one.

    Returns:
        Wall and processor time in ms.

    Raises:
        RuntimeError: the page failed.
    """
    if script not in _opened:
        app = AppTest.from_file(str(script), default_timeout=SECONDS_AT_MOST).run()
        _opened[script] = app if page is None else app.switch_page(page)
        if page is not None:
            _load_later_tables()
    app = _opened[script]
    for name, value in parameters.items():
        app.query_params[name] = value
    started, worked = time.perf_counter(), time.process_time()
    app.run()
    times = 1000 * (time.perf_counter() - started), 1000 * (time.process_time() - worked)
    if app.exception:
        raise RuntimeError(f"{script.name} {parameters}: {app.exception[0].message}")
    return times


def _load_later_tables() -> None:
    """What a server of the app has in memory a few seconds after its start (`serve.py`)."""
    from backend.listing import data_dir, list_runs
    from backend.opener import opened_run

    first = list_runs(data_dir())[0]
    opened_run(first.path, first.short_hash).load_later_tables()
