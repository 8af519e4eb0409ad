"""Contexts as HTML: spans, shades, escapes."""

from __future__ import annotations

import re
from html import unescape

import pytest

from backend.text_html import latent_name, number, percent, plain, safe, shortened
from backend.token_html import ContextView, context_html, legend_html, shade

HUNDRED = " ".join(f"w{i:03d}" for i in range(100))


def _words(html: str) -> str:
    """What is visible: without tags and without the sentence for screen readers."""
    return unescape(re.sub(r"<[^>]*>", "", re.sub(r'<p class="sr">.*?</p>', "", html)))


def _hundred(peak: int, view: ContextView | None = None) -> str:
    """A context of the hundred tokens w000 to w099, of which one fires."""
    starts = [5 * i for i in range(100)]
    ends = [start + 4 for start in starts]
    return context_html(HUNDRED, starts, ends, [peak], [1.0], peak, 1.0, view)


def test_the_shade_is_the_square_root_of_the_share_of_the_maximum() -> None:
    assert shade(4.0, 4.0) == 1.0
    assert shade(1.0, 4.0) == 0.5  # sqrt(1/4)
    assert shade(0.0, 4.0) == 0.0
    assert shade(9.0, 4.0) == 1.0  # more than the maximum cannot be shown
    assert shade(1.0, 0.0) == 0.0  # a dead latent has no scale
    assert shade(float("nan"), 4.0) == 0.0


def test_a_context_keeps_its_text_and_marks_what_fires() -> None:
    text = "We met 🙂 & <b>Einstein</b>."
    starts, ends = [0, 3, 7, 9, 14, 22], [2, 6, 8, 10, 22, 27]
    html = context_html(text, starts, ends, [1, 4], [0.5, 2.0], peak=4, maximum=2.0)
    assert _words(html) == text
    assert html.count("<mark") == 2
    assert '--a:0.500" title="activation 0.500">met<' in html  # sqrt(0.5 / 2)
    assert 'class="tok peak" style="--a:1.000" title="activation 2.000">Einstein<' in html
    assert "<b>" not in html


def test_a_screen_reader_hears_one_sentence_and_then_the_plain_text() -> None:
    starts, ends = [0, 3, 7, 13], [2, 6, 12, 18]
    told = context_html(
        "We met <b> bank.", starts, ends, [1, 2], [0.5, 3.25], 2, maximum=4.0, says_maximum=True
    )
    # strongest first; escaped like all text of a run
    sentence = "Fires on “&lt;b&gt; b” 3.25, “met” 0.50 of at most 4.00:"
    assert told.startswith(f'<p class="sr">{sentence}</p>')
    assert "aria-hidden" not in told
    assert "tabindex" not in told  # every shaded token a tab stop would be a flood
    unknown = context_html("We met", [0, 3], [2, 6], [1], [0.5], 1, maximum=0.5)
    assert unknown.startswith('<p class="sr">Fires on “met” 0.50:</p>')


def test_a_dense_latent_is_summed_up_in_the_sentence() -> None:
    html = context_html("abcdefgh", range(8), range(1, 9), range(8), [1.0] * 8, 0, 1.0)
    assert "“f” 1.00 and 2 more:" in html  # six are named


def test_both_values_of_a_merged_piece_are_told() -> None:
    html = context_html("🙂", [0, 0], [1, 1], [0, 1], [0.25, 1.0], peak=1, maximum=1.0)
    assert 'title="activation 0.250, 1.000"' in html
    assert _words(html) == "🙂"


def test_a_long_context_is_cut_around_its_peak_and_unfolds() -> None:
    snippet, _, whole = _hundred(50).partition("</summary>")
    # 18 tokens on each side of number 50
    assert _words(snippet).startswith("… w032 ")
    assert "w068 …" in _words(snippet)
    assert "w031" not in snippet
    assert "w069" not in snippet
    assert _words(whole) == HUNDRED


def test_the_start_and_the_end_of_a_text_are_not_cut() -> None:
    snippet = _words(_hundred(0).partition("</summary>")[0])
    assert snippet.startswith("w000 w001")
    assert "w018 …" in snippet


