"""Which places are asked, what they hold, and which of two runs with one name is shown."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from backend.listing import (
    DEFAULT_DATA,
    Places,
    data_dir,
    list_notes,
    list_problems,
    list_runs,
    places,
    write_runs_list,
)
from backend.manifest import RunError, read_manifest
from backend.remote_address import Address
from backend.schema import MANIFEST_NAME
from precompute.writer import write_manifest
from tests.hosts import Bucket, Web

pytest_plugins = ("tests.host_fixtures",)


def test_valid_runs_are_listed_and_broken_ones_explained(fixture_run: Path, tmp_path: Path) -> None:
    for name in ("b", "a", "broken"):
        shutil.copytree(fixture_run, tmp_path / name)
    (tmp_path / "broken" / MANIFEST_NAME).write_text("{}")
    (tmp_path / "unrelated").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "file.txt").write_text("")
    listed = list_runs(tmp_path)
    assert [summary.name for summary in listed] == ["a", "b"]
    assert listed[0].short_hash == read_manifest(fixture_run).content_hash[:12]
    assert listed[0].path == tmp_path / "a"
    assert listed[0].title == "Planted fixture <b>run</b>"
    assert listed[0].n_latents == 8 + 32 + 4  # two SAEs and a meta-SAE
    [problem] = list_problems(tmp_path)
    assert problem.name == "broken"
    assert "schema version None" in problem.message


def test_half_written_run_is_not_listed_but_explained(copied_run: Path) -> None:
    (copied_run / MANIFEST_NAME).unlink()
    assert list_runs(copied_run.parent) == []
    [problem] = list_problems(copied_run.parent)
    assert "is missing, so the run is not complete" in problem.message


def test_empty_absent_or_wrong_data_folder_holds_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path, tmp_path / "absent", tmp_path / "file"):
        assert list_runs(folder) == []
        assert list_problems(folder) == []


def test_places_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBATOMIC_DATA", "/somewhere/else")
    assert data_dir() == Places((Path("/somewhere/else"),))
    monkeypatch.delenv("SUBATOMIC_DATA")
    assert data_dir() == Places((DEFAULT_DATA,))
    assert DEFAULT_DATA.name == "data"


def test_commas_part_places_and_spaces_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    found = places("~/my runs, s3://bucket/runs/ ,https://host/a%2Cb,")
    bucket, web = Address("s3://bucket/runs"), Address("https://host/a%2Cb")
    assert found == Places((Path("/home/anna/my runs"), bucket, web))
    assert str(found) == "/home/anna/my runs, s3://bucket/runs, https://host/a%2Cb"
    folder = tmp_path / "runs, old and new"
    assert len(places(str(folder)).places) == 2
    folder.mkdir()
    assert places(str(folder)) == Places((folder,))


def test_runs_of_all_places_are_listed_together_by_name(
    fixture_run: Path, tmp_path: Path, web: Web, bucket: Bucket
) -> None:
    shutil.copytree(fixture_run, tmp_path / "b")
    shutil.copytree(fixture_run, web.folder / "c")
    write_runs_list(web.folder)
    bucket.put(fixture_run, "a")
    where = places(f"{tmp_path},{web.address}/,{bucket.address}")
    found = list_runs(where)
    assert [(run.name, run.address) for run in found] == [
        ("a", f"{bucket.address}/a"),
        ("b", ""),
        ("c", f"{web.address}/c"),
    ]
    assert {run.short_hash for run in found} == {read_manifest(fixture_run).short_hash}
    assert list_problems(where) == []
    assert list_notes(where) == []


def test_of_two_runs_with_one_name_the_first_place_wins_and_it_is_told(
    fixture_run: Path, tmp_path: Path, web: Web
) -> None:
    shutil.copytree(fixture_run, tmp_path / "planted")
    there = web.folder / "planted"
    shutil.copytree(fixture_run, there)
    write_runs_list(web.folder)
    where = places(f"{tmp_path},{web.address}")
    assert list_notes(where) == []  # the same content twice is one run
    write_manifest(there, replace(read_manifest(there), title="Another version"))
    fresh = Places((Path(tmp_path), Address(f"{web.address}/.")))  # not asked yet
    assert [run.address for run in list_runs(fresh)] == [""]
    [note] = list_notes(fresh)
    assert f"{web.address}/./planted is not shown, because {tmp_path / 'planted'} has the" in note
    turned = Places(fresh.places[::-1])
    assert [run.title for run in list_runs(turned)] == ["Another version"]


def test_a_place_out_of_reach_hides_no_other(
    cache: Path, fixture_run: Path, tmp_path: Path
) -> None:
    del cache
    shutil.copytree(fixture_run, tmp_path / "planted")
    where = places(f"ftp://host/runs,{tmp_path}")
    assert [run.name for run in list_runs(where)] == ["planted"]
    [problem] = list_problems(where)
    assert problem.name == "ftp://host/runs"
    assert list_notes(where) == [problem.message]


def test_the_list_for_a_web_server_names_valid_runs(fixture_run: Path, tmp_path: Path) -> None:
    for name in ("Größe", "a b", "broken"):
        shutil.copytree(fixture_run, tmp_path / name)
    (tmp_path / "broken" / MANIFEST_NAME).write_text("{}")
    path = write_runs_list(tmp_path)
    assert path == tmp_path / "runs.json"
    assert json.loads(path.read_text(encoding="utf-8")) == ["Größe", "a b"]
    with pytest.raises(RunError, match="There is no run in"):
        write_runs_list(tmp_path / "broken")
