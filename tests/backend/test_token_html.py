"""Contexts as HTML: spans, shades, escapes."""

from __future__ import annotations

import re
from html import unescape

import pytest

from backend.text_html import latent_name, number, percent, plain, safe, shortened
from backend.token_html import Piece, context_html, legend_html, pieces, shade


def _words(html: str) -> str:
    """What is visible: without tags and without the values for screen readers."""
    return unescape(re.sub(r"<[^>]*>", "", re.sub(r'<span class="sr">.*?</span>', "", html)))


def test_the_shade_is_the_square_root_of_the_share_of_the_maximum() -> None:
    assert shade(4.0, 4.0) == 1.0
    assert shade(1.0, 4.0) == 0.5  # sqrt(1/4)
    assert shade(0.0, 4.0) == 0.0
    assert shade(9.0, 4.0) == 1.0  # more than the maximum cannot be shown
    assert shade(1.0, 0.0) == 0.0  # a dead latent has no scale
    assert shade(float("nan"), 4.0) == 0.0


def test_overlapping_spans_become_one_piece_with_all_activations() -> None:
    # "a🙂b": the emoji is one character cut into two tokens with the same span
    cut = pieces([0, 1, 1, 2], [1, 2, 2, 3], positions=[1, 2], activations=[0.5, 2.0], peak=2)
    assert cut == [
        Piece(0, 1, (), False),
        Piece(1, 2, (0.5, 2.0), True),
        Piece(2, 3, (), False),
    ]


def test_partly_overlapping_spans_cover_both() -> None:
    assert pieces([0, 2], [3, 5], [], [], peak=0) == [Piece(0, 5, (), True)]


def test_an_empty_span_that_does_not_fire_is_left_out() -> None:
    assert pieces([0, 1], [1, 1], [], [], peak=0) == [Piece(0, 1, (), True)]


def test_a_context_keeps_its_text_and_marks_what_fires() -> None:
    text = "We met 🙂 & <b>Einstein</b>."
    starts, ends = [0, 3, 7, 9, 14, 22], [2, 6, 8, 10, 22, 27]
    html = context_html(text, starts, ends, [1, 4], [0.5, 2.0], peak=4, maximum=2.0)
    assert _words(html) == text
    assert html.count("<mark") == 2
    assert '--a:0.500" title="activation 0.500">met<' in html  # sqrt(0.5 / 2)
    assert 'class="tok peak" style="--a:1.000" title="activation 2.000">Einstein<' in html
    assert '<span class="sr"> [2.000]</span>' in html
    assert "<b>" not in html


def test_both_values_of_a_merged_piece_are_told() -> None:
    html = context_html("🙂", [0, 0], [1, 1], [0, 1], [0.25, 1.0], peak=1, maximum=1.0)
    assert 'title="activation 0.250, 1.000"' in html
    assert html.count("🙂") == 1


def test_a_long_context_is_cut_around_its_peak_and_unfolds() -> None:
    words = [f"w{i:03d}" for i in range(100)]
    text = " ".join(words)
    starts = [5 * i for i in range(100)]
    html = context_html(text, starts, [s + 4 for s in starts], [50], [1.0], peak=50, maximum=1.0)
    snippet, _, whole = html.partition("</summary>")
    # 18 tokens on each side of number 50
    assert _words(snippet).startswith("… w032 ")
    assert "w068 …" in _words(snippet)
    assert "w031" not in snippet
    assert "w069" not in snippet
    assert _words(whole) == text


def test_the_start_and_the_end_of_a_text_are_not_cut() -> None:
    words = [f"w{i:03d}" for i in range(100)]
    starts = [5 * i for i in range(100)]
    html = context_html(
        " ".join(words), starts, [s + 4 for s in starts], [0], [1.0], peak=0, maximum=1.0
    )
    snippet = _words(html.partition("</summary>")[0])
    assert snippet.startswith("w000 w001")
    assert "w018 …" in snippet


def test_a_token_of_spaces_is_made_visible() -> None:
    html = context_html("a  b", [0, 1, 3], [1, 3, 4], [1], [1.0], peak=1, maximum=1.0)
    assert ">␣<" in html


def test_the_legend_names_the_scale_and_ends_at_the_maximum() -> None:
    html = legend_html(8.0)
    assert '--a:1.000">8.00<' in html
    assert '--a:0.500">2.00<' in html  # sqrt(1/4)
    assert "square root" in html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>", "&lt;script&gt;"),
        ("\"'", "&quot;&#x27;"),
        ("\u202eabc", "[U+202E]abc"),
        ("\x00\x1b", "[U+0000][U+001B]"),
        ("a\nb", "a↵b"),
        ("👩\u200d🔬", "👩\u200d🔬"),
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
