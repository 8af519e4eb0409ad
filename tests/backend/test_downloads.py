"""Every list that can be taken away, in every format, against what the pages' queries answer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from backend import queries, splitting, stitching, trust
from backend.answers import every_answer
from backend.downloads import of_runs
from backend.downloads.answers import LISTS, Answer, answer, overview
from backend.downloads.asked import DownloadError
from backend.downloads.formats import plain_value
from backend.question import Question, parse_question
from backend.schema import TABLES
from backend.store import Run
from tests.planted import labels, weights

TODAY = date(2031, 2, 3)
WIDE_0 = {"sae": "sae-32", "latent": "0"}
GIVEN: dict[str, dict[str, str]] = {
    "saes": {},
    "measurements": {},
    "labels": {},
    "hits": {"q": "einstein"},
    "stitching": {"small": "sae-8", "large": "sae-32"},
    "curve": {"small": "sae-8", "large": "sae-32"},
    "members": {"sae": "meta-4", "latent": "1"},
    "splitting": {"sae": "sae-8", "latent": "0"},
}
Take = Callable[..., Answer]


@pytest.fixture
def take(fixture_run: Path, monkeypatch: pytest.MonkeyPatch) -> Take:
    monkeypatch.setenv("SUBATOMIC_DATA", str(fixture_run.parent))

    def taken(file: str, **given: str) -> Answer:
        return answer(file, given, "http://somewhere/", TODAY)

    return taken


def read_csv(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


@pytest.mark.parametrize("name", LISTS)
def test_all_formats_of_a_list_hold_the_same_rows_with_the_declared_columns(
    take: Take, name: str
) -> None:
    given = GIVEN.get(name, WIDE_0)
    body = json.loads(take(f"{name}.json", **given).body)
    rows = body["rows"]
    table = pq.read_table(io.BytesIO(take(f"{name}.parquet", **given).body))
    cells = read_csv(take(f"{name}.csv", **given).body)
    columns = LISTS[name].columns

    assert rows, "the planted run has an answer to each"
    assert len(rows) == table.num_rows == len(cells)
    assert list(rows[0]) == table.column_names == list(cells[0]) == [c.name for c in columns]
    assert [field.type for field in table.schema] == [column.type.arrow for column in columns]
    for place, stored in enumerate(table.to_pylist()):
        for column in columns:
            value = plain_value(stored[column.name], column.type)
            assert rows[place][column.name] == value, column.name
            assert _same(cells[place][column.name], value), column.name


def _same(cell: str, value: Any) -> bool:
    if value is None or isinstance(value, str):
        return cell.removeprefix("'") == (value or "").removeprefix("'")
    return json.loads(cell) == value


def test_lists_are_what_the_pages_show(take: Take, run: Run) -> None:
    def taken(name: str, **given: str) -> list[dict[str, Any]]:
        return json.loads(take(f"{name}.json", **given).body)["rows"]

    expected = {
        "components": queries.components(run, "meta-4", 0),
        "examples": queries.examples(run, "sae-32", 0),
        "neighbours": queries.neighbours(run, "sae-32", 0),
        "novelty": stitching.novelty(run, "sae-32", 0),
        "ancestors": trust.ancestors(run, "sae-32", 0),
        "methods": trust.other_decompositions(run, "sae-32", 0),
        "splitting": splitting.descendants(run, "sae-8", 0),
        "hits": every_answer(run, Question(text="einstein"), 500),
        "measurements": queries.measurements(run),
        "saes": queries.saes(run),
        "curve": stitching.curve(run, "sae-8", "sae-32"),
        "stitching": stitching.pair_latents(run, "sae-8", "sae-32", None, "", "", 500),
        "members": queries.members(run, "meta-4", 1, 500),
    }
    for name, rows in expected.items():
        kinds = {column.name: column.type for column in LISTS[name].columns}
        got = taken(name, **GIVEN.get(name, WIDE_0))
        assert len(got) == len(rows), name
        for mine, row in zip(got, rows, strict=True):
            for key in kinds.keys() & row.keys():
                assert mine[key] == plain_value(row[key], kinds[key]), (name, key)
    assert {row["term"] for row in taken("terms", **WIDE_0)} >= {"einstein", "##s", "<b>no</b>"}
    # 8 planted words hold a part of scientist, meta-latent 1
    scientists = [i for i in range(32) if weights(i)[1] > 0]
    members = taken("members", **GIVEN["members"])
    assert sorted(row["latent"] for row in members) == scientists


def test_filters_of_a_pair_reach_its_list(take: Take) -> None:
    given = {**GIVEN["stitching"], "kind": "novel", "q": "last", "sort": "change"}
    rows = read_csv(take("stitching.csv", **given).body)
    assert [(row["label"], row["kind"]) for row in rows] == [("last", "novel")]


def test_every_label_is_in_the_label_file_with_the_hash_of_its_sae(take: Take) -> None:
    answer_ = take("labels.csv", sae="sae-32")
    rows = read_csv(answer_.body)
    assert [row["label"].removeprefix("'") for row in rows] == labels()
    assert list(rows[0])[:4] == ["sae_id", "latent", "label", "decoder_sha256"]
    assert {row["decoder_sha256"] for row in rows} == {f"{'sae-32':0>64}"[:12]}
    assert answer_.name == "planted-sae-32-labels.csv"
    assert len(read_csv(take("labels.csv").body)) == 8 + 32 + 4


def test_hits_are_all_of_them_up_to_the_limit(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = read_csv(take("hits.csv", q="e").body)
    assert len(everything) > 20  # more than one page of the search
    monkeypatch.setattr(of_runs, "MOST_HITS", 7)
    assert read_csv(take("hits.csv", q="e").body) == everything[:7]


def test_a_list_that_is_too_long_says_how_to_get_it(
    take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_runs, "MOST_ROWS_TAKEN", 40)
    with pytest.raises(DownloadError, match=r"name one SAE with sae=") as refused:
        take("labels.csv")
    assert refused.value.status == 400
    assert len(read_csv(take("labels.csv", sae="sae-32").body)) == 32


def test_a_list_without_rows_still_has_its_columns(take: Take) -> None:
    given = {"sae": "sae-32", "latent": "30"}  # has no component
    assert json.loads(take("components.json", **given).body)["rows"] == []
    assert read_csv(take("components.csv", **given).body) == []
    table = pq.read_table(io.BytesIO(take("components.parquet", **given).body))
    assert table.column_names == [column.name for column in LISTS["components"].columns]


def test_files_say_which_run_they_come_from(take: Take, run: Run) -> None:
    body = json.loads(take("components.json", **WIDE_0).body)
    assert (body["run"], body["content_hash"]) == ("planted", run.manifest.content_hash)
    assert body["asked"] == {"sae": "sae-32", "latent": 0}
    schema = pq.read_schema(io.BytesIO(take("components.parquet", **WIDE_0).body))
    assert (schema.metadata or {})[b"content_hash"].decode() == run.manifest.content_hash
    share = schema.field("share")
    assert b"signed" in (share.metadata or {})[b"meaning"]


def test_a_whole_table_is_the_file_itself(take: Take, run: Run) -> None:
    for name in TABLES:
        found = take(f"table/{name}.parquet")
        assert found.path == run.folder / f"{name}.parquet"
        assert found.etag == f'"{run.manifest.files[name].sha256}"'
    assert take("manifest.json").path == run.folder / "manifest.json"


def test_the_schema_file_names_every_column(take: Take) -> None:
    tables = {table["name"]: table for table in json.loads(take("schema.json").body)["tables"]}
    for table in TABLES.values():
        written_ = tables[table.name]
        assert [c["name"] for c in written_["columns"]] == table.arrow.names
        assert written_["key"] == list(table.key)


@pytest.mark.parametrize(
    ("file", "given", "status", "told"),
    [
        ("nothing.csv", {}, 404, "Addresses below download/"),
        ("saes.exe", {}, 404, "There is no download"),
        ("components.csv", {}, 400, "Add sae=... to the address"),
        ("components.csv", {"sae": "sae-32"}, 400, "Add latent=..."),
        ("components.csv", {"sae": "sae-8", "latent": "0"}, 404, "Possible: sae-32"),
        ("members.csv", {"sae": "sae-8", "latent": "0"}, 404, "Possible: meta-4"),
        ("latent.csv", {"sae": "sae-8", "latent": "8"}, 404, "they go from 0 to 7"),
        ("latent.csv", {"sae": "sae-8", "latent": "-1"}, 404, "no latent “-1”"),
        ("latent.csv", {"sae": "sae-8", "latent": "9" * 5000}, 404, "they go from 0 to 7"),
        ("latent.csv", {"sae": "sae-8", "latent": "٣"}, 404, "they go from 0 to 7"),
        ("latent.csv", {"sae": "'; drop", "latent": "0"}, 404, "Possible: sae-8, sae-32"),
        ("saes.csv", {"sea": "1"}, 400, "There is no parameter “sea”"),
        ("saes.csv", {"run": "../planted"}, 404, "Possible: planted"),
        ("saes.csv", {"h": "0" * 12}, 404, "made for version"),
        ("hits.csv", {"q": "a", "index": "x"}, 400, "index cannot be “x”"),
        ("measurements.csv", {"experiment": "\u202ex"}, 404, "[U+202E]x"),
        ("stitching.csv", {"small": "sae-32", "large": "sae-8"}, 404, "small=sae-8 large=sae-32"),
        ("table/../manifest.parquet", {}, 404, "There is no table"),
        ("table/nothing.parquet", {}, 404, "Possible: "),
        ("decomposition.svg", {"sae": "sae-8", "latent": "0"}, 404, "Possible: sae-32"),
        ("manifest.json", {"x": "1"}, 400, "There is no parameter"),
    ],
)
def test_a_wrong_address_is_answered_in_words(
    take: Take, file: str, given: dict[str, str], status: int, told: str
) -> None:
    with pytest.raises(DownloadError) as refused:
        take(file, **given)
    assert refused.value.status == status
    assert told in str(refused.value)
    assert len(str(refused.value)) < 6000


def test_the_right_content_hash_is_accepted(take: Take, run: Run) -> None:
    assert take("saes.csv", h=run.manifest.short_hash).body


def test_the_overview_names_everything() -> None:
    told = overview()
    for name in (*LISTS, *TABLES, "decomposition", "manifest.json", "notebook.ipynb"):
        assert name in told


def test_hits_are_those_of_the_whole_question(take: Take, run: Run) -> None:
    asked = {"with": "meta-4/1", "parts": "2..", "sort": "rare"}
    question = parse_question(asked, ())
    rows = read_csv(take("hits.csv", **asked).body)
    found = [(row["sae_id"], int(row["latent"])) for row in rows]
    assert found == [(r["sae_id"], r["latent"]) for r in every_answer(run, question, 100)]
    assert len(found) >= 3
    with pytest.raises(DownloadError, match="regular expression"):
        take("hits.csv", q="(", way="regex")
