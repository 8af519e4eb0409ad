"""Where requests go and which key goes with them; both checked before anything is sent."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from precompute.model_labels.failures import EndpointError

log = logging.getLogger("precompute")

OWN_KEY, SHARED_KEY = KEY_VARIABLES = ("SUBATOMIC_API_KEY", "OPENAI_API_KEY")
PATH = "/chat/completions"


def endpoint_url(address: str) -> str:
    """Where requests go for the address of an API, e.g. http://localhost:8000/v1.

    Raises:
        EndpointError: it is no http(s) address, or holds a password or a query.
    """
    address = address.strip()
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not address.isprintable():
        raise EndpointError("--endpoint needs an address such as http://localhost:8000/v1")
    if " " in address or not address.isascii():
        raise EndpointError("--endpoint has a space or a letter that no address has")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise EndpointError(
            f"--endpoint takes no password and no query. A key belongs in the variable {OWN_KEY}"
        )
    path = parts.path.rstrip("/").removesuffix(PATH)
    return f"{parts.scheme}://{parts.netloc}{path}{PATH}"


def api_key(url: str, environment: Mapping[str, str]) -> str:
    """The key to send to `url`, "" for none; nothing that is logged holds it.

    A key set for this command goes where the user says. `OPENAI_API_KEY` is often set for other
    programs, so it never goes unencrypted to another machine.

    Raises:
        EndpointError: it has characters that no key has, such as a line break.
    """
    is_open = url.startswith("http:") and not is_this_machine(url)
    for variable in KEY_VARIABLES:
        key = environment.get(variable, "").strip()
        if not key:
            continue
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise EndpointError(f"{variable} holds a space or a character that no key has")
        if is_open and variable == SHARED_KEY:
            log.info("%s is not sent, because %s is not encrypted", variable, url)
            return ""
        if is_open:
            log.warning("the key is sent unencrypted: anyone between here and there can read it")
        log.info("the key is taken from %s", variable)
        return key
    return ""


def is_this_machine(url: str) -> bool:
    """Whether an address names this machine itself, so that no one else reads what is sent."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
