"""Addresses of folders at a host, and what went wrong there as a plain sentence.

An address comes from the environment or the command line, never from a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from backend.manifest import RunError

PACKAGES = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "hf": "fsspec huggingface_hub",
    "https": "fsspec aiohttp",
    "http": "fsspec aiohttp",
}
"""Each protocol that an address may begin with, and what `pip install` needs for it."""

_WEB = ("https", "http")
_CREDENTIALS = {
    "s3": (
        "Name valid credentials in AWS_PROFILE, or in AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY; for a public bucket set FSSPEC_S3_ANON=true"
    ),
    "gs": (
        "Log in with `gcloud auth application-default login`, or name a key file in "
        "GOOGLE_APPLICATION_CREDENTIALS"
    ),
    "hf": "Log in with `hf auth login`, or put a token that may read it into HF_TOKEN",
    **dict.fromkeys(_WEB, "Put the host's user and password into ~/.netrc"),
}
# by name, because the packages that define them are not imported here
_REFUSALS = {
    "PermissionError", "NoCredentialsError", "PartialCredentialsError", "ProfileNotFound",
    "CredentialRetrievalError", "TokenRetrievalError", "SSOError", "RefreshError",
    "DefaultCredentialsError", "GatedRepoError",
}  # fmt: skip
_SILENCES = {
    "ConnectionError", "TimeoutError", "HTTPClientError", "ClientConnectionError",
    "ClientPayloadError", "TransportError", "gaierror",
}  # fmt: skip
_LONGEST_CAUSE = 300  # characters of a package's own message


class NotThereError(RunError):
    """The host answers that there is nothing at this address."""


class RefusedError(RunError):
    """The host does not let these credentials read this address."""


@dataclass(frozen=True)
class Address:
    """A folder or file at a host, e.g. `s3://bucket/runs`, without a slash at its end.

    Any text may be one; what cannot be read is told when it is asked.
    """

    text: str

    @property
    def scheme(self) -> str:
        return self.text.partition("://")[0].lower()

    @property
    def is_web(self) -> bool:
        """Whether the host serves files and lists no folder."""
        return self.scheme in _WEB

    @property
    def name(self) -> str:
        """The last part, as a folder or file would be called."""
        last = self.text.rpartition("/")[2]
        return unquote(last) if self.is_web else last

    @property
    def parent(self) -> Address:
        return Address(self.text.rpartition("/")[0])

    def __truediv__(self, name: str) -> Address:
        return Address(f"{self.text}/{quote(name) if self.is_web else name}")

    def __str__(self) -> str:
        """For messages and pages: a password or a key in a web address is not shown."""
        if not self.is_web:
            return self.text
        return re.sub(r"[?#].*", "?…", re.sub(r"//[^/]*@", "//…@", self.text))


def as_address(text: str) -> Address | None:
    """The address that `text` is, None when it is a folder of this machine."""
    text = text.strip()
    return Address(text.rstrip("/")) if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) else None


@contextmanager
def plainly(address: Address) -> Iterator[None]:
    """Turn every error of reading `address` into a sentence that names it and what to do.

    Raises:
        NotThereError, RefusedError, RunError: as the host answered, or did not.
    """
    fault = _fault(address)
    if fault:
        raise RunError(f"{address} {fault}.")
    try:
        yield
    except RunError:
        raise
    except ImportError as error:
        raise RunError(
            f"{address} cannot be read, because a package is missing ({error}). Install it: "
            f"pip install {PACKAGES[address.scheme]}"
        ) from error
    except FileNotFoundError as error:
        raise NotThereError(f"There is nothing at {address}, or it may not be seen.") from error
    except Exception as error:  # every package has errors of its own
        raise _told(address, error) from error


def _fault(address: Address) -> str:
    """What is wrong with an address itself; "" for nothing."""
    if address.scheme not in PACKAGES:
        known = ", ".join(f"{scheme}://" for scheme in PACKAGES)
        return f"is of a protocol that is not known here. Known are {known}"
    try:
        parts = urlsplit(address.text)
    except ValueError as error:
        return f"is no address ({error})"
    if not parts.netloc:
        return "names no host or bucket"
    if address.is_web and ("@" in parts.netloc or parts.query or parts.fragment):
        return "may hold no password, `?` or `#`. Put a user and password into ~/.netrc"
    return ""


def _told(address: Address, error: Exception) -> RunError:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    response = getattr(error, "response", None)
    status = getattr(error, "status", None) or getattr(response, "status_code", None)
    cause = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_CAUSE]
    if kinds & _REFUSALS or status in (401, 403):
        return RefusedError(
            f"{address} may not be read with these credentials ({cause}). "
            f"{_CREDENTIALS[address.scheme]}."
        )
    if kinds & _SILENCES:
        return RunError(
            f"The host of {address} does not answer ({cause}). Check the network and the address."
        )
    return RunError(f"{address} cannot be read ({cause}).")
