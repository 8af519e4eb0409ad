"""Links, history and sharing: what only a browser can show to work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import PATIENCE_MS, Visit, served

EINSTEIN = "latent?run=planted&sae=sae-32&latent=0"
Visitor = Callable[..., Visit]


def test_search_leads_to_a_latent_and_its_copied_link_shows_the_same_page_elsewhere(
    visitor: Visitor,
) -> None:
    first = visitor()
    first.open("")
    first.page.fill('.find.big input[name="q"]', "einstein")
    first.page.press('.find.big input[name="q"]', "Enter")
    first.heading("einstein")
    assert "/search?" in first.page.url
    first.page.click(".hits li:first-child a.name")
    first.page.wait_for_selector(".eq .lhs:text-is('einstein')")
    first.settle()
    first.page.click("button.copy-link")
    first.page.wait_for_selector("button.copy-link:text-is('Copied')")
    copied = first.page.evaluate("navigator.clipboard.readText()")

    assert copied.startswith(f"{first.address}/latent?")
    for part in ("run=planted", "sae=sae-32", "latent=0", "h="):
        assert part in copied
    second = visitor()
    second.page.goto(copied)
    second.heading("einstein")
    assert second.page.inner_text(".eq") == first.page.inner_text(".eq")
    assert second.page.inner_text(".examples >> nth=0") == first.page.inner_text(
        ".examples >> nth=0"
    )
    # the hash in the link is that of the run which is open, so there is nothing to warn about
    assert second.page.locator(".notice.problem").count() == 0


def test_the_very_first_visit_of_a_server_may_be_a_shared_link(
    browser: Browser, fixture_run: Path
) -> None:
    """Before its first run Streamlit does not know the app's pages; see `app.py`."""
    with served(fixture_run.parent) as address:
        page = browser.new_context().new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{address}/{EINSTEIN}")
        page.wait_for_selector("h1:text-is('einstein')")
        page.wait_for_selector(".topbar")
        assert page.locator('[data-testid="stSidebarNav"]').count() == 0
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.topbar')).display") == "flex"
        )
        page.context.close()


def test_links_do_not_reload_and_back_forward_and_reload_behave(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(EINSTEIN)
    visit.heading("einstein")
    visit.page.evaluate("window.notReloaded = true")
    visit.page.click(".eq .term a:text-is('scientist')")
    visit.heading("scientist")
    visit.page.click("table.plain a:text-is('curie')")
    visit.heading("curie")
    assert "latent=2" in visit.page.url
    assert visit.page.evaluate("window.notReloaded") is True
    visit.page.go_back()
    visit.heading("scientist")
    visit.page.go_back()
    visit.heading("einstein")
    assert visit.page.url.endswith(EINSTEIN)
    visit.page.go_forward()
    visit.heading("scientist")
    visit.page.reload()
    visit.heading("scientist")
    visit.page.go_back()
    visit.heading("einstein")


def test_previous_next_and_random_move_within_the_sae(visitor: Visitor) -> None:
    visit = visitor()
    visit.open("latent?run=planted&sae=sae-32&latent=1")
    visit.heading("berlin")
    visit.page.click(".actions a:has-text('Next')")
    visit.heading("curie")
    visit.page.click(".actions a:has-text('Previous')")
    visit.heading("berlin")
    drawn = visit.page.get_attribute(".actions a:text-is('Random')", "href") or ""
    assert "sae=sae-32" in drawn
    visit.page.click(".actions a:text-is('Random')")
    visit.page.wait_for_url(f"{visit.address}/{drawn}")
    expected = f"sae-32 / latent {drawn.rpartition('=')[2]}"
    expect(visit.page.locator(".crumbs")).to_have_text(expected, use_inner_text=True)


def test_links_work_without_our_script_by_loading_the_page(visitor: Visitor) -> None:
    visit = visitor()
    visit.page.add_init_script("window.subatomicBehaviour = true")  # our script stops at once
    visit.open(EINSTEIN)
    visit.heading("einstein")
    visit.page.evaluate("window.notReloaded = true")
    visit.page.click(".eq .term a:text-is('scientist')")
    visit.heading("scientist")
    assert visit.page.evaluate("window.notReloaded") is None


def test_a_click_on_a_node_opens_it_and_back_returns(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(EINSTEIN)
    visit.heading("einstein")
    _click_node(visit, "scientist")
    visit.heading("scientist")
    assert "/meta?" in visit.page.url
    assert "latent=1" in visit.page.url
    visit.page.go_back()
    visit.heading("einstein")
    visit.page.wait_for_timeout(500)  # a selection that came back would jump again
    assert visit.page.inner_text("h1") == "einstein"
    assert "/latent?" in visit.page.url


def test_a_click_on_a_member_opens_another_latent_and_back_returns(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(EINSTEIN)
    visit.heading("einstein")
    _click_node(visit, "zweistein")
    visit.heading("zweistein")
    assert "latent=14" in visit.page.url
    visit.page.go_back()
    visit.heading("einstein")


def test_a_click_on_the_tree_opens_a_descendant(visitor: Visitor) -> None:
    visit = visitor()
    visit.open("splitting?run=planted&sae=sae-8&latent=3")
    leaf = visit.page.locator(".js-plotly-plot g.slice").nth(2)  # 0 is the root
    words = leaf.locator("text").text_content() or ""
    leaf.click()
    visit.heading(words)
    assert "/latent?" in visit.page.url
    assert "sae=sae-32" in visit.page.url


def test_copy_link_without_a_clipboard_falls_back(visitor: Visitor) -> None:
    """As on a plain http address that is not localhost: navigator.clipboard is missing."""
    visit = visitor()
    visit.page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})"
    )
    visit.open(EINSTEIN)
    visit.heading("einstein")
    visit.page.click("button.copy-link")
    visit.page.wait_for_selector("button.copy-link:text-is('Copied')")
    reader = visit.context.new_page()
    reader.goto(f"{visit.address}/_stcore/health")
    reader.bring_to_front()
    assert "latent=0" in reader.evaluate("navigator.clipboard.readText()")


