"""Labels beside a run at a host follow what people do there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backend import remote_labels
from backend.edited_labels import labels_path
from backend.manifest import RunError
from backend.remote import ask_anew
from backend.remote_address import Address
from backend.remote_labels import fetch_labels
from backend.remote_runs import RemoteRun, fetch, remote_run
from backend.store import open_run
from tests.hosts import Bucket, Web

pytest_plugins = ("tests.host_fixtures",)


@pytest.fixture
def planted(bucket: Bucket, fixture_run: Path) -> RemoteRun:
    """The planted run in a bucket."""
    bucket.put(fixture_run)
    return remote_run(Address(bucket.address) / "planted")


@pytest.fixture
def served(web: Web, fixture_run: Path) -> Web:
    """A web server of a copy of the planted run."""
    shutil.copytree(fixture_run, web.folder / "planted")
    return web


@pytest.mark.parametrize("host", ["s3", "web"])
def test_labels_beside_a_run_come_change_and_go(host: str, request: pytest.FixtureRequest) -> None:
    if host == "s3":
        run: RemoteRun = request.getfixturevalue("planted")
        bucket: Bucket = request.getfixturevalue("bucket")

        def put(content: bytes | None) -> None:
            if content is None:
                bucket.remove_file("planted.labels.csv")
            else:
                bucket.put_file("planted.labels.csv", content)
    else:
        served: Web = request.getfixturevalue("served")
        run = remote_run(Address(served.address) / "planted")

        def put(content: bytes | None) -> None:
            path = served.folder / "planted.labels.csv"
            path.unlink() if content is None else path.write_bytes(content)

    here = labels_path(fetch(run))
    fetch_labels(run)
    assert not here.exists()
    for content in (b"sae_id,latent,label\nsae-32,0,1\n", b"sae_id,latent,label\nsae-32,0,2\n"):
        put(content)
        ask_anew(run.address)
        fetch_labels(run)
        assert here.read_bytes() == content
        stamp = here.stat().st_ino
        fetch_labels(run)
        assert here.stat().st_ino == stamp  # not written again, so the run stays open
    opened = open_run(run.folder)
    assert [label.label for label in opened.edited_labels.labels] == ["2"]
    opened.close()
    put(None)
    ask_anew(run.address)
    fetch_labels(run)
    assert not here.exists()


def test_a_label_file_that_is_too_large_is_not_read(
    served: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = remote_run(Address(served.address) / "planted")
    monkeypatch.setattr(remote_labels, "MOST_BYTES", 10)
    (served.folder / "planted.labels.csv").write_text("sae_id,latent,label")
    fetch(planted)
    with pytest.raises(RunError, match=r"planted\.labels\.csv is larger than 10 bytes"):
        fetch_labels(planted)
    assert not labels_path(planted.folder).exists()
