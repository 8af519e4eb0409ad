"""Files saved, text copied and a figure drawn: what a click does in a real browser."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from backend import downloads_html
from backend.downloads_html import decomposition_links_html
from tests.browser.conftest import Visit

Visitor = Callable[..., Visit]


def saved(page: Page, selector: str) -> tuple[str, bytes]:
    """Name and bytes of the file that a click saves."""
    with page.expect_download() as coming:
        page.click(selector)
    path = coming.value.path()
    return coming.value.suggested_filename, Path(path).read_bytes()


@pytest.fixture
def decomposition(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """A page with the row of links below a decomposition, whichever page it stands on."""
    monkeypatch.setattr(downloads_html, "are_served", lambda: True)
    visit = visitor()
    visit.open("data")
    visit.page.evaluate(
        "row => document.querySelector('.stHtml h1').insertAdjacentHTML('afterend', row)",
        decomposition_links_html("planted", "sae-32", 0),
    )
    return visit


def test_a_click_on_csv_saves_the_rows_and_leaves_the_page(visitor: Visitor) -> None:
    visit = visitor()
    visit.open("stitching?kind=novel")
    address = visit.page.url
    name, body = saved(visit.page, "nav.take[aria-label$='stitching'] a:text-is('CSV')")
    assert name == "planted-sae-8-sae-32-novel-change-stitching.csv"
    lines = body.decode().splitlines()
    assert lines[0].startswith("small_sae_id,large_sae_id,latent,label,kind")
    assert len(lines) == 1 + 15  # the novel latents that the page counts
    assert visit.page.url == address
    assert visit.page.inner_text("h1") == "From sae-8 to sae-32"


def test_a_whole_table_is_saved_from_the_page_of_the_data(
    visitor: Visitor, fixture_run: Path
) -> None:
    visit = visitor()
    visit.open("data")
    name, body = saved(visit.page, ".tables a[href*='table/members.parquet']")
    assert name == "planted-members.parquet"
    assert body == (fixture_run / "members.parquet").read_bytes()


def test_markdown_and_bibtex_are_copied(decomposition: Visit) -> None:
    page = decomposition.page
    for words, told in (
        ("Copy Markdown", "**einstein** = **0.60** scientist"),
        ("Copy BibTeX", "@misc{subatomic:planted:sae-32-0:"),
    ):
        page.evaluate("navigator.clipboard.writeText('')")
        page.click(f".take a:text-is('{words}')")
        page.wait_for_selector(".take a:text-is('Copied')")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert told in copied
        assert f"{decomposition.address}/latent?run=planted" in copied
        page.wait_for_selector(f".take a:text-is('{words}')")


def test_png_is_the_figure_at_twice_its_size(decomposition: Visit) -> None:
    name, body = saved(decomposition.page, ".take a:text-is('PNG')")
    assert name == "planted-sae-32-0-decomposition.png"
    assert body[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">I", body[16:20]) == (2 * 760,)
    assert len(body) > 10_000, "something is drawn on it"


def test_svg_is_saved_and_never_opened(decomposition: Visit) -> None:
    name, body = saved(decomposition.page, ".take a:text-is('SVG')")
    assert name == "planted-sae-32-0-decomposition.svg"
    assert body.startswith(b"<svg")
    assert decomposition.page.inner_text("h1") == "Take it away"


def test_code_is_copied_as_it_can_be_run(decomposition: Visit) -> None:
    page = decomposition.page
    page.click(".code button >> nth=0")
    page.wait_for_selector(".code button:text-is('Copied')")
    copied = page.evaluate("navigator.clipboard.readText()")
    compile(copied, "cell", "exec")
    assert f"address = '{decomposition.address}/download/table'" in copied


def test_an_answer_that_is_no_file_falls_back_to_its_words(visitor: Visitor) -> None:
    visit = visitor()
    visit.open("data")
    visit.page.evaluate(
        "row => document.querySelector('.stHtml h1').insertAdjacentHTML('afterend', row)",
        '<p><a class="take-copy" href="download/decomposition.md?sae=no&latent=0">gone</a></p>',
    )
    visit.page.click("a:text-is('gone')")
    visit.page.wait_for_selector("text=There is no SAE that was decomposed")
    expected = [error for error in visit.errors if "404" in error]
    assert expected, "the browser notes the status itself"
    visit.errors[:] = [error for error in visit.errors if error not in expected]


def test_lists_come_without_a_browser_too(visitor: Visitor) -> None:
    visit = visitor()
    found = visit.context.request.get(
        f"{visit.address}/download/components.json?sae=sae-32&latent=0"
    )
    rows = json.loads(found.body())["rows"]
    assert [row["label"] for row in rows] == ["scientist", "german", "words in e-"]
