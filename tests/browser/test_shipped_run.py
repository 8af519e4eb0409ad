"""The same questions on the run that ships, whose answers a reader would recognise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import (
    PATIENCE_MS,
    REPOSITORY,
    click,
    eventually,
    served,
    settle,
    submit,
)


@pytest.fixture(scope="module")
def shipped() -> Iterator[str]:
    with served(REPOSITORY / "data") as address:
        yield address


@pytest.fixture
def page(browser: Browser, shipped: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(shipped)
    settle(page)
    yield page
    context.close()


def names(page: Page) -> list[str]:
    return page.locator(".hits .name").all_inner_texts()


def fired_on_bank(page: Page, sentence: str) -> set[str]:
    """Latents that fire on the word bank of an example sentence, by the real model."""
    click(page, "nav.pages a:text-is('Your text')", "/text")
    page.click(f"a:text-is('{sentence}')")
    page.click(".typed a.word:text-is('bank')")
    page.wait_for_selector("h2:has-text('On “bank”')")
    settle(page)
    return set(page.locator(".hits .name").all_inner_texts())


def test_bank_as_a_rivers_edge_and_as_money(page: Page) -> None:
    """What only one of the two fires: not the senses of a dictionary, but of this model."""
    river = fired_on_bank(page, "She sat down on the bank of the river.")
    money = fired_on_bank(page, "He took his money to the bank.")
    assert "bank" in river & money
    assert "buffer" in river - money
    assert any("money" in name for name in money - river)


def test_what_the_largest_sae_knows_about_music_and_the_smallest_does_not(page: Page) -> None:
    click(page, ".stops >> text=know that", "novelty=novel")
    submit(page, '.topbar input[name="q"]', "music", "q=music")
    page.wait_for_selector("h1:text-is('music')")
    assert eventually(lambda: len(names(page)) >= 10)
    assert any("music" in name for name in names(page))
    assert all(i.startswith("sae-24576/") for i in page.locator(".hits .id").all_inner_texts())


def test_the_french_counterpart_of_a_german_latent(page: Page) -> None:
    submit(page, '.find.big input[name="q"]', "germany", "q=germany")
    page.wait_for_selector("h1:text-is('germany')")
    page.click(".facet:has-text('SAE') summary >> nth=0")
    click(page, ".facet >> text='sae-24576'", "sae=sae-24576")
    german = page.locator(".hits li", has=page.locator(".oneline", has_text="german"))
    german.first.locator("a.name").click()
    page.wait_for_url("**/latent?**")
    row = page.locator("table.parts tr").filter(has=page.locator("a", has_text="german"))
    row.first.locator("a.add").nth(1).click()
    page.wait_for_url("**minus=**")
    submit(page, 'form.find input[name="find"]', "french", "find=french")
    click(page, ".pills:has-text('add') >> text='french'", "plus=")
    click(page, ".pills:has-text('how much') >> text='2×'", "factor=2")  # noqa: RUF001
    nearest = page.locator("table.plain").first.locator("tbody th")
    assert eventually(lambda: any("fr" in name for name in nearest.all_inner_texts()[:3]))
    assert any("french" in name or "france" in name for name in nearest.all_inner_texts()[:3])


def test_parts_are_told_by_meaning_and_by_spelling(page: Page) -> None:
    click(page, ".stops >> text=spelling rather than a meaning", "naming=spelling")
    spellings = ("words ", "numbers", "years")
    assert eventually(lambda: bool(names(page)))
    assert eventually(lambda: all(name.startswith(spellings) for name in names(page)))


def test_the_run_is_the_repositorys_own(page: Page, shipped: str) -> None:
    assert (Path(REPOSITORY) / "data" / "minilm" / "manifest.json").exists()
    page.goto(f"{shipped}/trust")
    settle(page)
    assert "Do the names say what members have in common?" in page.inner_text("body")
