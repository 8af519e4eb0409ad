"""A run at a host comes here as it is there, and nothing else does."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from backend import remote_cache
from backend.manifest import FileRecord, RunError, read_manifest
from backend.remote_address import Address
from backend.remote_cache import cache_size, cached_path
from backend.remote_runs import (
    RemoteRun,
    fetch,
    mend,
    remote_run,
    told_of,
)
from backend.schema import MANIFEST_NAME
from backend.store import open_run
from backend.verify import verify_run
from precompute.writer import write_manifest
from tests.hosts import Bucket, Web

pytest_plugins = ("tests.host_fixtures",)


@pytest.fixture
def served(web: Web, fixture_run: Path) -> Web:
    """A web server of a copy of the planted run."""
    shutil.copytree(fixture_run, web.folder / "planted")
    return web


def at(web: Web, name: str = "planted") -> RemoteRun:
    return remote_run(Address(web.address) / name)


def test_a_fetched_run_has_the_bytes_of_the_original_and_opens(
    bucket: Bucket, fixture_run: Path
) -> None:
    bucket.put(fixture_run)
    planted = remote_run(Address(bucket.address) / "planted")
    assert not planted.is_here
    steps: list[tuple[str, int, int]] = []
    folder = fetch(planted, lambda *step: steps.append(step))
    assert planted.is_here
    assert folder == planted.folder
    assert folder.name == "planted"
    original = {path.name: path.read_bytes() for path in fixture_run.iterdir()}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == original
    assert verify_run(folder) == read_manifest(fixture_run)
    run = open_run(folder)
    assert run.name == "planted"
    assert run.row("select count(*) as n from saes") == {"n": 3}
    run.close()
    # bytes that are here only grow, up to those of all tables
    done = [here for _, here, _ in steps]
    total = sum(record.bytes for record in planted.manifest.files.values())
    assert done == sorted(done)
    assert steps[-1][1:] == (total, total)


def test_a_run_that_is_here_asks_the_host_for_nothing(served: Web) -> None:
    run = at(served)
    fetch(run)
    n_asked = len(served.asked)
    assert fetch(run) == run.folder
    assert len(served.asked) == n_asked


def test_equal_files_of_two_runs_and_two_hosts_are_stored_once(
    bucket: Bucket, served: Web, fixture_run: Path
) -> None:
    bucket.put(fixture_run)
    planted = remote_run(Address(bucket.address) / "planted")
    shutil.copytree(served.folder / "planted", served.folder / "other")
    folders = {fetch(planted), fetch(at(served)), fetch(at(served, "other"))}
    assert len(folders) == 3
    assert served.requests_of("terms.parquet") == []  # it came from the bucket
    tables = len(planted.manifest.files)
    stored = {path.stat().st_ino for folder in folders for path in folder.glob("*.parquet")}
    assert len(stored) == tables
    assert cache_size()[0] == tables + 3  # three manifests


def test_a_disk_without_links_gets_copies(served: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = at(served)

    def refuse(source: Path, path: Path) -> None:
        raise OSError(f"no link from {path} to {source}")

    monkeypatch.setattr(remote_cache.os, "link", refuse)
    assert verify_run(fetch(planted)) == planted.manifest


def test_another_version_has_another_folder(served: Web) -> None:
    first = at(served)
    other = replace(first.manifest, title="Another version")
    write_manifest(served.folder / "planted", other)
    second = at(served)
    assert second.manifest.short_hash != first.manifest.short_hash
    assert second.folder != first.folder
    assert second.folder.name == first.folder.name == "planted"


def test_one_damaged_file_stops_the_run_and_what_is_here_is_kept(served: Web) -> None:
    path = served.folder / "planted" / "terms.parquet"
    content = path.read_bytes()
    path.write_bytes(b"x" + content[1:])
    run = at(served)
    with pytest.raises(RunError, match=r"terms\.parquet is not what its manifest says"):
        fetch(run)
    assert not run.is_here
    path.write_bytes(content)
    assert verify_run(fetch(run)) == run.manifest
    assert len(served.requests_of("saes.parquet")) == 1  # the others were not fetched again


def test_a_run_replaced_while_it_is_fetched_is_told(served: Web) -> None:
    run = at(served)
    (served.folder / "planted" / "saes.parquet").write_bytes(b"another version")
    with pytest.raises(RunError, match="If the run is being replaced there, load this again"):
        fetch(run)


def test_a_run_damaged_in_the_cache_is_mended(served: Web) -> None:
    planted = at(served)
    folder = fetch(planted)
    record: FileRecord = planted.manifest.files["terms"]
    damaged = bytearray(cached_path(record).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    cached_path(record).write_bytes(damaged)  # the run's folder has the same file
    with pytest.raises(RunError, match="SHA-256 differs"):
        verify_run(folder)
    mend(planted)
    assert verify_run(folder) == planted.manifest
    (folder / "saes.parquet").unlink()
    (folder / MANIFEST_NAME).write_text("{}")
    mend(planted)
    assert verify_run(folder) == planted.manifest


def test_errors_of_the_folder_name_the_address(served: Web) -> None:
    planted = at(served)
    with pytest.raises(RunError) as caught, told_of(planted):
        verify_run(planted.folder)
    assert str(caught.value).startswith(f"{planted.address}/{MANIFEST_NAME} is missing")
