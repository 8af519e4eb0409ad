"""What a fresh process loads: no torch for a page, no pyarrow, no Streamlit for a check."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.test_imports import APP, BACKEND, HEAVY, ROOT, imports_of


def _modules_after(code: str) -> set[str]:
    """Top-level packages in `sys.modules` of a fresh interpreter that ran `code`."""
    program = f"import sys\n{code}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_a_process_with_all_that_the_app_imports_never_loads_torch():
    """A page's script runs when it is imported, so its imports stand in for it."""
    names = {name for path in [*APP, *BACKEND] for name in imports_of(path)}
    loaded = _modules_after("import " + ", ".join(sorted(names)))
    assert {"duckdb", "streamlit", "plotly"} <= loaded
    assert not loaded & HEAVY


def test_pages_of_a_run_need_no_pyarrow(fixture_run):
    """It takes 30 MB and 0.1 s of the start, and DuckDB reads every table without it."""
    pages = re.findall(r'st.Page\("(app_pages/\w+\.py)"', (ROOT / "app.py").read_text())
    assert len(pages) > 10
    loaded = _modules_after(
        f"""
import os
os.environ["SUBATOMIC_DATA"] = {str(fixture_run.parent)!r}
from streamlit.testing.v1 import AppTest
app = AppTest.from_file("app.py", default_timeout=60).run()
for page in {pages}:
    app.switch_page(page).run()
    assert not app.exception
"""
    )
    assert {"duckdb", "streamlit"} <= loaded
    assert not loaded & {*HEAVY, "pyarrow"}


def test_check_list_and_an_export_without_weights_need_neither_torch_nor_streamlit():
    loaded = _modules_after("import precompute.__main__, precompute.exports.neuronpedia")
    assert not loaded & {*HEAVY, "streamlit"}
