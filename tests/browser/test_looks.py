"""What a reader's screen shows: hostile text, small screens, both themes, the keyboard."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.conftest import Visit
from tests.planted import HOSTILE, PLANTED

Visitor = Callable[..., Visit]
PAGES = (
    "",
    "search?q=e",
    "search?q=einstien",
    "latent?sae=sae-32&latent=0",
    "latent?sae=sae-32&latent=28",
    "latent?sae=sae-8&latent=0",
    "meta?sae=meta-4&latent=3",
    "stitching",
    "splitting",
    "trust",
    "trust?cosines=within",
    "experiments",
    "errors?metric=ce+rise",
    "pursuit",
    "absorption",
    "absorption?concept=classes&sae=sae-8",
    "edits",
    "steering",
    "resistance",
    "search?kind=meta&naming=meaning&with=meta-4/1",
    "ask",
    "ask?with=meta-4/0,meta-4/1",
    "ask?from=sae-32/6&minus=meta-4/1&plus=meta-4/3",
    "compare?a=sae-32/0&b=sae-32/6&c=meta-4/0",
    "map",
    "map?colour=novelty",
    "map?lasso=-2_-2_2_-2_2_2_-2_2",
    "text",
    "data",
)
FIRST_HOSTILE = 20  # index of HOSTILE[0] among the labels of sae-32


def test_labels_are_shown_as_they_are_and_nothing_of_them_runs(visitor: Visitor) -> None:
    visit = visitor()
    assert len(PLANTED) < FIRST_HOSTILE
    for place, label in enumerate(HOSTILE):
        visit.open(f"latent?sae=sae-32&latent={FIRST_HOSTILE + place}")
        # the direction override is the one character that must not reach the page
        visit.page.wait_for_function(
            "(label) => document.querySelector('h1')?.innerText === label",
            arg=label.replace("\u202e", "[U+202E]"),
        )
    visit.open("search?q=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E")
    assert visit.page.inner_text("h1") == "<img src=x onerror=alert(1)>"
    assert visit.page.locator(".stHtml img").count() == 0


def test_every_page_fits_a_phone_in_the_dark(visitor: Visitor) -> None:
    """What a theme changes are colours: the pages are as wide in the other one."""
    visit = visitor(width=420, scheme="dark")
    for path in PAGES:
        visit.open(path)
        wider = visit.page.evaluate(
            "(() => { const m = document.querySelector('.stMain');"
            " return m.scrollWidth - m.clientWidth; })()"
        )
        assert wider <= 0, path
        assert visit.page.locator('[data-testid="stException"]').count() == 0, path
    theme = visit.page.evaluate("getComputedStyle(document.querySelector('.stApp')).colorScheme")
    assert theme == "dark"


def test_every_page_draws_without_error_or_outside_request_in_the_light(visitor: Visitor) -> None:
    visit = visitor(scheme="light")
    for path in PAGES:
        visit.open(path)
        assert visit.page.locator('[data-testid="stException"]').count() == 0, path
    theme = visit.page.evaluate("getComputedStyle(document.querySelector('.stApp')).colorScheme")
    assert theme == "light"
    # `visitor` itself fails the test on console errors and foreign requests


def test_the_keyboard_reaches_search_and_links(visitor: Visitor) -> None:
    visit = visitor()
    visit.open("latent?sae=sae-32&latent=0")
    visit.page.keyboard.press("/")
    assert visit.page.evaluate("document.activeElement.name") == "q"
    visit.page.keyboard.type("berlin")
    visit.page.keyboard.press("Enter")
    visit.heading("berlin")
    visit.page.focus(".hits li:first-child a.name")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(".eq")
    assert visit.page.inner_text("h1") == "berlin"


def test_a_term_of_jargon_is_explained_on_focus(visitor: Visitor) -> None:
    visit = visitor()
    visit.open("latent?sae=sae-32&latent=0")
    term = visit.page.locator("table.parts .tip:text-is('cosine')")
    term.focus()
    shown = term.evaluate("node => getComputedStyle(node, '::after').content")
    assert "Cosine of the angle" in shown
