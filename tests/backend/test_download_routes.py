"""The routes over real HTTP: headers, ranges, unchanged files, wrong addresses."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from unittest import mock

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from backend.downloads.routes import download_routes
from backend.manifest import read_manifest
from backend.notebook import snippets
from backend.store import Run

BASE = "/some/base"
SECONDS = 60
EINSTEIN = "sae=sae-32&latent=0"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Client:
    """Asks one server below `BASE`, without following or decoding anything."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(self, path: str, method: str = "GET", **headers: str) -> Reply:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, f"{BASE}/download{path}", headers=named)
            found = connection.getresponse()
            return Reply(found.status, found.headers, found.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def ask(fixture_run: Path) -> Iterator[Client]:
    app = Starlette(
        routes=download_routes(f"{BASE}/"),
        middleware=[Middleware(GZipMiddleware, minimum_size=500)],  # as Streamlit has
    )
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    with mock.patch.dict(os.environ, {"SUBATOMIC_DATA": str(fixture_run.parent)}):
        thread.start()
        deadline = time.monotonic() + SECONDS
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        yield Client(listening.getsockname()[1])
        server.should_exit = True
        thread.join(SECONDS)
    listening.close()


def test_a_list_is_a_file_to_save_that_no_browser_would_run(ask: Client) -> None:
    for file, kind in (
        ("components.csv", "text/csv; charset=utf-8"),
        ("components.parquet", "application/vnd.apache.parquet"),
        ("decomposition.svg", "image/svg+xml"),
        ("decomposition.md", "text/markdown; charset=utf-8"),
    ):
        reply = ask(f"/{file}?{EINSTEIN}")
        assert reply.status == 200
        assert reply.headers["content-type"] == kind
        name = f'attachment; filename="planted-sae-32-0-{file}"'
        assert reply.headers["content-disposition"] == name
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in reply.headers["content-security-policy"]


def test_links_in_a_citation_are_those_of_the_reader(ask: Client) -> None:
    told = ask(f"/decomposition.md?{EINSTEIN}", host="atoms.example:81").text
    assert f"<http://atoms.example:81{BASE}/latent?run=planted" in told
    for host in ("evil}/", "a b", "x<y>"):
        assert "<latent?run=planted" in ask(f"/decomposition.md?{EINSTEIN}", host=host).text


def test_a_table_comes_as_its_very_bytes_whole_and_in_ranges(
    ask: Client, fixture_run: Path
) -> None:
    stored = (fixture_run / "latents.parquet").read_bytes()
    whole = ask("/table/latents.parquet", accept_encoding="gzip")
    assert whole.body == stored
    assert whole.headers["etag"] == f'"{sha256(stored).hexdigest()}"'
    head = ask("/table/latents.parquet", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(stored))
    assert head.headers["accept-ranges"] == "bytes"
    part = ask("/table/latents.parquet", range="bytes=4-9")
    assert (part.status, part.body) == (206, stored[4:10])


@pytest.mark.parametrize("file", ["/table/saes.parquet", "/saes.csv", "/manifest.json"])
def test_an_unchanged_file_is_not_sent_again(ask: Client, file: str) -> None:
    etag = ask(file).headers["etag"]
    again = ask(file, if_none_match=f'"other", {etag}')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == etag
    assert ask(file, if_none_match='"other"').status == 200


def test_head_has_the_headers_of_get(ask: Client) -> None:
    got, head = ask(f"/terms.json?{EINSTEIN}"), ask(f"/terms.json?{EINSTEIN}", "HEAD")
    assert head.body == b""
    for name in ("etag", "content-length", "content-type", "content-disposition"):
        assert head.headers[name] == got.headers[name]


def test_the_bare_address_says_what_there_is(ask: Client) -> None:
    for path in ("", "/"):
        reply = ask(path)
        assert reply.status == 200
        assert "components.{csv|parquet|json}?sae=...&latent=..." in reply.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing.csv", 404),
        ("/components.csv", 400),
        ("/saes.csv?run=%00%ff", 404),
        ("/saes.csv?run=" + "x" * 5000, 400),
        ("/table/..%2fmanifest.json", 404),
        ("/table/%2e%2e/%2e%2e/etc/passwd.parquet", 404),
        ("/table//etc/passwd.parquet", 404),
        ("/hits.csv?q=%3Cscript%3E&index=%3Cscript%3E", 400),
    ],
)
def test_a_wrong_address_gets_words_and_never_a_trace(ask: Client, path: str, status: int) -> None:
    reply = ask(path)
    assert reply.status == status
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "Traceback" not in reply.text
    assert "root:" not in reply.text


def test_only_reading_is_allowed(ask: Client) -> None:
    assert ask("/saes.csv", "POST").status == 405
    assert ask("/saes.csv", "DELETE").status == 405


def test_many_at_once_all_get_their_own(ask: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: ask(f"/latent.json?sae=sae-32&latent={i}"), range(32)))
    assert [json.loads(reply.body)["rows"][0]["latent"] for reply in found] == list(range(32))


def test_the_first_cell_of_the_notebook_downloads_what_it_needs(
    ask: Client, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(snippets(run, f"http://127.0.0.1:{ask.port}{BASE}/")[0].code, names)
    files = read_manifest(run.folder).files
    taken = sorted((tmp_path / "planted").iterdir())
    assert len(taken) == 6
    for file in taken:
        assert sha256(file.read_bytes()).hexdigest() == files[file.stem].sha256
