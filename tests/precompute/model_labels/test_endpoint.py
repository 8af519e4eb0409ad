"""One request: good answers read, bad ones named, and the key kept secret."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from precompute.model_labels.address import endpoint_url
from precompute.model_labels.endpoint import Completion, Endpoint
from precompute.model_labels.failures import BusyError, EndpointError, RefusedError
from tests.precompute.model_labels.chat_server import Reply, completion, serving

BODY = {"model": "m", "messages": [{"role": "user", "content": "Ünïcode 🙂"}]}
KEY = "sk-very-secret"


def _complete(reply: Reply, key: str = "", timeout: float = 5.0) -> Completion:
    with serving(lambda *_: reply) as server:
        return Endpoint(endpoint_url(server.address), key, timeout).complete(BODY)


def _json(body: object) -> Reply:
    return Reply(json.dumps(body).encode())


def test_a_request_has_the_form_of_the_protocol_and_the_key_in_its_header():
    with serving(lambda *_: completion("city", 42)) as server:
        endpoint = Endpoint(endpoint_url(server.address), KEY)
        assert endpoint.complete(BODY) == Completion("city", 42)
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.body == BODY
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in repr(endpoint)


def test_without_a_key_no_header_is_sent():
    with serving(lambda *_: completion("city")) as server:
        Endpoint(endpoint_url(server.address)).complete(BODY)
    assert "Authorization" not in server.asked[0].headers


@pytest.mark.parametrize(
    ("choices", "text"),
    [
        ([], ""),
        ([{}], ""),
        ([{"message": None}], ""),
        ([{"message": {"content": None}}], ""),
        ([{"message": {"content": ["parts"]}}], ""),
        (["text"], ""),
        ([{"message": {"content": "<think>Hm\n</think> city"}}], " city"),
        ([{"message": {"content": "<think>never ends"}}], ""),
        ([{"message": {"content": "x" * 10_000}}], "x" * 2_000),
        ([{"message": {"content": "half \ud83d"}}], "half ?"),
    ],
)
def test_an_answer_without_usable_text_is_empty(choices, text):
    assert _complete(_json({"choices": choices})) == Completion(text, None)


@pytest.mark.parametrize("usage", [None, "many", {"total_tokens": -1}, {"total_tokens": True}, []])
def test_tokens_that_make_no_sense_are_not_counted(usage):
    assert _complete(_json({"choices": [], "usage": usage})).tokens is None


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        (Reply(b"{}", 401), EndpointError, "Set SUBATOMIC_API_KEY or OPENAI_API_KEY: it wants"),
        (Reply(b"{}", 403), EndpointError, "answered 403"),
        (Reply(b'{"detail": "no model x"}', 404), EndpointError, "no model x"),
        (Reply(b"teapot", 418), EndpointError, 'answered 418: "teapot"'),
        (Reply(b"too long", 400), RefusedError, 'answered 400: "too long"'),
        (Reply(b"", 500), BusyError, "answered 500"),
        (Reply(b"", 524), BusyError, "answered 524"),
        (Reply(b"<!DOCTYPE html><p>Hi</p>"), EndpointError, "answers with a web page"),
        (Reply(b"pong"), EndpointError, 'does not answer in JSON: "pong"'),
        (Reply(b"[" * 100_000), EndpointError, "does not answer in JSON"),
        (Reply(b"\xff\xfe\0"), EndpointError, "does not answer in JSON"),
        (Reply(b""), EndpointError, "does not answer in JSON"),
        (_json([1]), EndpointError, "does not answer with a completion"),
        (_json({"text": "x"}), EndpointError, "does not answer with a completion"),
        (_json({"choices": "x"}), EndpointError, "does not answer with a completion"),
        (_json({"error": {"message": "no"}}), RefusedError, "answers with an error"),
        (Reply(b" " * 1_100_000), EndpointError, "more than a megabyte"),
        (Reply(b"a\x1b[31mb\nc", 400), RefusedError, '"a?[31mb c"'),
    ],
)
def test_a_bad_answer_is_named_for_what_it_is(reply, kind, told):
    with pytest.raises(kind) as failed:
        _complete(reply)
    assert told in str(failed.value)
    assert len(str(failed.value)) < 500


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("7", 7, 7),
        ("0.5", 0.5, 0.5),
        (timedelta(seconds=600), 500, 601),
        (timedelta(days=-1), 0, 0),
        ("soon", None, None),
        ("-3", None, None),
        ("9" * 400, None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value, low, high):
    if isinstance(value, timedelta):  # from now on, not from when tests were collected
        value = format_datetime(datetime.now(UTC) + value, usegmt=True)
    with pytest.raises(BusyError) as busy:
        _complete(Reply(b"", 429, {"Retry-After": value}))
    if low is None:
        assert busy.value.wait is None
    else:
        assert busy.value.wait is not None
        assert low <= busy.value.wait <= high


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_the_key_goes_nowhere_else(status):
    with serving(lambda *_: completion("stolen")) as other:
        away = Reply(b"", status, {"Location": f"{other.address}/chat/completions"})
        with pytest.raises(EndpointError, match="which is not followed"):
            _complete(away, KEY)
    assert other.asked == []


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a_server_that_repeats_the_key_does_not_get_it_into_answers_or_messages(status):
    spelt = "".join(f"\\u{ord(c):04x}" for c in KEY)  # as JSON may write it
    body = f'{{"choices": [{{"message": {{"content": "{KEY} {spelt}"}}}}]}}'.encode()
    try:
        told = _complete(Reply(body, status), KEY).text
    except (EndpointError, BusyError, RefusedError) as error:
        told = str(error)
    assert KEY not in told
    assert "[key]" in told


def test_a_server_that_is_too_slow_is_busy():
    never = threading.Event()
    begin = time.monotonic()
    with pytest.raises(BusyError, match=r"did not answer in 0\.2 s"):
        try:
            with serving(lambda *_: Reply(b"", hold=never)) as server:
                try:
                    Endpoint(endpoint_url(server.address), timeout=0.2).complete(BODY)
                finally:
                    never.set()
        finally:
            assert time.monotonic() - begin < 5


def test_a_server_that_answers_drop_by_drop_is_busy_after_the_timeout():
    """Each drop comes in time, the whole never does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        is_over = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not is_over.wait(0.05):
                    connection.sendall(b" ")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/chat/completions"
            with pytest.raises(BusyError, match="did not finish its answer"):
                Endpoint(url, timeout=0.3).complete(BODY)
        finally:
            is_over.set()
            thread.join()


def test_nobody_listening_is_said_plainly():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(EndpointError, match=r"nothing listens at .* Is the server running"):
        Endpoint(f"http://127.0.0.1:{port}/v1/chat/completions", timeout=2).complete(BODY)


def test_an_address_with_https_where_there_is_none_is_not_trusted():
    with (
        serving(lambda *_: completion("city")) as server,
        pytest.raises(EndpointError, match="cannot be trusted"),
    ):
        Endpoint(endpoint_url(server.address.replace("http:", "https:")), KEY).complete(BODY)
    assert server.asked == []


def test_a_proxy_is_not_used_for_this_machine(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert _complete(completion("city")).text == "city"


def test_nothing_is_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        _complete(completion("city"), KEY)
    assert caplog.text == ""
