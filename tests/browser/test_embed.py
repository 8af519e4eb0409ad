"""Pages inside other pages: no bars, links that stay inside, one that leads out."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import Visit

Visitor = Callable[..., Visit]
EINSTEIN = "latent?run=planted&sae=sae-32&latent=0"
FOOT = ".st-key-embed-foot a.outside"


def _embedded(visit: Visit, path: str, heading: str) -> None:
    visit.page.goto(f"{visit.address}/{path}&embed=true")
    _settle(visit, heading)


def _settle(visit: Visit, heading: str) -> None:
    visit.page.wait_for_selector(f"h1:text-is('{heading}')")
    visit.page.wait_for_selector(FOOT)
    visit.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


def test_an_embed_has_no_bars_and_says_what_it_is(visitor: Visitor) -> None:
    visit = visitor()
    _embedded(visit, EINSTEIN, "einstein")
    for gone in (".topbar", ".actions", "nav.pages", ".keys-hint", '[data-testid="stSidebar"]'):
        assert visit.page.locator(gone).locator("visible=true").count() == 0, gone
    foot = visit.page.inner_text(FOOT)
    assert foot.startswith("Subatomic · planted · ")
    whole = visitor()
    whole.open(EINSTEIN)
    # the same hash that the copied link of the whole page carries
    href = whole.page.get_attribute("button.copy-link", "data-href") or ""
    assert foot == f"Subatomic · planted · {parse_qs(urlsplit(href).query)['h'][0]}"
    visit.page.keyboard.press("j")
    visit.page.keyboard.press("?")
    visit.page.wait_for_timeout(300)
    assert visit.page.inner_text("h1") == "einstein"
    assert visit.page.locator("dialog").count() == 0


def test_links_inside_an_embed_stay_inside(visitor: Visitor) -> None:
    visit = visitor()
    _embedded(visit, f"{EINSTEIN}&embed_options=dark_theme", "einstein")
    visit.page.click(".eq .term a:text-is('scientist')")
    _settle(visit, "scientist")
    query = parse_qs(urlsplit(visit.page.url).query)
    assert query["embed"] == ["true"]
    assert query["embed_options"] == ["dark_theme"]
    assert visit.page.locator(".topbar").count() == 0
    visit.page.go_back()
    _settle(visit, "einstein")


def test_the_line_below_opens_the_whole_page_in_a_new_tab(visitor: Visitor) -> None:
    visit = visitor()
    _embedded(visit, f"{EINSTEIN}&context=line", "einstein")
    with visit.context.expect_page() as opening:
        visit.page.click(FOOT)
    page = opening.value
    page.wait_for_selector(".topbar")
    query = parse_qs(urlsplit(page.url).query)
    assert query == {"run": ["planted"], "sae": ["sae-32"], "latent": ["0"], "context": ["line"]}
    assert page.evaluate("window.opener") is None
    assert visit.page.inner_text("h1") == "einstein"


def test_the_copied_code_is_a_frame_that_works_in_a_foreign_page(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(f"{EINSTEIN}&marks=1")
    visit.page.click("button.embed-code")
    visit.page.wait_for_selector("button.embed-code:text-is('Copied')")
    code = visit.page.evaluate("navigator.clipboard.readText()")
    assert code.startswith("<iframe ")
    source = unescape(code.partition('src="')[2].partition('"')[0])
    query = parse_qs(urlsplit(source).query)
    assert query["embed"] == ["true"]
    assert query["marks"] == ["1"]
    assert "h" in query
    assert 'title="einstein · Subatomic"' in code
    visit.page.wait_for_selector("button.embed-code:text-is('Copy embed code')")
    visit.page.set_content(f"<p>Someone's page</p>{code}")
    inside = visit.page.frame_locator("iframe")
    inside.locator("h1:text-is('einstein')").wait_for()
    assert inside.locator(".notice.problem").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(420, 600), (800, 500)])
def test_an_embed_fits_its_frame(visitor: Visitor, width: int, height: int, scheme: str) -> None:
    visit = visitor(width=width)
    visit.page.set_viewport_size({"width": width, "height": height})
    for path, heading in (
        (EINSTEIN, "einstein"),
        ("meta?run=planted&sae=meta-4&latent=1", "scientist"),
        ("search?run=planted&q=berlin", "berlin"),
    ):
        _embedded(visit, f"{path}&embed_options={scheme}_theme", heading)
        wider = "(() => { const m = document.querySelector('.stMain');"
        wider += " return m.scrollWidth - m.clientWidth; })()"
        assert visit.page.evaluate(wider) <= 0
        theme = "getComputedStyle(document.querySelector('.stApp')).colorScheme"
        assert visit.page.evaluate(theme) == scheme
        # the name is at the top, the line at the lower edge, also while the rest scrolls
        head = visit.page.locator("h1").bounding_box()
        foot = visit.page.locator(FOOT).bounding_box()
        assert head
        assert foot
        assert head["y"] < 100
        assert height - 40 < foot["y"] + foot["height"] <= height
