"""A real server on the planted run and a real Chromium."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# generous: a training run may hold the processors
START_SECONDS = 180
PATIENCE_MS = 120_000

# Streamlit looks for its own server below each page's path before it finds it at the root
STREAMLIT_PROBES = ("/_stcore/health", "/_stcore/host-config")


@dataclass
class Visit:
    """One page of a fresh browser context, with everything that went wrong on it."""

    page: Page
    context: BrowserContext
    address: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}/{path}")
        self.settle()

    def settle(self) -> None:
        settle(self.page)

    def click(self, selector: str, address: str) -> None:
        click(self.page, selector, address)

    def submit(self, selector: str, words: str, address: str) -> None:
        submit(self.page, selector, words, address)

    def heading(self, words: str) -> None:
        """Wait for the page whose heading is `words`."""
        self.page.wait_for_selector(f"h1:text-is('{words}')")
        self.settle()


def settle(page: Page) -> None:
    """Wait until the page has drawn its bar and no script is running."""
    page.wait_for_selector(".topbar")
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


def click(page: Page, selector: str, address: str) -> None:
    """Click, and wait until the address holds what is asked for.

    The page that was there can stay for some moments more: wait for what the new one shows.
    """
    page.click(selector)
    page.wait_for_url(f"**{address}**")
    settle(page)


def submit(page: Page, selector: str, words: str, address: str) -> None:
    """Write into a field and press Enter, and wait as `click` does."""
    page.fill(selector, words)
    page.press(selector, "Enter")
    page.wait_for_url(f"**{address}**")
    settle(page)


def eventually(holds: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something becomes true: a page is drawn anew some moments after a click."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


@contextmanager
def served(data: Path) -> Iterator[str]:
    """Address of `streamlit run serve.py` on a folder of runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "serve.py", "--server.port", str(port)],
        cwd=REPOSITORY,
        env={**os.environ, "SUBATOMIC_DATA": str(data), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def server(fixture_run: Path) -> Iterator[str]:
    """One server on the planted run for all tests."""
    with served(fixture_run.parent) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE_MS
        )
        yield started
        started.close()


@pytest.fixture
def visitor(browser: Browser, server: str) -> Iterator[Callable[..., Visit]]:
    """Makes visits; after the test each must be without console errors and foreign requests."""
    visits: list[Visit] = []

    def visit(width: int = 1400, scheme: str = "light") -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        context.set_default_timeout(PATIENCE_MS)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
        made = Visit(context.new_page(), context, server)
        context.on("request", lambda request: _note_foreign(made, request.url))
        made.page.on(
            "console",
            lambda message: _note_error(
                made, message.type, message.text, message.location.get("url", "")
            ),
        )
        made.page.on("pageerror", lambda error: made.errors.append(str(error)))
        made.page.on("dialog", lambda dialog: _note_dialog(made, dialog.message, dialog.dismiss))
        visits.append(made)
        return made

    yield visit
    for made in visits:
        made.context.close()
    assert [error for made in visits for error in made.errors] == []
    assert [url for made in visits for url in made.foreign] == []


def _note_foreign(visit: Visit, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
        visit.foreign.append(url)


def _note_error(visit: Visit, kind: str, text: str, url: str) -> None:
    if kind == "error" and not url.endswith(STREAMLIT_PROBES):
        visit.errors.append(f"{text} ({url})")


def _note_dialog(visit: Visit, message: str, dismiss: Callable[[], None]) -> None:
    visit.errors.append(f"a dialog opened: {message}")
    dismiss()


def _wait_until_up(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with code {process.returncode}")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
                if answer.read() == b"ok":
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"no server at {address} after {START_SECONDS} s")
