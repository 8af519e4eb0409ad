"""Where requests go, and which key may go there."""

from __future__ import annotations

import pytest

from precompute.model_labels.address import api_key, endpoint_url, is_this_machine
from precompute.model_labels.failures import EndpointError


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8000/v1",
        "http://localhost:8000/v1/",
        " http://localhost:8000/v1/chat/completions ",
    ],
)
def test_an_address_with_or_without_its_end_is_the_same(address):
    assert endpoint_url(address) == "http://localhost:8000/v1/chat/completions"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost:8000",
        "ftp://host/v1",
        "file:///etc/passwd",
        "http://",
        "http://host:port/v1",
        "http://[::1/v1",
        "http://host/v1\nHost: other",
        "http://host/a b",
        "http://hóst/v1",
        "https://user:secret@host/v1",
        "https://host/v1?api-key=secret",
        "https://host/v1#secret",
    ],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused_without_repeating_it(address):
    with pytest.raises(EndpointError) as refused:
        endpoint_url(address)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://localhost:1/v1", True),
        ("http://127.3.2.1/v1", True),
        ("http://[::1]:8/v1", True),
        ("http://192.168.1.2/v1", False),
        ("http://localhost.example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
    ],
)
def test_only_loopback_is_this_machine(url, own):
    assert is_this_machine(url) == own


OWN, SHARED = {"SUBATOMIC_API_KEY": " own "}, {"OPENAI_API_KEY": "shared"}


@pytest.mark.parametrize(
    ("url", "environment", "key"),
    [
        ("https://api.example.org/v1", {}, ""),
        ("https://api.example.org/v1", {"SUBATOMIC_API_KEY": " "}, ""),
        ("https://api.example.org/v1", SHARED, "shared"),
        ("https://api.example.org/v1", {**OWN, **SHARED}, "own"),
        ("http://localhost/v1", SHARED, "shared"),
        # a key set for other programs never goes in the clear to another machine
        ("http://10.0.0.1/v1", SHARED, ""),
        ("http://10.0.0.1/v1", OWN, "own"),
    ],
)
def test_the_key_comes_from_the_environment(url, environment, key):
    assert api_key(url, environment) == key


@pytest.mark.parametrize("key", ["se cret", "secret\r\nX-Other: 1", "secrét", "secret\0"])
def test_a_key_that_would_break_a_header_is_refused_without_repeating_it(key):
    with pytest.raises(EndpointError) as refused:
        api_key("https://host/v1", {"SUBATOMIC_API_KEY": key})
    assert "ret" not in str(refused.value)
