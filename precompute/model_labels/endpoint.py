"""One request to a server that speaks the OpenAI chat protocol, and what its failures mean.

Three kinds of failure: `EndpointError` ends the command, because no other prompt would fare better;
`BusyError` is worth another try later; `RefusedError` is about this one prompt. No message holds
the key: it is struck out of whatever a server sends back before anything else reads it.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from precompute.model_labels.address import KEY_VARIABLES, is_this_machine
from precompute.model_labels.failures import BusyError, EndpointError, RefusedError

MOST_ANSWER_BYTES = 1_000_000
READ_BYTES = 65_536
LONGEST_ANSWER = 2_000  # characters kept of an answer; a label has less than 100
QUOTED_CHARACTERS = 200  # of a server's own words
BUSY_STATUSES = frozenset({408, 409, 425, 429})  # and all from 500
REFUSED_STATUSES = frozenset({400, 413, 422})

_THOUGHT = re.compile(r"\s*<think>.*?(</think>|\Z)", re.DOTALL)  # local models think aloud first


@dataclass(frozen=True)
class Completion:
    """An answer; `tokens` is what the server counted for prompt and answer, None if it did not."""

    text: str
    tokens: int | None


@dataclass(frozen=True)
class Endpoint:
    """A checked address, and the key that goes with it ("" for none)."""

    url: str
    key: str = field(default="", repr=False)
    timeout: float = 60.0

    def complete(self, body: Mapping[str, Any]) -> Completion:
        """Send one chat request.

        Raises:
            EndpointError, BusyError, RefusedError: as the module says.
        """
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        request = Request(self.url, json.dumps(body).encode(), headers, method="POST")
        try:
            with self._opener().open(request, timeout=self.timeout) as response:
                return self._completion(self._text(response))
        except HTTPError as error:
            with error:
                raise self._status_error(error) from None
        except (URLError, OSError, HTTPException) as error:
            raise self._connection_error(error) from None

    def _opener(self) -> OpenerDirector:
        """Only http(s), with certificates checked, and no following of redirects."""
        opener = OpenerDirector()
        local = ProxyHandler({}) if is_this_machine(self.url) else ProxyHandler()
        for handler in (local, HTTPHandler(), HTTPSHandler()):
            opener.add_handler(handler)
        opener.add_handler(HTTPDefaultErrorHandler())
        opener.add_handler(HTTPErrorProcessor())
        return opener

    def _text(self, response: Any) -> str:
        """Body of a response, held to a size and a time, without the key."""
        deadline = time.monotonic() + self.timeout
        content = b""
        while block := response.read1(READ_BYTES):
            content += block
            if len(content) > MOST_ANSWER_BYTES:
                raise EndpointError(f"{self.url} answers with more than a megabyte")
            if time.monotonic() > deadline:
                raise BusyError(f"{self.url} did not finish its answer in {self.timeout:g} s")
        text = content.decode("utf-8", "replace")
        return text.replace(self.key, "[key]") if self.key else text

    def _completion(self, text: str) -> Completion:
        if text.lstrip().startswith("<"):
            raise EndpointError(
                f"{self.url} answers with a web page: {_quoted(text)} "
                "The address of an API usually ends in /v1"
            )
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            raise EndpointError(f"{self.url} does not answer in JSON: {_quoted(text)}") from None
        if isinstance(body, dict) and body.get("error"):
            raise RefusedError(f"{self.url} answers with an error: {_quoted(text)}")
        choices = body.get("choices") if isinstance(body, dict) else None
        if not isinstance(choices, list):
            raise EndpointError(f"{self.url} does not answer with a completion: {_quoted(text)}")
        answer = _content(choices)
        if self.key:  # JSON may have spelt the key with escapes
            answer = answer.replace(self.key, "[key]")
        answer = _THOUGHT.sub("", answer, count=1)[:LONGEST_ANSWER]
        # JSON can hold half of a surrogate pair, a file cannot
        return Completion(answer.encode("utf-8", "replace").decode(), _tokens(body.get("usage")))

    def _status_error(self, error: HTTPError) -> Exception:
        status = error.code
        try:
            said = _quoted(self._text(error))
        except (EndpointError, BusyError, OSError, HTTPException):
            said = ""
        told = f"{self.url} answered {status}: {said}"
        if status in BUSY_STATUSES or status >= 500:
            return BusyError(told, _seconds(error.headers.get("Retry-After")))
        if status in REFUSED_STATUSES:
            return RefusedError(told)
        if status in (401, 403):
            sent = "the key was not accepted" if self.key else "it wants a key"
            return EndpointError(f"{told} Set {' or '.join(KEY_VARIABLES)}: {sent}")
        if status in (404, 405):
            return EndpointError(f"{told} Is the address right, and is there a model of that name?")
        if 300 <= status < 400:
            place = urlsplit(error.headers.get("Location", "")).netloc or "another path"
            return EndpointError(
                f"{self.url} sends requests on to {_quoted(place)}, which is not followed. "
                "Give --endpoint the address where they end"
            )
        return EndpointError(told)

    def _connection_error(self, error: Exception) -> Exception:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, TimeoutError):
            return BusyError(f"{self.url} did not answer in {self.timeout:g} s")
        if isinstance(reason, ConnectionRefusedError):
            return EndpointError(f"nothing listens at {self.url}. Is the server running?")
        if isinstance(reason, socket.gaierror):
            return EndpointError(f"{self.url}: there is no such host")
        if isinstance(reason, ssl.SSLError):
            return EndpointError(f"{self.url} cannot be trusted: {_quoted(str(reason))}")
        if isinstance(reason, ConnectionError | HTTPException):
            return BusyError(f"{self.url} broke off ({type(reason).__name__})")
        return EndpointError(f"{self.url} cannot be reached: {_quoted(str(reason))}")


def _content(choices: list[Any]) -> str:
    """Text of the first choice; "" when it has none, as after a filter or an early end."""
    first = choices[0] if choices and isinstance(choices[0], dict) else {}
    message = first.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""


def _tokens(usage: Any) -> int | None:
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None


def _seconds(retry_after: str | None) -> float | None:
    """Seconds to wait by a Retry-After header, a number or a date; None when it says neither."""
    if retry_after is None:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d{0,9})?", retry_after.strip(), re.ASCII):
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, OverflowError):  # TypeError: a date without a time zone
        return None


def _quoted(text: str) -> str:
    """The beginning of a server's words on one line, without characters that act on a terminal."""
    line = " ".join(text[: 4 * QUOTED_CHARACTERS].split())
    shown = line if len(line) <= QUOTED_CHARACTERS else line[: QUOTED_CHARACTERS - 1] + "…"
    return '"' + "".join(c if c.isprintable() else "?" for c in shown) + '"'
