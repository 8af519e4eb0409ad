"""As much of the Hugging Face hub as reading a data set takes: `python -m tests.hub FOLDER`.

It prints its address, and serves `FOLDER` as the data set owner/name until it is ended.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

API = "/api/datasets/owner/name"
FILES = "/datasets/owner/name/resolve/main/"
COMMIT = "a" * 40


class _Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, folder: Path, *args: Any) -> None:
        self.folder = folder
        super().__init__(*args)

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        below = path.removeprefix(f"{API}/tree/main").strip("/")
        if path in (API, f"{API}/revision/main"):
            self._answer(200, {"id": "owner/name", "sha": COMMIT, "private": False, "tags": []})
        elif path.startswith(f"{API}/tree/main") and (self.folder / below).is_dir():
            self._answer(200, [self._entry(found) for found in (self.folder / below).iterdir()])
        elif path.startswith(FILES) and (self.folder / path.removeprefix(FILES)).is_file():
            content = (self.folder / path.removeprefix(FILES)).read_bytes()
            first, _, last = (
                self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
            )
            self._answer(206, content[int(first) : int(last) + 1 if last else None])
        elif path.startswith((API, FILES)):
            self._answer(404, {"error": "no entry"}, "EntryNotFound")
        else:
            self._answer(401, {"error": "no repository"}, "RepoNotFound")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, [])  # paths-info of what is not there

    def _entry(self, path: Path) -> dict[str, Any]:
        kind = "directory" if path.is_dir() else "file"
        name = path.relative_to(self.folder).as_posix()
        return {"type": kind, "path": name, "oid": "1" * 40, "size": path.stat().st_size}

    def _answer(self, code: int, body: Any, error: str = "") -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        if error:
            self.send_header("X-Error-Code", error)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        del format, args


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Hub, Path(sys.argv[1])))
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
