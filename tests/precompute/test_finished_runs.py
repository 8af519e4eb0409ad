"""`check`, `list` and `cache` of runs at a host, as a user gives them."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.remote_cache import FOLDER
from backend.schema import TABLES
from precompute.__main__ import main
from tests.hosts import Bucket, Web

pytest_plugins = ("tests.host_fixtures",)

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(caplog: pytest.LogCaptureFixture) -> Command:
    """Runs one command; its exit code and what it said."""
    caplog.set_level(logging.INFO)

    def run(*arguments: object) -> tuple[int, str]:
        caplog.clear()
        code = main([str(argument) for argument in arguments])
        return code, "\n".join(r.getMessage() for r in caplog.records if r.name == "precompute")

    return run


@pytest.fixture
def served(web: Web, fixture_run: Path) -> Web:
    """A web server of a folder with the planted run, and no list yet."""
    shutil.copytree(fixture_run, web.folder / "planted")
    return web


def test_check_of_a_run_in_a_bucket(command: Command, bucket: Bucket, fixture_run: Path) -> None:
    bucket.put(fixture_run)
    for _ in range(2):  # the second time its files are in the cache
        code, said = command("check", f"{bucket.address}/planted/")
        assert code == 0, said
        assert f"{bucket.address}/planted is intact: {len(TABLES)} tables" in said
    bucket.put_file("planted/terms.parquet", b"x" + bucket.get_file("planted/terms.parquet")[1:])
    code, said = command("check", f"{bucket.address}/planted")
    assert code == 1  # although the cache still has the good file
    assert f"{bucket.address}/planted/terms.parquet is not what its manifest says" in said


def test_check_reads_every_byte_at_the_host_again(command: Command, served: Web) -> None:
    for n_read in (1, 2):
        assert command("check", f"{served.address}/planted")[0] == 0
        assert len(served.requests_of("terms.parquet")) == n_read


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("absent", "There is nothing at"),
        ("..", "cannot be a run's name"),
        ("ftp", "is of a protocol that is not known here"),
    ],
)
def test_check_says_what_is_wrong_with_an_address(
    command: Command, served: Web, run: str, words: str
) -> None:
    code, said = command("check", "ftp://host/run" if run == "ftp" else f"{served.address}/{run}")
    assert code == 1
    assert words in said


def test_list_writes_what_a_web_server_needs_and_reads_it_there(
    command: Command, served: Web
) -> None:
    code, said = command("list", "--out", served.address)
    assert code == 1
    assert f"There is no {served.address}/runs.json" in said
    code, said = command("list", "--out", served.folder, "--write")
    assert code == 0
    assert f"{served.folder / 'runs.json'} is written" in said
    assert json.loads((served.folder / "runs.json").read_text()) == ["planted"]
    code, said = command("list", "--out", f"{served.address}/.")  # not asked yet
    assert code == 0
    assert f"{served.address}/./planted" in said
    assert "Planted fixture" in said


def test_the_list_of_a_host_cannot_be_written_from_here(command: Command, served: Web) -> None:
    code, said = command("list", "--out", served.address, "--write")
    assert code == 1
    assert "--write needs a folder of this machine" in said


def test_the_cache_is_told_and_cleared(command: Command, served: Web, cache: Path) -> None:
    assert command("cache") == (0, f"{cache} holds 0 files, 0.0 MB")
    command("check", f"{served.address}/planted")
    code, said = command("cache", "--clear")
    assert code == 0
    assert said.endswith("all of them are removed")
    assert not cache.exists()
    assert cache.name == FOLDER
