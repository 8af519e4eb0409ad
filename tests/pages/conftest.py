"""A page run in-process by Streamlit's own test runner."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 30


class Opened:
    """A page after its script ran."""

    def __init__(self, app: AppTest) -> None:
        self.app = app

    @property
    def html(self) -> str:
        """All HTML of the page, without the style sheet and the script."""
        bodies = [element.proto.body for element in self.app.get("html")]
        return "\n".join(body for body in bodies if not body.startswith(("<style", "<script")))

    @property
    def words(self) -> str:
        """What a reader reads."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.html)).split())

    @property
    def heading(self) -> str:
        found = re.search(r"<h1>(.*?)</h1>", self.html, re.DOTALL)
        return unescape(found[1]) if found else ""


@pytest.fixture
def opened(fixture_run: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Opened]:
    """Opens a page of the app: `opened("latent", sae="sae-32", latent="0")`.

    `data` is the folder of runs, the planted one when it is not given. A page that ends with an
    exception fails the test.
    """

    def open_page(page: str = "overview", data: Path | None = None, /, **params: str) -> Opened:
        monkeypatch.setenv("SUBATOMIC_DATA", str(data or fixture_run.parent))
        app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=SECONDS)
        app.run()
        if page != "overview":
            app.switch_page(f"app_pages/{page}.py")
        for name, value in params.items():
            app.query_params[name] = value
        app.run()
        assert [error.message for error in app.exception] == []
        return Opened(app)

    return open_page
