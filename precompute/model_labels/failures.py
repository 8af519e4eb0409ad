"""What can go wrong between this machine and a server, by what to do about it."""

from __future__ import annotations


class EndpointError(Exception):
    """The server cannot be used, whatever it is asked: the message says why and what to do."""


class BusyError(Exception):
    """The server may answer later; `wait` is how many seconds it asks for, if it says so."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class RefusedError(Exception):
    """The server does not take this prompt; it may take others."""