def test_copy_link_that_cannot_copy_shows_the_link_selected(visitor: Visitor) -> None:
    visit = visitor()
    visit.page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
        "document.execCommand = () => false"
    )
    visit.open(EINSTEIN)
    visit.heading("einstein")
    visit.page.click("button.copy-link")
    visit.page.wait_for_selector("input.link-text:visible")
    selected = visit.page.evaluate("document.getSelection().toString()")
    assert selected.startswith(f"{visit.address}/latent?")
    assert "h=" in selected


def test_panels_of_the_trust_page_are_links_and_back_returns(visitor: Visitor) -> None:
    visit = visitor()
    visit.open("trust?run=planted")
    visit.page.wait_for_selector(".pills b:text-is('meta-latents, in each SAE')")
    visit.page.evaluate("window.notReloaded = true")
    visit.page.focus(".pills a:text-is('within each dictionary')")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(".pills b:text-is('within each dictionary')")
    assert visit.page.url.endswith("trust?run=planted&cosines=within")
    assert visit.page.evaluate("window.notReloaded") is True
    visit.page.go_back()
    visit.page.wait_for_selector(".pills b:text-is('meta-latents, in each SAE')")


def test_a_switch_is_in_the_address(visitor: Visitor) -> None:
    visit, switch = visitor(), "Log scale"
    visit.open(EINSTEIN)
    visit.heading("einstein")
    visit.click(f"label:has-text('{switch}')", "log=1")
    visit.page.reload()
    visit.heading("einstein")
    assert visit.page.locator(f"label:has-text('{switch}') input").is_checked()
    assert "log scale" in visit.page.inner_text(".js-plotly-plot >> nth=0")


def _click_node(visit: Visit, name: str) -> None:
    visit.page.wait_for_selector("text='another latent with it'")
    visit.page.locator(".js-plotly-plot").nth(1).scroll_into_view_if_needed()
    visit.page.wait_for_timeout(500)
    place = visit.page.evaluate(
        """(name) => {
          const plot = document.querySelectorAll('.js-plotly-plot')[1];
          const layout = plot._fullLayout, box = plot.getBoundingClientRect();
          for (const trace of plot._fullData) {
            const i = (trace.text || []).indexOf(name);
            if (i >= 0) return [
              box.x + layout._size.l + layout.xaxis.d2p(trace.x[i]),
              box.y + layout._size.t + layout.yaxis.d2p(trace.y[i])];
          }
        }""",
        name,
    )
    visit.page.mouse.move(*place)
    visit.page.mouse.click(*place)
