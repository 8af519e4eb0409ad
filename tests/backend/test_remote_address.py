"""What is an address, what it is called, and what is said about those that cannot be read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.manifest import RunError
from backend.remote_address import PACKAGES, Address, as_address
from backend.remote_listing import names_at

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3://bucket/runs/", "s3://bucket/runs"),
        (" hf://datasets/owner/name ", "hf://datasets/owner/name"),
        ("S3://bucket", "S3://bucket"),
        ("https://host/a//", "https://host/a"),
        ("ftp://host/runs", "ftp://host/runs"),  # refused when it is asked, with a reason
        ("data", None),
        ("/data/s3:/runs", None),
        ("C:\\runs", None),
        ("C://runs", None),  # no protocol has one letter
        ("~/runs", None),
    ],
)
def test_addresses_are_told_from_folders(text: str, address: str | None) -> None:
    assert as_address(text) == (None if address is None else Address(address))


def test_parts_of_a_web_address_are_quoted_and_those_of_a_bucket_are_not() -> None:
    web, bucket = Address("https://host/runs") / "a b", Address("s3://bucket/runs") / "a b"
    assert (web.text, web.name) == ("https://host/runs/a%20b", "a b")
    assert (bucket.text, bucket.name) == ("s3://bucket/runs/a b", "a b")
    assert web.parent == Address("https://host/runs")
    assert bucket.parent == Address("s3://bucket/runs")


def test_secrets_in_a_web_address_are_never_shown() -> None:
    address = Address("https://anna:secret@host/runs?token=hidden")
    assert str(address) == "https://…@host/runs?…"
    with pytest.raises(RunError, match=r"Put a user and password into ~/\.netrc") as caught:
        names_at(address)
    assert "secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("text", ["ftp://host/runs", "file:///etc", "memory://runs", "abc://x"])
def test_other_protocols_are_refused_with_those_that_are_known(text: str) -> None:
    with pytest.raises(RunError, match="is of a protocol that is not known here") as caught:
        names_at(Address(text))
    for scheme in PACKAGES:
        assert f"{scheme}://" in str(caught.value)


@pytest.mark.parametrize("text", ["s3://", "https:///runs", "gs://", "http://[broken"])
def test_an_address_without_a_host_is_refused(text: str) -> None:
    with pytest.raises(RunError, match=r"names no host or bucket|is no address"):
        names_at(Address(text))


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    # None in sys.modules makes an import fail as that of a package that is not installed
    code = """
import sys
from backend.manifest import RunError
from backend.remote_address import Address
from backend.remote_listing import names_at

for text in ("gs://b/runs", "s3://b/runs", "https://h/runs", "hf://datasets/o/n"):
    missing = {"gs": "gcsfs", "s3": "s3fs", "https": "aiohttp", "hf": "fsspec"}[text.split(":")[0]]
    sys.modules[missing] = None
    try:
        names_at(Address(text))
    except RunError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told = done.stdout.splitlines()
    assert all("because a package is missing" in line for line in told)
    assert [line.rpartition(": ")[2] for line in told] == [
        "pip install gcsfs",
        "pip install s3fs",
        "pip install fsspec aiohttp",
        "pip install fsspec huggingface_hub",
    ]
