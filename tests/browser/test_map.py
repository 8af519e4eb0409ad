"""The map in a real browser: click, lasso, reload, Back, and its size on a phone."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from tests.browser.conftest import Visit
from tests.planted import labels

Visitor = Callable[..., Visit]
MAP = "map?run=planted&sae=sae-32&colour=components"


def test_a_click_opens_a_latent_and_back_shows_the_map_as_it_was(visitor: Visitor) -> None:
    visit = _opened(visitor())
    visit.page.mouse.click(*_place(visit, 3))
    visit.heading("paris")
    assert "/latent?" in visit.page.url
    assert "sae=sae-32" in visit.page.url
    visit.page.go_back()  # one step, and with the colour
    visit.heading("Map of sae-32")
    assert visit.page.url.endswith(MAP)
    visit.page.wait_for_timeout(500)  # a selection that came back would jump again
    assert visit.page.inner_text("h1") == "Map of sae-32"


def test_a_click_on_the_map_of_a_meta_sae_opens_a_meta_latent(visitor: Visitor) -> None:
    visit = _opened(visitor(), "map?run=planted&sae=meta-4")
    visit.page.mouse.click(*_place(visit, 1))
    visit.heading("scientist")
    assert "/meta?" in visit.page.url


def test_a_lasso_lists_what_it_holds_and_the_address_carries_it(visitor: Visitor) -> None:
    visit = _opened(visitor())
    _lasso(visit, [3, 28], 10)  # side by side on the circle: 0.13 apart, the next at 0.15
    visit.page.wait_for_url("**lasso=**")
    visit.page.wait_for_selector("h2:text-is('2 latents selected')")
    visit.settle()
    listed = {"paris", "latent 28"}
    assert (labels()[3], labels()[28]) == ("paris", "")
    assert set(visit.page.locator("table.plain tbody th").all_inner_texts()) == listed
    address = visit.page.url

    visit.page.reload()
    visit.page.wait_for_selector("h2:text-is('2 latents selected')")
    assert visit.page.url == address
    assert set(visit.page.locator("table.plain tbody th").all_inner_texts()) == listed
    # what is outside is faded, as it was when the lasso was drawn
    _wait_for_plot(visit)
    chosen = visit.page.evaluate(
        "document.querySelector('.js-plotly-plot')._fullData.flatMap("
        "t => (t.selectedpoints || []).map(i => t.customdata[i])).sort((a, b) => a - b)"
    )
    assert chosen == [3, 28]

    visit.page.mouse.click(*_place(visit, 3))  # a click beside a selection still opens
    visit.heading("paris")
    visit.page.go_back()
    visit.page.wait_for_selector("h2:text-is('2 latents selected')")
    assert visit.page.url == address
    visit.page.click("a:text-is('clear the selection')")
    visit.page.wait_for_selector("h3:text-is('Highest')")
    assert "lasso" not in visit.page.url


def test_a_new_lasso_replaces_the_old_one_and_back_brings_it_again(visitor: Visitor) -> None:
    visit = _opened(visitor())
    _lasso(visit, [22, 9], 14)  # 3 and 28 lie between them on the circle
    visit.page.wait_for_selector("h2:text-is('4 latents selected')")
    visit.settle()
    _lasso(visit, [3, 28], 10)  # inside the first one
    visit.page.wait_for_selector("h2:text-is('2 latents selected')")
    visit.page.go_back()
    visit.page.wait_for_selector("h2:text-is('4 latents selected')")
    visit.page.go_back()
    visit.page.wait_for_selector("h3:text-is('Highest')")
    assert visit.page.url.endswith(MAP)


def test_the_map_can_be_read_and_searched_without_a_pointer(visitor: Visitor) -> None:
    visit = _opened(visitor())
    label = visit.page.get_attribute(".stPlotlyChart[role=figure]", "aria-label") or ""
    assert "32 points coloured by number of components" in label
    visit.page.focus(".mapfind input[name=q]")
    visit.page.keyboard.type("einstein")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("h3:has-text('found by “einstein”')")
    visit.settle()
    assert "colour=hit" in visit.page.url
    visit.page.focus(".maplist a >> nth=0")
    visit.page.keyboard.press("Enter")
    visit.heading("einstein")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_map_fits_a_phone_and_its_colours_follow_the_theme(
    visitor: Visitor, scheme: str
) -> None:
    visit = _opened(visitor(width=420, scheme=scheme), MAP + "&lasso=-2_-2_2_-2_2_2_-2_2")
    wider = visit.page.evaluate(
        "(() => { const m = document.querySelector('.stMain');"
        " return m.scrollWidth - m.clientWidth; })()"
    )
    assert wider <= 0
    scale = visit.page.get_attribute(".maplegend .scale", "style") or ""
    bright_end = scale.rstrip(";) ").endswith(("#fde725", "rgb(253, 231, 37"))
    assert bright_end == (scheme == "dark")


def _opened(visit: Visit, path: str = MAP) -> Visit:
    visit.open(path)
    _wait_for_plot(visit)
    return visit


def _wait_for_plot(visit: Visit) -> None:
    visit.page.wait_for_selector(".js-plotly-plot .gl-canvas-focus", state="attached")
    visit.settle()
    visit.page.locator(".js-plotly-plot").scroll_into_view_if_needed()
    visit.page.wait_for_timeout(1000)  # the first frame of WebGL; nothing tells when it is drawn


def _place(visit: Visit, latent: int) -> tuple[float, float]:
    """Where a latent is on the screen; the pointer is moved there, as a reader's would be."""
    x, y = visit.page.evaluate(
        """(latent) => {
          const plot = document.querySelector('.js-plotly-plot'), l = plot._fullLayout;
          const box = plot.getBoundingClientRect();
          for (const trace of plot._fullData) {
            const i = Array.from(trace.customdata).indexOf(latent);
            if (i >= 0) return [
              box.x + l._size.l + l.xaxis.d2p(trace.x[i]),
              box.y + l._size.t + l.yaxis.d2p(trace.y[i])];
          }
        }""",
        latent,
    )
    visit.page.mouse.move(x, y)
    return x, y


def _lasso(visit: Visit, latents: list[int], margin: float) -> None:
    """Draws an ellipse around latents, `margin` pixels wider than their bounding box."""
    places = [_place(visit, latent) for latent in latents]
    left, right = min(x for x, _ in places), max(x for x, _ in places)
    top, bottom = min(y for _, y in places), max(y for _, y in places)
    visit.page.click('.modebar-btn[data-val="lasso"]')
    visit.page.wait_for_function(
        "document.querySelector('.js-plotly-plot')._fullLayout.dragmode === 'lasso'"
    )
    visit.page.wait_for_timeout(300)
    # the corners of the box lie on an ellipse that is wider by the root of two
    across, down = ((b - a) / 2 * math.sqrt(2) + margin for a, b in ((left, right), (top, bottom)))
    for step in range(41):
        angle = math.tau * step / 40
        x = (left + right) / 2 + across * math.cos(angle)
        y = (top + bottom) / 2 + down * math.sin(angle)
        visit.page.mouse.move(x, y)
        if step == 0:
            visit.page.mouse.down()
    visit.page.mouse.up()
