"""The page of a reader's own text in a real browser, with a stub for the language model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from backend import torch_python
from tests.browser.conftest import PATIENCE_MS, served
from tests.stub_worker import stub_python


@pytest.fixture(scope="module")
def page(
    browser: Browser, fixture_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """A visitor of a server whose Python with torch is the stub."""
    before = os.environ.get(torch_python.VARIABLE)
    os.environ[torch_python.VARIABLE] = str(stub_python(tmp_path_factory.mktemp("stub")))
    try:
        with served(fixture_run.parent) as address:
            context = browser.new_context(base_url=address)
            context.set_default_timeout(PATIENCE_MS)
            yield context.new_page()
            context.close()
    finally:
        os.environ.pop(torch_python.VARIABLE)
        if before is not None:
            os.environ[torch_python.VARIABLE] = before


def test_a_typed_text_becomes_links_and_a_click_shows_a_token(page: Page) -> None:
    page.goto("/text?run=planted")
    page.fill('textarea[name="t"]', "<b>We</b> met\nEinstein & שלום")
    page.evaluate("window.notReloaded = true")
    page.click('form.yourtext button[type="submit"]')
    page.click(".typed a.word:text-is('Einstein')")
    page.wait_for_selector("h2:has-text('On “Einstein”')")
    assert page.evaluate("window.notReloaded") is True
    assert page.input_value('textarea[name="t"]') == "<b>We</b> met\nEinstein & שלום"
    assert page.locator(".typed b").count() == 0
    assert page.locator(".typed br").count() == 1
    address = page.url
    page.go_back()
    page.wait_for_selector("h2:has-text('On “Einstein”')", state="detached")
    page.goto(address)  # what a shared link shows
    page.wait_for_selector("h2:has-text('On “Einstein”')")
    page.click(".hits a.name:text-is('einstein')")
    page.wait_for_selector("h1:text-is('einstein')")


def test_letters_of_a_hebrew_word_stand_from_right_to_left(page: Page) -> None:
    page.goto("/text?run=planted&t=Paris+%D7%A9%D7%9C%D7%95%D7%9D+%D7%A2%D7%95%D7%9C%D7%9D+here")
    page.wait_for_selector(".typed a.word")
    left = page.eval_on_selector_all(
        ".typed a.word", "links => links.map(link => link.getBoundingClientRect().left)"
    )
    paris, shalom, olam, here = left
    # an English line with two Hebrew words: they stand the other way round
    assert paris < olam < shalom < here


def test_a_reader_who_leaves_while_a_text_is_read_does_not_wait(page: Page) -> None:
    page.goto("/text?run=planted&t=hangs")  # the stub never answers; it is given up after 20 s
    page.wait_for_selector("text=Reading the text")
    page.click('nav.pages a:text-is("Trust")')
    page.wait_for_selector("h1:text-is('How far can you trust it?')", timeout=15_000)
