"""Who may import whom, and where SQL and outside addresses may stand: read off the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "app_pages").glob("*.py"))
APP = [ROOT / "app.py", ROOT / "serve.py", *PAGES]
BACKEND = sorted((ROOT / "backend").rglob("[a-z]*.py"))
TABLES = {
    f"tables.{name}"
    for name in (
        "columns",
        "decompositions",
        "directions",
        "evidence",
        "experiments",
        "saes",
        "stitching",
        "trust",
        "types",
    )
}
PRECOMPUTE = sorted((ROOT / "precompute").rglob("*.py"))

ABOVE = {"app", "serve", "app_pages"}
HEAVY = {"torch", "sae_lens", "transformers", "transformer_lens", "sklearn", "scipy", "pandas"}
WITH_STREAMLIT = {*APP, ROOT / "backend" / "urlstate.py", ROOT / "backend" / "opener.py"}
_SQL_NAMES = (
    "answer_rows", "answers", "asked", "asked_rows", "compare", "compare_saes", "contexts",
    "decompositions", "derived_tables", "directions", "downloads/queries", "experiments",
    "featured", "in_common", "later_tables", "latent_map", "map_shared", "notebook", "own_text",
    "queries", "search", "splitting", "stitching", "store", "tour", "trust", "trust_names",
    "verify",
)  # fmt: skip
WITH_SQL = {ROOT / "backend" / f"{name}.py" for name in _SQL_NAMES}
_CONTRACT = (
    "schema",
    "manifest",
    "verify",
    "edited_labels",
    "kept_model",
    "elsewhere",
    "elsewhere_file",
    *TABLES,
)
PRECOMPUTE_MAY_IMPORT = {f"backend.{name}" for name in _CONTRACT}
# pages compose; SQL, Parquet and checks of files stay behind these modules
PAGES_MAY_NOT_IMPORT = {
    f"backend.{name}" for name in ("verify", "decompositions", "featured", "bounds")
}
_REMOTE = ("remote", "remote_address")
_BESIDE = ("remote_labels", "remote_imported", "remote_model")
_LISTS = ("remote_imported", "remote_listing")
# below each module, what it may know of the backend; the rest of the backend draws or asks
LOWEST = {
    "tables/types": set(),
    "tables/columns": {"tables.types"},
    **{
        name.replace(".", "/"): {"tables.columns", "tables.types"}
        for name in sorted(TABLES - {"tables.columns", "tables.types"})
    },
    "schema": TABLES,
    "bounds": set(),
    "manifest": {"schema"},
    "row_order": set(),
    "verify": {"schema", "manifest", "row_order", "tables.columns", "tables.types"},
    "records": set(),
    "line_messages": set(),
    "edited_labels": {"line_messages"},
    "elsewhere_file": set(),
    "elsewhere": {"elsewhere_file"},
    "remote_address": {"manifest"},
    "remote": {"manifest", "remote_address"},
    "remote_cache": {"manifest", "remote", "remote_address"},
    "remote_runs": {"manifest", "remote", "remote_address", "remote_cache", "schema", "verify"},
    "remote_labels": {"edited_labels", *_REMOTE, "remote_cache", "remote_runs"},
    "remote_model": {"kept_model", "manifest", *_REMOTE, "remote_cache", "remote_runs"},
    "remote_imported": {"elsewhere", "manifest", *_REMOTE, "remote_cache", "remote_runs"},
    "remote_listing": {"manifest", *_REMOTE, "remote_cache", *_BESIDE, "remote_runs", "schema"},
    "remote_fetching": {"manifest", *_BESIDE, "remote_listing", "remote_runs"},
    "listing": {"elsewhere", "schema", "manifest", "remote_address", *_LISTS},
    "derived_tables": set(),
    "later_tables": {"facets", "schema"},
    "question": {"bounds", "schema"},
    "sum_question": {"question"},
    "facets": {"question"},
    "store": {
        "schema",
        "manifest",
        "records",
        "verify",
        "derived_tables",
        "edited_labels",
        "later_tables",
    },
}
DRAWING = (
    "absorption_answers", "ask_charts", "ask_html", "charts", "citation", "compare_html",
    "compare_near_html", "compare_pairs_html", "compare_saes_html", "compare_text_html",
    "concerned_html", "data_html", "decomposition_svg", "downloads_html", "edit_charts",
    "edit_example_html", "edit_figures", "edit_html", "elsewhere_html", "equation_html",
    "error_answers", "evidence_html", "experiment_answers", "experiment_charts",
    "experiment_families", "experiment_figures", "experiment_html", "experiment_marks",
    "experiment_terms", "facets", "facets_html", "heads_html", "hits_html", "label_html",
    "lists_html", "map_area", "map_charts", "map_html", "near_duplicates", "own_text_html",
    "own_text_lists_html", "pursuit_answers", "question", "reading", "resistance_charts",
    "resistance_figures", "resistance_html", "resistance_lower_html", "steering_charts",
    "steering_figures", "steering_html", "sum_question", "text_html", "token_html", "token_pieces",
    "trust_bars", "trust_cards_html", "trust_charts", "trust_checks_html", "trust_cosines",
    "trust_figures", "trust_html", "trust_names_html", "trust_sizes_html",
)  # fmt: skip
SQL = re.compile(
    r"\b(select\s+[\w*,.\s\"(]+\s+from|insert\s+into|create\s+(table|view|macro)"
    r"|from\s+\w+\s+(where|join|group|order)\b|(left|inner)\s+join)\b",
    re.IGNORECASE,
)
OUTSIDE = re.compile(r"https?://")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports_of(path: Path) -> Iterator[str]:
    """Dotted names of everything a module imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)}: relative import"
            assert node.module is not None
            if node.module in ("backend", "precompute", "app_pages"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module


def _strings(path: Path, with_docstrings: bool = False) -> Iterator[str]:
    """String literals of a module, f-strings put together."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docstrings.add(id(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (v.value if isinstance(v, ast.Constant) else "x" for v in node.values)
            yield "".join(map(str, parts))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and (with_docstrings or id(node) not in docstrings)
        ):
            yield node.value


def _tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports_of(path)}


def test_there_is_something_to_check():
    assert len(PAGES) > 3
    assert len(BACKEND) > 10
    assert len(PRECOMPUTE) > 20


@pytest.mark.parametrize("path", [*APP, *BACKEND], ids=_name)
def test_the_app_imports_nothing_of_precompute_and_nothing_heavy(path):
    assert not _tops(path) & {*HEAVY, "precompute"}


@pytest.mark.parametrize("path", [*APP, *BACKEND, *PRECOMPUTE], ids=_name)
def test_streamlit_is_imported_where_it_draws_or_reads_the_address_only(path):
    assert "streamlit" not in _tops(path) or path in WITH_STREAMLIT


@pytest.mark.parametrize("path", PRECOMPUTE, ids=_name)
def test_precompute_knows_the_contract_and_nothing_else_of_the_app(path):
    allowed = set(PRECOMPUTE_MAY_IMPORT)
    if path.name == "finished_runs.py":  # `list` and `check` find runs as the app does
        names = ("remote", "remote_address", "remote_cache", "remote_model", "remote_runs")
        allowed |= {"backend.listing", *(f"backend.{name}" for name in names)}
    known = {n for n in imports_of(path) if n.split(".")[0] in ("backend", *ABOVE)}
    assert known <= allowed


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_pages_ask_through_queries_and_never_reach_below(path):
    names = set(imports_of(path))
    assert not names & PAGES_MAY_NOT_IMPORT
    assert not _tops(path) & {"duckdb", "pyarrow"}


@pytest.mark.parametrize("path", BACKEND, ids=_name)
def test_the_backend_never_imports_a_page(path):
    assert not _tops(path) & ABOVE


@pytest.mark.parametrize(("name", "allowed"), LOWEST.items())
def test_the_lowest_modules_know_only_those_below_them(name, allowed):
    names = imports_of(ROOT / "backend" / f"{name}.py")
    assert {n.removeprefix("backend.") for n in names if n.startswith("backend.")} <= allowed


@pytest.mark.parametrize("name", DRAWING)
def test_modules_that_draw_ask_no_run(name):
    path = ROOT / "backend" / f"{name}.py"
    assert "backend.store" not in set(imports_of(path))
    assert not _tops(path) & {"duckdb", "pyarrow"}


@pytest.mark.parametrize("path", [*APP, *BACKEND], ids=_name)
def test_sql_stands_only_in_the_modules_that_ask(path):
    if path in WITH_SQL:
        assert any(SQL.search(text) for text in _strings(path)), "no SQL left: drop it here"
    else:
        assert not [text for text in _strings(path) if SQL.search(text)]


@pytest.mark.parametrize("path", [*APP, *BACKEND], ids=_name)
def test_outside_addresses_stand_only_in_links(path):
    found = [text for text in _strings(path, with_docstrings=True) if OUTSIDE.search(text)]
    assert not found or path == ROOT / "backend" / "links.py"


def test_three_modules_alone_may_download():
    """These calls may reach the hub; everyone else is handed a model or an SAE."""
    reaching = {"from_pretrained", "snapshot_download", "load_sae_config_from_huggingface"}
    callers = {
        str(path.relative_to(ROOT / "precompute"))
        for path in PRECOMPUTE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in reaching)
        or (isinstance(node, ast.Name) and node.id in reaching)
    }
    assert callers == {"sources.py", "published/conversion.py", "published/finding.py"}
