"""Opening and asking runs."""

from __future__ import annotations

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import run as run_process

import duckdb
import pytest

from backend import queries
from backend.answers import answer
from backend.edited_labels import labels_path
from backend.manifest import RunError
from backend.question import Question
from backend.records import column
from backend.schema import TABLES
from backend.store import PACKED, Run, open_run


def test_damaged_run_is_not_opened(copied_run: Path) -> None:
    (copied_run / "terms.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunError, match=r"terms\.parquet"):
        open_run(copied_run)


def test_every_table_holds_the_rows_of_its_file(run: Run) -> None:
    for name in TABLES:
        found = run.row(f"select count(*) as n from {name}")
        assert found == {"n": run.manifest.files[name].rows}


def test_folder_with_quotes_spaces_and_wildcards(fixture_run: Path, tmp_path: Path) -> None:
    # DuckDB reads * ? [ ] in a path as a pattern, and DDL takes no parameters
    folder = Path(shutil.copytree(fixture_run, tmp_path / "it's [a] *run*"))
    opened = open_run(folder)
    assert opened.row("select count(*) as n from saes") == {"n": 3}
    opened.close()


def test_tables_too_large_for_memory_give_the_same_rows(
    fixture_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.store.MEMORY_BYTES", 0)
    monkeypatch.setattr("backend.store.PACKED_BYTES", 0)
    viewed = open_run(fixture_run)
    viewed.load_later_tables()
    views = viewed.query("select view_name from duckdb_views() where not internal")
    assert set(column(views, "view_name")) >= {*TABLES, "postings", "best_terms"}
    packed = viewed.query("select table_name from duckdb_tables() where database_name = 'packed'")
    assert not {*TABLES, "postings", "best_terms"}.intersection(column(packed, "table_name"))
    for name in TABLES:
        assert viewed.row(f"select count(*) as n from {name}") == {
            "n": viewed.manifest.files[name].rows
        }
    viewed.close()


def test_copies_packed_in_memory_answer_as_the_files_do(
    fixture_run: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.load_later_tables()
    monkeypatch.setattr("backend.store.MEMORY_BYTES", 0)  # every table is a view of its file first
    opened = open_run(fixture_run)
    opened.load_later_tables()
    packed = opened.query("select table_name from duckdb_tables() where database_name = 'packed'")
    assert {*PACKED} <= set(column(packed, "table_name"))
    for name in PACKED:
        everything = f"from {name} order by all"
        assert opened.query(everything) == run.query(everything)
    listed = opened.query("select latents from postings order by file_row")
    assert listed == run.query("select latents from terms")  # a table, in the order of its file
    opened.close()


def test_the_search_index_is_made_once_even_when_many_ask(fixture_run: Path) -> None:
    opened = open_run(fixture_run)
    with ThreadPoolExecutor(8) as pool:
        for asked in [pool.submit(opened.load_later_tables) for _ in range(8)]:
            asked.result()  # a second making of the same tables would raise
    spelled = opened.row("select count(*) as n from words")
    assert spelled == opened.row(
        """select count(distinct fold(term)) as n from terms where "index" = 'fires'"""
    )
    opened.close()


def test_a_search_index_that_could_not_be_made_is_made_later(
    fixture_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.store.MEMORY_BYTES", 0)
    folder = Path(shutil.copytree(fixture_run, tmp_path / "run"))
    opened = open_run(folder)
    examples = folder / opened.manifest.files["examples"].path  # read last, after other tables
    away = examples.rename(tmp_path / "away")
    with pytest.raises(duckdb.Error):
        opened.load_later_tables()
    away.rename(examples)
    opened.load_later_tables()
    assert opened.row("select count(*) as n from best_examples") != {"n": 0}
    opened.close()


def test_parameters_are_values_never_sql(run: Run) -> None:
    hostile = "x'; drop table saes; --"
    assert run.row("select $text as text", text=hostile) == {"text": hostile}
    assert not run.query("from saes where sae_id = $sae_id", sae_id=hostile)
    assert run.row("select count(*) as n from saes") == {"n": 3}


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_text('/etc/hostname')",
        "attach '/tmp/other.duckdb'",
        "install httpfs",
        "set threads = 8",
        "copy (select 1) to '/tmp/stolen.csv'",
    ],
)
def test_database_is_locked_down(run: Run, statement: str) -> None:
    with pytest.raises(duckdb.Error):
        run.query(statement)


def test_every_query_finds_the_metadata_of_files_in_memory(run: Run) -> None:
    # else DuckDB reads the footer of a file again with each question
    found = run.row("select current_setting('parquet_metadata_cache') as is_on")
    assert found == {"is_on": True}


def test_no_row_is_none_or_an_empty_list(run: Run) -> None:
    assert run.row("from saes where false") is None
    assert run.query("select sae_id, k from saes where false") == []


def test_cursors_are_closed_after_an_error(run: Run) -> None:
    for _ in range(20):
        with pytest.raises(duckdb.Error):
            run.query("select no_such_column from saes")
    assert run.row("select count(*) as n from saes") == {"n": 3}


def test_many_threads_ask_at_once(run: Run) -> None:
    def ask(latent: int) -> int:
        row = run.row(
            "select latent from latents where sae_id = 'sae-32' and latent = $i", i=latent
        )
        assert row is not None
        return row["latent"]

    with ThreadPoolExecutor(8) as pool:
        asked = [number % 32 for number in range(160)]
        assert list(pool.map(ask, asked)) == asked


def test_the_app_half_imports_neither_torch_nor_streamlit() -> None:
    code = (
        "import sys, backend.verify, backend.store, backend.queries, backend.search, backend.links;"
        "bad = {'torch', 'sae_lens', 'transformers', 'streamlit'} & set(sys.modules);"
        "assert not bad, bad"
    )
    root = Path(__file__).resolve().parents[2]
    done = run_process([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_labels_from_the_file_beside_a_run_stand_everywhere(copied_run: Path) -> None:
    labels_path(copied_run).write_text(
        "sae_id,latent,label,decoder_sha256,source\nsae-32,0,relativity,,person\nsae-32,999,x,,\n",
        encoding="utf-8",
    )
    run = open_run(copied_run)
    shown = queries.latent(run, "sae-32", 0)
    assert shown is not None
    assert (shown.label, shown.label_source, shown.label_auc) == ("relativity", "person", None)
    untouched = queries.latent(run, "sae-32", 1)
    assert untouched is not None
    assert (untouched.label, untouched.label_source) == ("berlin", "term")
    found = answer(run, Question(text="relativity")).rows
    assert [(row["latent"], row["matched_in"]) for row in found] == [(0, "label")]
    assert len(run.edited_labels.problems) == 1  # the index that the SAE does not have
    run.close()