def test_a_word_of_several_pieces_is_not_cut_at_the_edge() -> None:
    # forty tokens of two letters, written in words of two tokens: "ab" "cd" is "abcd"
    text = " ".join(["abcd"] * 20)
    starts = [5 * (i // 2) + 2 * (i % 2) for i in range(40)]
    html = context_html(text, starts, [s + 2 for s in starts], [19], [1.0], 19, 1.0)
    snippet = _words(html.partition("</summary>")[0])
    # 18 before token 19 is token 1, the second half of the first word: the whole of it is shown
    assert snippet.startswith("abcd abcd")
    assert "… cd" not in snippet


@pytest.mark.parametrize(("width", "folds"), [("line", True), ("near", True), ("whole", False)])
def test_the_address_says_how_much_is_shown(width: str, folds: bool) -> None:
    html = _hundred(50, ContextView(width))
    assert ("<details" in html) == folds
    assert _words(html.rpartition("<div")[2].partition(">")[2]) == HUNDRED
    if width == "line":
        snippet = _words(html.partition("</summary>")[0])
        assert snippet.startswith("… w041 ")  # 9 on each side
        assert "w059 …" in snippet


@pytest.mark.parametrize(
    ("text", "css"),
    [("We met him", "line"), ("שלום לכולם 1905", "line"), ("We met שלום", "line-mixed")],
)
def test_one_line_of_both_directions_is_one_run(text: str, css: str) -> None:
    spans = [match.span() for match in re.finditer(r"\w+", text)]
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    html = context_html(text, starts, ends, [1], [1.0], 1, 1.0, ContextView("line"))
    assert f'<details class="ctx {css}">' in html
    # three columns, the first of them in a box of its own, or one run
    assert html.partition("</summary>")[0].count("<span>") == (4 if css == "line" else 1)


def test_every_context_finds_its_own_direction() -> None:
    for width in ("line", "near", "whole"):
        html = _hundred(50, ContextView(width))
        assert html.count('dir="auto"') == (1 if width == "whole" else 2)


def test_blanks_are_elements_when_asked_for_and_the_text_stays_the_same() -> None:
    text = "a  b\tc\u00a0d\ne"
    starts, ends = [0, 3, 5, 7, 9], [1, 4, 6, 8, 10]
    html = context_html(text, starts, ends, [1], [1.0], 1, 1.0, ContextView(marks=True))
    assert _words(html) == "a  b c d↵e"
    for css, n in (("sp", 2), ("tab", 1), ("other", 1)):
        assert html.count(f'<span class="ws {css}"> </span>') == n
    # every token has its borders, shaded or not
    assert html.count('<span class="cut">') == 4
    assert html.count("<mark") == 1
    plain_html = context_html(text, starts, ends, [1], [1.0], 1, 1.0)
    assert 'class="ws' not in plain_html
    assert _words(plain_html) == "a  b c d↵e"


def test_a_token_of_spaces_is_made_visible() -> None:
    html = context_html("a  b", [0, 1, 3], [1, 3, 4], [1], [1.0], peak=1, maximum=1.0)
    assert ">␣<" in html


def test_the_legend_names_the_scale_and_ends_at_the_maximum() -> None:
    html = legend_html(8.0)
    assert '--a:1.000">8.00<' in html
    assert '--a:0.500">2.00<' in html  # sqrt(1/4)
    assert "square root" in html
    assert "maximum 8.00" in html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>", "&lt;script&gt;"),
        ("\"'", "&quot;&#x27;"),
        ("\u202eabc", "[U+202E]abc"),
        ("\x00\x1b", "[U+0000][U+001B]"),
        ("a\nb", "a↵b"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("نمی\u200cشود", "نمی\u200cشود"),  # Persian needs the non-joiner inside words
        ("שלום\u200f!", "שלום\u200f!"),
        ("\u200f", "[U+200F]"),  # alone it would be an empty name
        ("\u2067abc\u2069", "[U+2067]abc[U+2069]"),
        ("Z" + "\u0335" * 30 + "a", "Z" + "\u0335" * 4 + "[+26 marks]a"),
        ("ก" + "็" * 20, "ก" + "็" * 4 + "[+16 marks]"),
        ("שָּׁ", "שָּׁ"),  # a letter with three points
        ("東京 Zürich", "東京 Zürich"),
        (":red[x] $y$ [a](b)", ":red[x] $y$ [a](b)"),
    ],
)
def test_untrusted_text_is_visible_and_inert(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_plain_text_is_left_alone() -> None:
    assert plain("Einstein was born in Ulm.") == "Einstein was born in Ulm."


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (float("nan"), "–"), (0.0, "0.00"), (-1.5, "\u22121.50")],  # noqa: RUF001
)
def test_a_missing_figure_is_a_dash(value: float | None, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0.0 %"), (0.25, "25.0 %"), (0.01, "1.0 %"), (0.00036, "0.036 %"), (None, "–")],  # noqa: RUF001
)
def test_a_rare_latent_does_not_read_zero(value: float | None, shown: str) -> None:
    assert percent(value) == shown


def test_names_of_latents_without_label() -> None:
    assert latent_name("", 7) == "latent 7"
    assert latent_name("  ", 7, "meta") == "meta-latent 7"
    assert latent_name(float("nan"), 7) == "latent 7"
    assert latent_name("einstein", 7) == "einstein"


def test_shortened_keeps_the_length() -> None:
    assert shortened("einstein", 8) == "einstein"
    assert shortened("einsteinium", 8) == "einstei…"
