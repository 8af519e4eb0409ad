"""An S3 server, a web server and an empty cache, for test modules that name this file in
`pytest_plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.remote_cache import CACHE_VARIABLE, cache_dir
from tests.hosts import Bucket, Web, forget_hosts, new_bucket, s3_server, web_server


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and a process that has asked no host."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    forget_hosts()
    yield cache_dir()
    forget_hosts()


@pytest.fixture(scope="session")
def _endpoint() -> Iterator[str]:
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(_endpoint: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket of a server that outlives the test."""
    del cache
    return new_bucket(_endpoint, monkeypatch)


@pytest.fixture
def web(cache: Path, tmp_path: Path) -> Iterator[Web]:
    """A web server of an empty folder."""
    del cache
    folder = tmp_path / "served"
    folder.mkdir()
    with web_server(folder) as made:
        yield made
