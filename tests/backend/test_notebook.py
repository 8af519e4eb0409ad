"""The example queries run as they are, and answer what the pages answer."""

from __future__ import annotations

import ast
import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from backend import notebook, queries, stitching
from backend.notebook import Snippet
from backend.store import Run


class Session:
    """A notebook: cells share their names, the last line of each is its answer."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}

    def run(self, cell: Snippet) -> Any:
        *body, last = ast.parse(cell.code).body
        assert isinstance(last, ast.Expr), "a cell ends with its answer"
        exec(compile(ast.Module(body, []), cell.title, "exec"), self.names)
        found = eval(compile(ast.Expression(last.value), cell.title, "eval"), self.names)
        return found.fetchall() if isinstance(found, duckdb.DuckDBPyRelation) else found


@pytest.fixture
def answers(run: Run, fixture_run: Path, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The answer of every cell by its title; the files lie where the first cell looks for them."""
    shutil.copytree(fixture_run, tmp_path / "planted")
    with contextlib.chdir(tmp_path):
        session = Session()
        yield {cell.title: session.run(cell) for cell in notebook.snippets(run, "")}
        session.names["db"].close()


def test_every_cell_answers_what_the_pages_answer(answers: dict[str, Any], run: Run) -> None:
    featured = queries.featured_decompositions(run, 1)[0]
    latent, rows = featured["latent"], queries.components(run, "meta-4", featured["latent"])
    decomposition = answers["A decomposition"]
    assert [row[:3] for row in decomposition] == [
        (row["meta_latent"], row["label"], row["activation"]) for row in rows
    ]
    first, second = (row["meta_latent"] for row in rows[:2])

    members = {m: {row["latent"] for row in queries.members(run, "meta-4", m, 500)}
               for m in (first, second)}  # fmt: skip
    assert {row[0] for row in answers["Latents with these parts"]} == (
        members[first] & members[second]
    )
    shown = answers["The members of a meta-latent"]
    assert [row[0] for row in shown] == [
        row["latent"] for row in queries.members(run, "meta-4", first)
    ]
    assert all(row[3] in ([row[1]], []) for row in shown), "each fires on its own word"

    novel = stitching.pair_latents(run, "sae-8", "sae-32", "novel", "", "change", 25)
    assert [row[0] for row in answers["Novel latents"]] == [row["latent"] for row in novel]

    cosines = dict(answers["Directions and cosines"])
    assert latent is not None
    for row in rows:
        assert cosines[row["meta_latent"]] == pytest.approx(row["cosine"], abs=0.01)


def test_the_first_cell_lists_the_saes(answers: dict[str, Any]) -> None:
    assert [row[:3] for row in answers["The files"]] == [
        ("sae-8", "sae", 8),
        ("sae-32", "sae", 32),
        ("meta-4", "meta", 4),
    ]


def test_the_first_cell_downloads_from_the_address_of_the_reader(run: Run) -> None:
    code = notebook.snippets(run, "http://host:8/base/")[0].code
    assert "address = 'http://host:8/base/download/table'" in code
    assert f"parquet?run=planted&h={run.manifest.short_hash}" in code


def test_a_hostile_name_of_a_run_stays_a_string(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "name", "'); import os #\n{x}")
    for cell in notebook.snippets(run, "http://h/"):
        tree = ast.parse(cell.code)
        imported = [n for n in ast.walk(tree) if isinstance(n, ast.Import)]
        assert {a.name for n in imported for a in n.names} <= {"duckdb", "numpy"}


def test_the_notebook_file_has_every_cell(run: Run) -> None:
    cells = notebook.snippets(run, "")
    body = json.loads(json.dumps(notebook.as_ipynb(cells)))
    assert body["nbformat"] == 4
    code = [cell["source"] for cell in body["cells"] if cell["cell_type"] == "code"]
    assert code == [cell.code for cell in cells]
    assert len({cell["id"] for cell in body["cells"]}) == 2 * len(cells)
