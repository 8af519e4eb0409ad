"""What is at a host is asked rarely, shown at once, and still known when the host is silent."""

from __future__ import annotations

import json
import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from backend import remote_listing
from backend.edited_labels import labels_path
from backend.listing import write_runs_list
from backend.manifest import RunError, read_manifest
from backend.remote_address import Address
from backend.remote_listing import RemotePlace, place, run_in
from backend.remote_runs import fetch
from backend.schema import MANIFEST_NAME
from precompute.writer import write_manifest
from tests.hosts import Bucket, Web, forget_hosts

pytest_plugins = ("tests.host_fixtures",)


@pytest.fixture
def served(web: Web, fixture_run: Path) -> Web:
    """A web server of a folder with the planted run."""
    shutil.copytree(fixture_run, web.folder / "planted")
    write_runs_list(web.folder)
    return web


def names(at: RemotePlace) -> list[str]:
    return [run.name for run in at.listing().runs]


def fault(address: Address | str) -> str:
    """What is said of a place of which nothing is known."""
    with pytest.raises(RunError) as caught:
        place(address if isinstance(address, Address) else Address(address)).listing()
    return str(caught.value)


def new_version(folder: Path, title: str) -> None:
    write_manifest(folder, replace(read_manifest(folder), title=title))


def test_a_bucket_is_listed_and_what_is_no_run_is_told(bucket: Bucket, fixture_run: Path) -> None:
    for name in ("b", "a"):
        bucket.put(fixture_run, name)
    bucket.put_file("half/terms.parquet", b"PAR1")
    bucket.put_file("broken/manifest.json", b"{}")
    bucket.put_file("odd:name/manifest.json", b"{}")
    bucket.put_file(".hidden/manifest.json", b"{}")
    bucket.put_file("a.labels.csv", b"")
    listing = place(Address(bucket.address)).listing()
    assert [run.name for run in listing.runs] == ["a", "b"]
    assert [name for name, _ in listing.problems] == ["broken", "odd:name"]
    assert f"{bucket.address}/broken/manifest.json has schema" in listing.problems[0][1]
    assert listing.note == ""
    assert run_in(listing.runs[0].folder) == listing.runs[0]
    assert run_in(fixture_run) is None


def test_an_empty_bucket_holds_no_run(bucket: Bucket) -> None:
    assert place(Address(f"s3://{bucket.name}")).listing().runs == ()


def test_the_address_of_a_run_itself_is_told(bucket: Bucket, fixture_run: Path) -> None:
    bucket.put(fixture_run)
    message = fault(f"{bucket.address}/planted")
    assert f"is a run itself. Name the folder above it: {bucket.address}" in message


def test_a_web_server_needs_a_list_and_the_message_says_how(web: Web) -> None:
    message = fault(web.address)
    assert f"There is no {web.address}/runs.json." in message
    assert "python -m precompute list --out FOLDER --write" in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[", "cannot be read as JSON"),
        ("<html>", "cannot be read as JSON"),
        ('{"runs": []}', "is not a list of names"),
        ("[1]", "is not a list of names"),
        (json.dumps(["x" * 100] * 10_000), "is larger than 1,000,000 bytes"),
        (json.dumps([f"run {i}" for i in range(501)]), "holds more than 500 folders"),
    ],
    ids=["half", "page", "object", "numbers", "large", "many"],
)
def test_a_list_that_is_none_is_refused(web: Web, content: str, words: str) -> None:
    (web.folder / "runs.json").write_text(content)
    assert words in fault(web.address)


def test_names_in_a_list_reach_only_folders_below(served: Web) -> None:
    hostile = ["..", "../other", "/etc", "planted", "missing", "a/b", "http://127.0.0.1/x"]
    (served.folder / "runs.json").write_text(json.dumps(hostile))
    listing = place(Address(served.address)).listing()
    assert [run.name for run in listing.runs] == ["planted"]
    assert {name for name, _ in listing.problems} == set(hostile) - {"planted"}
    asked = {path for path, _ in served.asked}
    assert asked == {"/runs.json", "/planted/manifest.json", "/missing/manifest.json"}


