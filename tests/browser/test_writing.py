"""Contexts in other scripts: order, direction, joined letters and towers of marks in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests import fixture_run as planted
from tests.browser.conftest import PATIENCE_MS, served
from tests.planted import Row

ARABIC = "ذهب أحمد إلى المدرسة في الصباح الباكر."
HEBREW = "שָׁלוֹם לכולם, הנה ירושלים ב־1905 תמיד."
PERSIAN = "او نمی\u200cخواهد برود."  # noqa: RUF001
MIXED = "We met שלום עולם yesterday."  # the mark starts the phrase: an isolate would part it
MIXED_BACK = "אמר Albert Einstein שלום"
OVERRIDE = "safe \u202egnp.exe end of line"
TEXTS = {
    "arabic": (ARABIC, "rtl"),
    "hebrew": (HEBREW, "rtl"),
    "persian": (PERSIAN, "rtl"),
    "mixed": (MIXED, "ltr"),
    "mixed back": (MIXED_BACK, "rtl"),
    "chinese": ("我们在东京见到了爱因斯坦。", "ltr"),
    "japanese": ("東京で会いましょう、ラーメン屋で。", "ltr"),
    "thai": ("สวัสดีครับ ยินดีต้อนรับ", "ltr"),
    "emoji": ("👩\u200d👩\u200d👧 and 🇩🇪🇫🇷 met 👍🏽 there.", "ltr"),
    "zalgo": ("Z" + "\u0335\u0301\u0300\u0302" * 12 + "algo c" + "\u0337" * 20 + "omes.", "ltr"),
    "override": (OVERRIDE, "ltr"),
}
# character by character, how the text stands from left to right when nothing is marked in it
SAME_ORDER = """([context]) => {
  const order = (element) => {
    const places = [], walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const text = walker.currentNode;
      for (let i = 0; i < text.length; i++) {
        const range = document.createRange();
        range.setStart(text, i);
        range.setEnd(text, i + 1);
        const box = range.getBoundingClientRect();
        places.push([Math.round(box.left + box.width / 2), places.length]);
      }
    }
    return places.sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, i]) => i);
  };
  const plain = context.cloneNode(false);
  plain.textContent = context.textContent;
  context.after(plain);
  for (const each of [context, plain]) {
    each.style.whiteSpace = "nowrap";
    each.querySelectorAll(".tok").forEach((token) => { token.style.fontWeight = "inherit"; });
  }
  const same = JSON.stringify(order(context)) === JSON.stringify(order(plain));
  const wider = Math.abs(
    [context, plain].map((each) => {
      const range = document.createRange();
      range.selectNodeContents(each);
      return range.getBoundingClientRect().width;
    }).reduce((a, b) => a - b));
  plain.remove();
  return [same, wider];
}"""


def _contexts() -> Iterator[Row]:
    """The planted contexts, the first sentence of each of the first latents replaced."""
    texts = {2 * i: text for i, (text, _) in enumerate(TEXTS.values())}
    for row in _planted():
        text = texts.get(row["context_id"])
        if text is None:
            yield row
            continue
        # cut as no tokenizer would: every second or third character, accents and flags in halves
        spans = [(m.start(), m.end()) for m in re.finditer(r"\S{1,3}", text)]
        yield {
            **row,
            "text": text,
            "token_starts": [start for start, _ in spans],
            "token_ends": [end for _, end in spans],
        }


_planted = planted._contexts


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("writing") / "planted"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planted, "_contexts", _contexts)
        planted.build_fixture_run(folder)
    with served(folder.parent) as found:
        yield found


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 420, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def _open(page: Page, address: str, name: str, more: str = "") -> None:
    latent = list(TEXTS).index(name)
    page.goto(f"{address}/latent?run=planted&sae=sae-32&latent={latent}{more}")
    page.wait_for_selector(".examples")
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')


@pytest.mark.parametrize("name", TEXTS)
def test_shading_moves_no_character_and_direction_is_that_of_the_text(
    page: Page, address: str, name: str
) -> None:
    _open(page, address, name, "&context=whole")
    context = page.locator(".examples .ctx >> nth=0")
    assert context.locator(".tok").count() >= 1
    assert context.evaluate("node => getComputedStyle(node).direction") == TEXTS[name][1]
    same, wider = context.evaluate(f"node => ({SAME_ORDER})([node])")
    assert same
    # letters that join keep their joined forms, so a marked word is as wide as a plain one
    assert wider < 1.0


@pytest.mark.parametrize("width", ["line", "near"])
@pytest.mark.parametrize("name", TEXTS)
def test_no_context_is_wider_than_a_phone(page: Page, address: str, name: str, width: str) -> None:
    _open(page, address, name, f"&context={width}")
    wider = (
        "(() => { const m = document.querySelector('.stMain');"
        " return m.scrollWidth - m.clientWidth; })()"
    )
    assert page.evaluate(wider) <= 0
    if width == "line":
        box = page.locator(".examples .snip >> nth=0").bounding_box()
        assert box
        assert box["height"] < 40  # one line


@pytest.mark.parametrize("name", ["arabic", "hebrew", "mixed", "mixed back"])
def test_one_line_keeps_the_order_too(page: Page, address: str, name: str) -> None:
    _open(page, address, name, "&context=line")
    same, _ = page.locator(".examples .snip >> nth=0").evaluate(f"node => ({SAME_ORDER})([node])")
    assert same


def test_a_line_from_right_to_left_runs_into_its_token_from_the_right(
    page: Page, address: str
) -> None:
    _open(page, address, "arabic", "&context=line")
    left, peak, right = (
        page.locator(f".examples .snip >> nth=0 >> xpath=./span[{i}]").bounding_box()
        for i in (3, 2, 1)
    )
    assert left
    assert peak
    assert right
    assert left["x"] < peak["x"] < right["x"]


def test_a_tower_of_marks_stays_in_its_example(page: Page, address: str) -> None:
    _open(page, address, "zalgo", "&context=whole")
    item = page.locator(".examples li >> nth=0")
    assert "[+44 marks]" in item.inner_text()  # 48 on one letter, of which four are drawn
    assert "[+16 marks]" in item.inner_text()
    assert item.evaluate("node => getComputedStyle(node).overflowY") == "clip"


def test_an_override_turns_nothing_around(page: Page, address: str) -> None:
    _open(page, address, "override", "&context=whole")
    shown = page.locator(".examples .ctx >> nth=0").inner_text()
    assert shown == "safe [U+202E]gnp.exe end of line"
