"""One download a run for all who wait, and runs opened from it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backend import remote
from backend.manifest import RunError
from backend.opener import opened_run
from backend.remote_address import Address
from backend.remote_cache import clear
from backend.remote_fetching import fetching
from backend.remote_listing import place
from backend.remote_runs import RemoteRun, fetch
from tests.hosts import Web

pytest_plugins = ("tests.host_fixtures",)

ROOT = Path(__file__).resolve().parents[2]
FETCH = """
import sys
from backend.remote_address import Address
from backend.remote_runs import fetch, remote_run

fetch(remote_run(Address(sys.argv[1])))
"""


@pytest.fixture
def served(web: Web, fixture_run: Path) -> Web:
    """A web server of a folder with the planted run."""
    shutil.copytree(fixture_run, web.folder / "planted")
    (web.folder / "runs.json").write_text('["planted"]')
    return web


def listed(web: Web) -> RemoteRun:
    [run] = place(Address(web.address)).listing().runs
    return run


def test_all_who_wait_share_one_download_and_see_how_far_it_is(served: Web) -> None:
    run = listed(served)
    served.stops_after["terms.parquet"] = 10
    first, second = fetching(run), fetching(run)
    assert first is not None
    assert first is second
    assert served.stopped.wait(10)
    assert not first.has_ended(0.01)
    assert 0 <= first.done < first.total == run.bytes
    served.stops_after.clear()
    served.goes_on.set()  # the host broke off: those who wait are told, the next try goes on
    with pytest.raises(RunError, match=r"terms\.parquet"):
        first.has_ended(10)
    again = fetching(run)
    assert again is not None
    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(lambda _: again.has_ended(10), range(3)))
    assert again.done == again.total
    assert fetching(run) is None  # it is here
    assert served.requests_of("saes.parquet") == [""]


def test_every_reader_who_waits_is_told_of_a_failure(served: Web) -> None:
    run = listed(served)
    (served.folder / "planted" / "saes.parquet").unlink()
    coming = fetching(run)
    assert coming is not None
    for _ in range(2):
        with pytest.raises(RunError, match=r"There is nothing at .*/saes\.parquet"):
            coming.has_ended(10)


def test_a_place_that_failed_is_not_asked_for_run_after_run(
    served: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.remote_listing.FRESH_SECONDS", 0.0)
    run = listed(served)
    served.close()
    assert "does not answer" in place(Address(served.address)).listing().note
    started = time.monotonic()
    with pytest.raises(RunError, match="planted is not in the cache"):
        opened_run(run.folder, run.manifest.short_hash)
    assert time.monotonic() - started < 1


def test_a_run_at_a_host_is_opened_like_any_other(served: Web) -> None:
    run = listed(served)
    opened = opened_run(run.folder, run.manifest.short_hash)
    assert opened.name == "planted"
    assert opened.row("select count(*) as n from saes") == {"n": 3}
    assert opened_run(run.folder, run.manifest.short_hash) is opened


def test_a_cache_cleared_under_an_open_run_is_filled_again(served: Web) -> None:
    run = listed(served)
    opened = opened_run(run.folder, run.manifest.short_hash)
    clear()
    again = opened_run(run.folder, run.manifest.short_hash)
    assert again is opened
    assert run.is_here
    assert again.row("select count(*) as n from examples") != {"n": 0}


def test_a_run_damaged_in_the_cache_is_fetched_again_when_it_is_opened(served: Web) -> None:
    run = listed(served)
    fetch(run)
    path = run.folder / "terms.parquet"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    opened = opened_run(run.folder, run.manifest.short_hash)
    assert opened.row("select count(*) as n from terms") != {"n": 0}
    assert len(served.requests_of("terms.parquet")) == 2


def test_processes_fetch_a_run_together_without_harm(served: Web) -> None:
    address = f"{served.address}/planted"
    children = [
        subprocess.Popen([sys.executable, "-c", FETCH, address], cwd=ROOT) for _ in range(3)
    ]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    tables = {path for path, _ in served.asked if path.endswith(".parquet")}
    asked = [path for path, _ in served.asked if path in tables]
    assert len(asked) == len(tables) == len(listed(served).manifest.files)
    assert listed(served).is_here


def test_progress_moves_with_every_piece(served: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "BLOCK_BYTES", 7)
    run = listed(served)
    done: list[int] = []
    fetch(run, lambda _, here, __: done.append(here))
    assert done[-1] == run.bytes
    assert len(done) > 1000  # a piece, a step