def test_an_answer_counts_for_a_while_and_a_new_version_is_noticed_then(
    served: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_listing, "FRESH_SECONDS", 0.5)
    at = place(Address(served.address))
    [first] = at.listing().runs
    n_asked = len(served.asked)
    new_version(served.folder / "planted", "Second")
    assert at.listing().runs == (first,)
    assert len(served.asked) == n_asked  # the host was not asked again
    time.sleep(0.6)
    [second] = at.listing().runs
    assert second.manifest.title == "Second"
    assert second.folder != first.folder
    assert run_in(first.folder) == first  # an open page may still want the version it shows


def test_many_pages_ask_the_host_once(served: Web) -> None:
    at = place(Address(served.address))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: names(at), range(40)))
    assert found == [["planted"]] * 40
    assert len(served.requests_of("runs.json")) == 1


def test_a_silent_host_holds_no_page_up_when_the_last_answer_is_known(
    served: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_listing, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(remote_listing, "PATIENCE_SECONDS", 0.2)
    at = place(Address(served.address))
    assert names(at) == ["planted"]
    served.stops_after["runs.json"] = 1
    started = time.monotonic()
    assert names(at) == ["planted"]
    assert time.monotonic() - started < 2
    served.goes_on.set()


def test_a_host_that_never_answered_is_waited_for_and_then_told(
    served: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_listing, "FIRST_PATIENCE_SECONDS", 0.2)
    served.stops_after["runs.json"] = 1
    assert "has not answered yet. Load this again soon." in fault(served.address)
    served.goes_on.set()


def test_without_a_network_the_last_list_is_shown_with_a_note(
    served: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = Address(served.address)
    assert names(place(address)) == ["planted"]
    served.close()
    monkeypatch.setattr(remote_listing, "AGAIN_SECONDS", 0.0)
    forget_hosts()  # a new process
    for _ in range(2):
        listing = place(address).listing()
        assert [run.name for run in listing.runs] == ["planted"]
        assert f"The host of {served.address}/runs.json does not answer" in listing.note
        assert "Shown is what was there when it last answered." in listing.note


def test_a_host_that_comes_back_is_asked_again_soon(
    served: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_listing, "AGAIN_SECONDS", 0.0)
    (served.folder / "runs.json").rename(served.folder / "away")
    at = place(Address(served.address))
    with pytest.raises(RunError):
        at.listing()
    (served.folder / "away").rename(served.folder / "runs.json")
    assert names(at) == ["planted"]
    assert at.fault == ""


def test_an_unreachable_place_of_which_nothing_is_known_is_told_in_seconds(cache: Path) -> None:
    del cache
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        started = time.monotonic()
        message = fault(f"http://127.0.0.1:{taken.getsockname()[1]}/runs")
    assert "does not answer" in message
    assert time.monotonic() - started < 10


def test_what_another_version_of_the_app_remembered_is_not_shown_as_a_run(
    cache: Path, served: Web
) -> None:
    address = Address(served.address)
    place(address).listing()
    [memory] = (cache / "places").iterdir()
    served.close()
    for content in (b"", b"{", b"[]", b'{"runs": 7}', b'{"runs": {"../x": "{}", "y": 3}}'):
        memory.write_bytes(content)
        forget_hosts()
        with pytest.raises(RunError, match="does not answer"):
            place(address).listing()
    body = {"runs": {"planted": (served.folder / "planted" / MANIFEST_NAME).read_text() + " "}}
    memory.write_text(json.dumps(body))
    forget_hosts()
    assert place(address).listing().runs == ()


def test_labels_of_a_run_that_is_here_follow_with_the_list(
    served: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_listing, "FRESH_SECONDS", 0.0)
    at = place(Address(served.address))
    [run] = at.listing().runs
    assert served.requests_of("planted.labels.csv") == []  # nobody opened it yet
    fetch(run)
    (served.folder / "planted.labels.csv").write_text("sae_id,latent,label\n")
    at.listing()
    assert labels_path(run.folder).read_text() == "sae_id,latent,label\n"
