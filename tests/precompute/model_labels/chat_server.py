"""A server on this machine that speaks the OpenAI chat protocol, well or badly, as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKENS = 100  # that each answer says it used


@dataclass(frozen=True)
class Reply:
    """What the server sends back; `hold` is waited for first."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        """All messages in one text."""
        return "\n".join(message["content"] for message in self.body["messages"])


def completion(label: str, tokens: int | None = TOKENS) -> Reply:
    """A well-formed answer."""
    body: dict[str, Any] = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": label}}]
    }
    if tokens is not None:
        body["usage"] = {"total_tokens": tokens}
    return Reply(json.dumps(body).encode())


class ChatServer:
    """`asked` grows with each request; `replied` with each reply sent whole."""

    def __init__(self, answer: Callable[[int, Asked], Reply]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.replied: list[Asked] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._server.server_port}/v1"

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                asked = Asked(self.path, dict(self.headers), json.loads(content))
                with server._lock:
                    place = len(server.asked)
                    server.asked.append(asked)
                reply = server.answer(place, asked)
                if reply.hold is not None:
                    reply.hold.wait(30)
                try:
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(reply.body)))
                    self.end_headers()
                    self.wfile.write(reply.body)
                except OSError:
                    return  # whoever asked is gone
                with server._lock:
                    server.replied.append(asked)

            def do_GET(self) -> None:
                raise AssertionError("nothing but POST is expected")

            def log_message(self, format: str, *args: object) -> None:
                """Silent: a test reads `asked`."""

        return Handler


@contextmanager
def serving(answer: Callable[[int, Asked], Reply]) -> Iterator[ChatServer]:
    """A server that gives to the n-th request (from 0) what `answer` returns."""
    server = ChatServer(answer)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
