"""The page of a reader's own text, with a process that stands for the language model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest

from backend import torch_python
from backend.own_text_html import enable_html
from backend.reading import LONGEST_TEXT
from backend.text_worker import WORKER
from tests.pages.conftest import Opened
from tests.planted import HOSTILE
from tests.stub_worker import stub_python

Open = Callable[..., Opened]
EINSTEIN = "We met Einstein in Berlin ."
MARKUP = (
    *HOSTILE,
    "<img src=x onerror=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</a></div><h1>new</h1>",
    "<svg/onload=alert(1)>",
    "<!-- <style> -->",
    "javascript:alert(1)",
    "&lt;b&gt;&amp;",
    '" style="position:fixed" x="',
    "' onclick='alert(1)",
    "\u202eabc\u2066\u200f",
    "e" + "\u0301" * 300,
    "\x00\x1b[31m\x07\x7f\x85",
    "${7*7}{{7*7}}<%= 7*7 %>",
    "\r\n\r\n\t\u2028\u2029",
)


@pytest.fixture
def reading(opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """As `opened`, with the stub in the place of the language model."""
    monkeypatch.setenv(torch_python.VARIABLE, str(stub_python(tmp_path)))
    yield opened
    WORKER.stop()


def _link_texts(page: Opened, css: str) -> list[tuple[str, str]]:
    """(href, words) of the links of a class, entities decoded."""
    found = re.findall(rf'<a class="[^"]*\b{css}\b[^"]*" href="([^"]*)"[^>]*>(.*?)</a>', page.html)
    return [(unescape(href), unescape(words)) for href, words in found]


def test_an_empty_page_explains_itself_and_gives_examples(reading: Open) -> None:
    page = reading("text")
    assert page.heading == "Your text"
    assert "Is the bank of a river the bank that holds money?" in page.words
    assert "text?run=planted&amp;sae=sae-32&amp;t=He+took+his+money" in page.html
    assert "How to enable it" not in page.words
    assert WORKER.pid is None  # nothing is started before there is a text


def test_only_saes_with_encoders_are_offered_and_the_page_says_why(reading: Open) -> None:
    page = reading("text")
    assert "read by sae-32 Not sae-8: to stay small" in page.words
    asked = reading("text", sae="sae-8", t="x")
    assert "“sae-8” has no encoder in this run; sae-32 reads instead." in asked.words
    hostile = reading("text", sae="<b>x</b>", t="x")
    assert "“<b>x</b>” is no SAE of this run" in hostile.words
    assert "<b>x</b>" not in hostile.html


def test_every_token_is_a_link_that_keeps_the_text(reading: Open) -> None:
    page = reading("text", t=EINSTEIN)
    words = _link_texts(page, "word")
    assert [shown for _, shown in words] == ["We", "met", "Einstein", "in", "Berlin", "."]
    assert words[2][0] == "text?run=planted&sae=sae-32&t=We+met+Einstein+in+Berlin+.&token=3"
    # einstein 1.0 of a maximum of 2.0: 50 %, squared 0.25; no latent fires on "met"
    shades = re.findall(r'class="tok word[^"]*"[^>]*style="--a:([\d.]+)"', page.html)
    assert shades == ["0.000", "0.000", "0.250", "0.000", "0.250", "0.000"]
    assert 'title="2 latents, 50.0 %"' in page.html


def test_a_token_shows_its_latents_with_their_components(reading: Open) -> None:
    page = reading("text", t=EINSTEIN, token="3")
    assert "On “Einstein” token 3 of 6, 2 latents" in page.words
    first, second = page.html.split('<ol class="hits">')[1].split("<li>")[1:3]
    assert "sae-32/0" in first
    # activation 1.0 of 2.0; 100 of 100,000 tokens
    for figure in ("<b>1.00</b>", "<b>50.0 %</b>", "0.10 %"):
        assert figure in first
    line = unescape(re.sub("<[^>]*>", "", first.split('class="oneline"')[1])).strip(">\n ")
    assert line.startswith("= 0.60 scientist + 0.50 german + 0.40 words in e- + …")
    assert 'href="meta?run=planted&amp;sae=meta-4&amp;latent=1"' in first
    assert 'href="latent?run=planted&amp;sae=sae-32&amp;latent=0"' in first
    assert "sae-32/1" in second
    # german: 1.0 x 0.5 + 0.5 x 0.6 = 0.80 through both; city only through berlin: 0.5 x 0.7
    metas = page.words.split("Their meta-latents")[1].split("The whole text")[0]
    assert "german 0.80" in metas
    assert "city 0.35" in metas
    assert 'aria-current="true"' in page.html


def test_the_whole_text_is_pooled(reading: Open) -> None:
    page = reading("text", t=EINSTEIN)
    whole = page.words.split("The whole text")[1]
    assert "6 tokens 2 latents fire 0.5 at once 4 meta-latents behind them" in whole
    # berlin fires on two tokens, 1.0 at most; both reach 50 % of their maximum
    assert "einstein 50.0 % 1.00 1 0.10 %" in whole
    assert "berlin 50.0 % 1.00 2 0.099 %" in whole
    # german: einstein 1.0 x 0.5 + berlin (0.5 + 1.0) x 0.6 = 1.4, over 6 tokens
    assert "german 0.23" in whole


def test_the_text_can_be_shaded_by_one_latent(reading: Open) -> None:
    page = reading("text", t=EINSTEIN, latent="1")
    shades = re.findall(r'class="tok word[^"]*"[^>]*style="--a:([\d.]+)"', page.html)
    # berlin: 0.5 of 2.0 on Einstein, 1.0 of 2.0 on Berlin, squared
    assert shades == ["0.000", "0.000", "0.062", "0.000", "0.250", "0.000"]
    assert "shade: berlin (sae-32/1), share of its maximum; all latents" in page.words
    zero = reading("text", t=EINSTEIN, latent="0")
    assert "shade: einstein (sae-32/0)" in zero.words


@pytest.mark.parametrize("token", ["0", "7", "-1", "x", "<b>", "9" * 30])
def test_a_token_that_is_not_there_gives_a_message(reading: Open, token: str) -> None:
    page = reading("text", t=EINSTEIN, token=token)
    assert f"There is no token “{token}” here: they go from 1 to 6." in page.words
    assert "The whole text" in page.words


@pytest.mark.parametrize("latent", ["7", "-1", "x", "99999999999999999999"])
def test_a_latent_that_does_not_fire_shades_nothing_new(reading: Open, latent: str) -> None:
    page = reading("text", t=EINSTEIN, latent=latent)
    assert "shade: the strongest latent" in page.words


def test_a_click_needs_no_new_reading(reading: Open) -> None:
    page = reading("text", t="Curie met Darwin")
    WORKER.stop()
    page.app.query_params["token"] = "1"
    page.app.run()
    assert "On “Curie” token 1 of 3, 1 latent" in Opened(page.app).words
    assert WORKER.pid is None


def test_nothing_fires(reading: Open) -> None:
    assert "There is no latent that fires in this text." in reading("text", t="met there").words


def test_a_token_on_which_nothing_fires_says_so(reading: Open) -> None:
    page = reading("text", t=EINSTEIN, token="2")
    assert "On “met” token 2 of 6, 0 latents" in page.words
    assert "None: these latents have no components in this run." in page.words


def test_what_was_not_read_is_said_and_grey(reading: Open) -> None:
    page = reading("text", t="paris " * 400)  # 2,400 characters; the stub reads 126 tokens
    assert "Only the first 2,000 characters were taken." in page.words
    # 333 whole words and "pa": 334 tokens
    assert "Only the first 126 of 334 tokens were read" in page.words
    rest = page.html.split('class="unread">')[1].split("</span>")[0]
    assert rest.count("paris") == 333 - 126
    assert len(_link_texts(page, "word")) == 126


@pytest.mark.parametrize("place", range(len(MARKUP)))
def test_hostile_text_is_shown_and_does_nothing(reading: Open, place: int) -> None:
    page = reading("text", t=f"Einstein {MARKUP[place]} paris", token="1")
    assert page.heading == "Your text"
    assert "On “Einstein”" in page.words
    body = re.sub(r"<textarea.*?</textarea>", "", page.html, flags=re.DOTALL)
    for tag in ("<script", "<img", "<svg", "<style", "<!--", "<h1>new", "onclick='"):
        assert tag not in page.html
    assert page.html.count("</textarea>") == 1
    for hidden in "\u202e\u2066\u200f\x00\x1b\x07\x7f\x85\u2028":
        assert hidden not in body


def test_the_box_holds_what_was_typed(reading: Open) -> None:
    typed = "\n<b>two\nlines</b> \u202eabc & more"
    page = reading("text", t=typed)
    box = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page.html, re.DOTALL)
    assert box is not None
    assert unescape(box[1]) == typed
    assert f'maxlength="{LONGEST_TEXT}"' in page.html


@pytest.mark.parametrize(("times", "is_read"), [(30_000, True), (900_000, False)])
def test_megabytes_in_the_address_do_no_harm(reading: Open, times: int, is_read: bool) -> None:
    page = reading("text", t="<b>einstein " * times)
    # of the ten megabytes Streamlit itself makes nothing, and says so in its log
    assert ("Only the first 2,000 characters were taken." in page.words) is is_read
    assert page.heading == "Your text"
    assert len(page.html) < 1_000_000


def test_text_from_right_to_left_sets_its_own_direction(reading: Open) -> None:
    page = reading("text", t="שלום Einstein עולם")
    assert '<div class="typed" dir="auto">' in page.html
    assert [words for _, words in _link_texts(page, "word")] == ["שלום", "Einstein", "עולם"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dies", "The process that runs the language model ended (code 3). Try again"),
        ("garbage", "gave no proper answer, so it was stopped."),
        ("no such latent", "gave no proper answer, so it was stopped."),
        ("refused", "the run keeps no encoders of sae-8."),
    ],
)
def test_what_goes_wrong_is_told_in_plain_words(reading: Open, text: str, words: str) -> None:
    page = reading("text", t=text)
    assert words in page.words
    assert 'role="alert"' in page.html
    assert "The whole text" in reading("text", t=EINSTEIN).words


def test_without_torch_the_page_says_how_to_enable_it(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(torch_python.VARIABLE, "/nowhere/python")
    for page in (opened("text"), opened("text", t="never read before")):
        assert "How to enable it" in page.words
        assert ".venv/bin/pip install -r requirements.txt" in page.words
        assert enable_html() in page.html
    assert "SUBATOMIC_TORCH_PYTHON names /nowhere/python, which is no program" in page.words


def test_a_run_without_encoders_says_so(reading: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"sae_id": "sae-8", "n_latents": 8, "has_encoder": False, "meta_sae_id": None}]
    monkeypatch.setattr("backend.own_text.text_saes", lambda _run: rows)
    page = reading("text", t="x")
    assert "This run keeps the encoder of none of its SAEs, so it cannot read text." in page.words
