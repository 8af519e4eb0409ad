"""The keyboard, exact values of shaded tokens, and what a screen reader is given."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.conftest import Visit

Visitor = Callable[..., Visit]
BERLIN = "latent?run=planted&sae=sae-32&latent=1"
FOCUSED = "document.activeElement.textContent"


def test_j_and_k_go_to_the_next_and_previous_latent(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(BERLIN)
    visit.heading("berlin")
    visit.page.evaluate("window.notReloaded = true")
    for key, name in (("j", "curie"), ("n", "paris"), ("k", "curie"), ("p", "berlin")):
        visit.page.keyboard.press(key)
        visit.heading(name)
    assert visit.page.evaluate("window.notReloaded") is True


def test_no_key_does_anything_while_typing_or_with_another_key(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(BERLIN)
    visit.heading("berlin")
    for key in ("Control+j", "Alt+j", "Meta+j"):
        visit.page.keyboard.press(key)
    visit.page.keyboard.press("/")
    visit.page.keyboard.type("jkgs?")
    visit.page.wait_for_timeout(300)  # a step would have begun by now
    assert visit.page.input_value('.topbar input[name="q"]') == "jkgs?"
    assert visit.page.inner_text("h1") == "berlin"
    assert visit.page.locator("dialog[open]").count() == 0


def test_j_and_k_walk_through_hits_and_enter_opens_one(visitor: Visitor) -> None:
    visit = visitor()
    visit.open("search?run=planted&q=e")
    visit.page.wait_for_selector(".hits a.name")
    names = visit.page.locator(".hits a.name").all_inner_texts()
    assert len(names) > 2
    seen = []
    for key in ("j", "j", "j", "k"):
        visit.page.keyboard.press(key)
        seen.append(visit.page.evaluate(FOCUSED))
    assert seen == [names[0], names[1], names[2], names[1]]
    ring = "getComputedStyle(document.activeElement).outlineStyle"
    assert visit.page.evaluate(ring) == "solid"
    visit.page.keyboard.press("Enter")
    visit.heading(names[1])


def test_on_a_meta_latent_j_walks_its_members_and_n_goes_on(visitor: Visitor) -> None:
    visit = visitor()
    visit.open("meta?run=planted&sae=meta-4&latent=1")
    visit.heading("scientist")
    visit.page.keyboard.press("j")
    # the member on which it weighs most: 0.9
    assert visit.page.evaluate(FOCUSED) == "curie"
    visit.page.keyboard.press("n")
    visit.heading("words in e-")


def test_g_and_a_letter_go_to_a_page_of_the_same_run(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(BERLIN)
    visit.heading("berlin")
    visit.page.keyboard.press("g")
    visit.page.keyboard.press("t")
    visit.page.wait_for_url("**/trust?run=planted")
    visit.settle()
    visit.page.keyboard.press("t")  # without g a letter is only a letter
    visit.page.wait_for_timeout(300)
    assert "/trust?" in visit.page.url


def test_e_goes_to_the_downloads_of_the_page(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(BERLIN)
    visit.heading("berlin")
    visit.page.keyboard.press("e")
    assert "download/" in visit.page.evaluate("document.activeElement.getAttribute('href')")


def test_the_sheet_of_keys_is_a_dialog_that_holds_the_focus(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(BERLIN)
    visit.heading("berlin")
    visit.page.keyboard.press("?")
    sheet = visit.page.get_by_role("dialog", name="Keys")
    sheet.wait_for()
    assert "next and previous" in sheet.inner_text()
    for _ in range(4):
        visit.page.keyboard.press("Tab")
        # Chromium may pass its own bar between two rounds; the page behind stays out of reach
        assert visit.page.evaluate(
            "document.activeElement === document.body ||"
            " document.activeElement.closest('dialog') !== null"
        )
    visit.page.keyboard.press("j")
    visit.page.keyboard.press("Escape")
    sheet.wait_for(state="hidden")
    assert visit.page.inner_text("h1") == "berlin"
    # the button in the side bar opens the same one, on any page
    visit.page.keyboard.press("j")
    visit.heading("curie")
    visit.page.click("button.keys-hint")
    sheet.wait_for()
    sheet.get_by_role("button", name="Close").click()
    sheet.wait_for(state="hidden")


def test_the_value_of_a_token_shows_on_hover_and_on_focus(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(BERLIN)
    visit.heading("berlin")
    box = visit.page.locator(".value-box")
    visit.page.hover(".examples .tok.peak >> nth=0")
    box.wait_for()
    assert box.inner_text() == "activation 2.000"
    visit.page.mouse.move(5, 5)
    box.wait_for(state="hidden")
    visit.page.keyboard.press("v")
    box.wait_for()
    assert box.inner_text() == "activation 1.000"  # "We" comes before "berlin"
    visit.page.keyboard.press("v")
    assert box.inner_text() == "activation 2.000"
    assert visit.page.evaluate(FOCUSED) == "berlin"
    assert visit.page.evaluate("document.activeElement.getAttribute('aria-describedby')") == (
        visit.page.evaluate("document.querySelector('.value-box').id")
    )
    visit.page.keyboard.press("Shift+V")
    assert box.inner_text() == "activation 1.000"
    visit.page.keyboard.press("Escape")
    box.wait_for(state="hidden")


def test_a_touch_on_a_token_shows_its_value_and_unfolds_nothing(visitor: Visitor) -> None:
    visit = visitor(width=420)
    visit.open(f"{BERLIN}&context=line")
    visit.heading("berlin")
    touch = (
        "node => node.dispatchEvent(new PointerEvent('click',"
        " {bubbles: true, cancelable: true, pointerType: 'touch'}))"
    )
    visit.page.locator(".examples details.ctx .tok.peak >> nth=0").evaluate(touch)
    visit.page.wait_for_selector(".value-box:text-is('activation 2.000')")
    assert visit.page.locator("details.ctx[open]").count() == 0
    place = visit.page.locator(".value-box").bounding_box()
    assert place
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= 420


def test_tab_stops_once_at_each_context_and_never_at_a_token(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(f"{BERLIN}&context=line")
    visit.heading("berlin")
    assert visit.page.locator(".examples .tok").count() > 10
    assert visit.page.locator(".examples .tok[tabindex]").count() == 0
    assert visit.page.locator(".examples details.ctx > summary").count() > 3


def test_a_screen_reader_hears_where_it_fires_before_the_text(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(f"{BERLIN}&context=whole")
    visit.heading("berlin")
    heard = visit.page.locator(".examples li >> nth=0").aria_snapshot()
    told = heard.index("Fires on “berlin” 2.00, “We” 1.00 of at most 2.00:")
    assert told < heard.index("there")


def test_unfolding_all_and_marks_are_links_that_back_undoes(visitor: Visitor) -> None:
    visit = visitor()
    visit.open(f"{BERLIN}&context=line")
    visit.heading("berlin")
    visit.page.evaluate("window.notReloaded = true")
    visit.page.click(".views a:text-is('whole contexts')")
    visit.page.wait_for_selector(".views b:text-is('whole contexts')")
    assert visit.page.locator(".examples details.ctx").count() == 0
    visit.page.click(".views a:text-is('show blanks and line breaks')")
    visit.page.wait_for_selector(".ws.sp")
    dot = "getComputedStyle(document.querySelector('.ws.sp'), '::after').content"
    assert "·" in visit.page.evaluate(dot)
    assert visit.page.inner_text(".examples .ctx >> nth=0") == "We met berlin there."
    visit.page.go_back()
    visit.page.wait_for_selector(".ws.sp", state="detached")
    assert visit.page.evaluate("window.notReloaded") is True
