"""The manifest of a run at a host: anybody may have written it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend import remote_runs
from backend.manifest import RunError, read_manifest
from backend.remote_address import Address, NotThereError
from backend.remote_runs import RemoteRun, fetch, is_run_name, remote_run
from backend.schema import MANIFEST_NAME, SCHEMA_VERSION
from precompute.writer import write_manifest
from tests.hosts import Bucket, Web

pytest_plugins = ("tests.host_fixtures",)


@pytest.fixture
def served(web: Web, fixture_run: Path) -> Web:
    """A web server of a copy of the planted run."""
    shutil.copytree(fixture_run, web.folder / "planted")
    return web


def at(web: Web) -> RemoteRun:
    return remote_run(Address(web.address) / "planted")


def forge(web: Web, table: str = "terms", **changes: Any) -> None:
    """Write a manifest that is valid in itself and says something else of a table's file."""
    folder = web.folder / "planted"
    manifest = read_manifest(folder)
    record = replace(manifest.files["terms"], **changes)
    files = {name: found for name, found in manifest.files.items() if name != "terms"}
    write_manifest(folder, replace(manifest, files={**files, table: record}))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"path": "../terms.parquet"}, r"names '\.\./terms\.parquet' as file of table terms"),
        ({"path": "/etc/passwd"}, r"names '/etc/passwd' as file of table terms"),
        ({"path": "saes.parquet"}, r"names 'saes\.parquet' as file of table terms"),
        ({"path": ["terms.parquet"]}, r"names \['terms\.parquet'\] as file"),
        ({"table": "../../evil"}, r"names a table '\.\./\.\./evil'"),
        ({"sha256": "../../../evil"}, r"gives no SHA-256 of terms\.parquet"),
        ({"sha256": "A" * 64}, r"gives no SHA-256"),
        ({"sha256": "a" * 64 + "\n"}, r"gives no SHA-256"),
        ({"sha256": 7}, r"gives no SHA-256"),
        ({"bytes": -1}, r"gives -1 as size"),
        ({"bytes": True}, r"gives True as size"),
        ({"bytes": "9"}, r"gives '9' as size"),
    ],
    ids=str,
)
def test_a_forged_manifest_reaches_no_file_of_this_machine(
    cache: Path, served: Web, changes: dict[str, Any], fault: str
) -> None:
    forge(served, **changes)
    with pytest.raises(RunError, match=fault) as caught:
        at(served)
    assert f"{served.address}/planted/{MANIFEST_NAME}" in str(caught.value)
    assert not cache.exists()  # nothing was written, nothing but the manifest was asked
    assert [path for path, _ in served.asked] == [f"/planted/{MANIFEST_NAME}"]


def test_a_size_beyond_the_disk_is_refused_before_anything_is_fetched(served: Web) -> None:
    forge(served, bytes=10**18)
    with pytest.raises(RunError, match="is full"):
        fetch(at(served))
    assert [path for path, _ in served.asked] == [f"/planted/{MANIFEST_NAME}"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "cannot be read as JSON"),
        (b"<html>please log in</html>", "cannot be read as JSON"),
        (b"{}", "has schema version None"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b" " * (remote_runs.LARGEST_MANIFEST + 1), "is larger than 4,000,000 bytes"),
    ],
    ids=["empty", "a page", "an object", "deep", "large"],
)
def test_what_is_no_manifest_is_told_with_its_address(
    served: Web, content: bytes, fault: str
) -> None:
    (served.folder / "planted" / MANIFEST_NAME).write_bytes(content)
    with pytest.raises(RunError, match=fault) as caught:
        at(served)
    assert f"{served.address}/planted/{MANIFEST_NAME}" in str(caught.value)


def test_a_run_of_another_schema_version_says_so(served: Web) -> None:
    folder = served.folder / "planted"
    write_manifest(folder, replace(read_manifest(folder), schema_version=SCHEMA_VERSION + 1))
    with pytest.raises(RunError, match=f"has schema version {SCHEMA_VERSION + 1}, this app reads"):
        at(served)


def test_a_folder_without_a_manifest_is_no_run(bucket: Bucket) -> None:
    bucket.put_file("half/terms.parquet", b"PAR1")
    with pytest.raises(NotThereError):
        remote_run(Address(bucket.address) / "half")


@pytest.mark.parametrize("name", ["minilm", "gpt2 small (2)", "a.b-c_d,e=f@g+h", "Größe", "模型"])
def test_names_that_runs_have(name: str) -> None:
    assert is_run_name(name)


@pytest.mark.parametrize(
    "name", ["", "..", ".hidden", "a/b", "a\\b", "a\nb", "a:b", "<b>", "`", "a" * 101, " ", "-f"]
)
def test_names_that_no_run_may_have(name: str) -> None:
    assert not is_run_name(name)
    with pytest.raises(RunError):
        remote_run(Address("http://127.0.0.1:9") / name)
