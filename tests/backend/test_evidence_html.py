"""Examples by group: headings, ranges, what is folded and where; the choices of how they show."""

from __future__ import annotations

import re
from html import unescape
from types import SimpleNamespace
from typing import Any, cast

from backend.evidence_html import examples_html, folded_html, histogram_words, view_choices_html
from backend.links import Link
from backend.records import Record
from backend.token_html import ContextView


def _row(group: str, activation: float, text: str, context_id: int, title: str = "T") -> Record:
    spans = [match.span() for match in re.finditer(r"\w+", text)]
    return {
        "group": group,
        "rank": 0,
        "context_id": context_id,
        "position": 1,
        "activation": activation,
        "positions": [1],
        "activations": [activation],
        "text": text,
        "token_starts": [start for start, _ in spans],
        "token_ends": [end for _, end in spans],
        "title": title,
        "source": "books",
    }


ROWS = [
    _row("top", 3.7, "one strong case", 0),
    _row("top", 3.5, "Two Strong  cases", 1),
    _row("top", 3.4, "two strong cases", 2),
    _row("interval 1", 3.0, "a third is here", 3),
    _row("interval 3", 0.9, "one strong case", 0),
    _row("random", 2.2, "a third is here", 3),
    _row("random", 1.1, "two strong cases", 2),
]


def _words(html: str) -> str:
    spoken = re.sub(r'<p class="sr">.*?</p>', "", html)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", spoken)).split())


def _sections(html: str) -> list[str]:
    return html.split("<h3>")[1:]


def test_groups_stand_in_order_with_their_range_and_number() -> None:
    heads = [_words(s.partition("</h3>")[0]) for s in _sections(examples_html(ROWS, 0.7, 4.0))]
    # intervals are cut from the threshold to the strongest example: (3.7 - 0.7) / 3 = 1
    assert heads == [
        "Strongest 3.40 to 3.70, 3 examples",
        "Interval 1 2.70 to 3.70, 1 example",
        "Interval 3 0.70 to 1.70, 1 example",
        "Random 1.10 to 2.20, 2 examples",
    ]


def test_every_interval_example_lies_in_the_range_of_its_heading() -> None:
    """The latent's maximum may be in text that is not shown; the intervals do not reach there."""
    rows = [
        _row("top", 3.7, "one strong case", 0),
        _row("interval 1", 3.0, "a third is here", 1),
        _row("interval 2", 2.0, "something else again", 2),
        _row("interval 3", 0.9, "quite weak", 3),
    ]
    for section in _sections(examples_html(rows, threshold=0.7, maximum=40.0)):
        low, high = map(float, re.findall(r"\d\.\d\d", section.partition("</h3>")[0])[-2:])
        values = [float(value) for value in re.findall(r'<span class="value">([\d.]+)', section)]
        assert len(values) == 1
        assert low <= values[0] <= high


def test_duplicates_are_folded_under_the_first_of_any_group() -> None:
    top, first, third, random = _sections(examples_html(ROWS, 0.7, 4.0))
    shown, *folded = top.split('<details class="fold copies">')
    assert "one strong case" in _words(shown)
    # the weak firing of interval 3 is the same context
    assert "+1 near-duplicate " in _words(folded[0])
    assert "interval 3 · T · books" in _words(folded[0])
    # equal but for case and blanks, and once more among the random ones
    assert "+2 near-duplicates" in _words(folded[1])
    assert "top · T · books" in _words(folded[1])
    assert "random · T · books" in _words(folded[1])
    assert "a third is here" in _words(first)
    # the groups that lost them say so, with the activations
    assert "Folded above: activation 0.90." in _words(third)
    assert "Folded above: activation 2.20, 1.10." in _words(random)
    assert "<li>" not in third + random


def test_how_much_is_folded_is_told_with_the_rule() -> None:
    html = examples_html(ROWS, 0.7, 4.0)
    assert "4 of 7 examples repeat an earlier one" in _words(html)
    assert 'class="tip" tabindex="0" data-tip="The same context, or two that share' in html
    distinct = examples_html(ROWS[:2], 0.7, 4.0)
    assert "repeat" not in _words(distinct)
    assert "4 of 7" not in distinct


def test_every_example_is_there_once_whatever_is_folded() -> None:
    html = examples_html(ROWS, 0.7, 4.0)
    assert html.count("<cite>") == len(ROWS)
    assert html.count('<p class="sr">Fires on') == len(ROWS)
    assert html.count("of at most 4.00:") == len(ROWS)


def test_all_after_the_fourth_unfold() -> None:
    html = folded_html([f"<li>{i}</li>" for i in range(6)])
    first, rest = html.split('<details class="fold">')
    assert first.count("<li>") == 4
    assert rest.count("<li>") == 2
    assert "2 more" in rest


def test_a_title_is_an_isolate_and_escaped() -> None:
    html = examples_html([_row("top", 1.0, "a b", 0, "כותרת <b>")], 0.0, 1.0)
    assert "<cite><bdi>כותרת &lt;b&gt;</bdi> · <bdi>books</bdi></cite>" in html


def test_choices_of_reading_are_links_that_leave_out_defaults() -> None:
    asked: list[dict[str, str]] = []

    def to(**changed: str) -> Link:
        asked.append(changed)
        return Link("latent", {name: value for name, value in changed.items() if value})

    html = view_choices_html(ContextView("line", marks=True), to)
    assert asked == [{"context": "line"}, {"context": ""}, {"context": "whole"}, {"marks": ""}]
    assert "<b>one line each</b>" in html
    assert '<a href="latent">around the token</a>' in html
    assert '<a href="latent?context=whole">whole contexts</a>' in html
    assert '<a href="latent">hide blanks</a>' in html
    assert 'href="latent?marks=1"' in view_choices_html(ContextView(), to)


def test_a_histogram_is_told_in_words() -> None:
    def told(counts: tuple[int, ...]) -> str:
        drawn = SimpleNamespace(histogram_edges=(0.0, 1.0, 2.0, 3.0), histogram_counts=counts)
        return histogram_words(cast(Any, drawn), "activation", "tokens")

    # 500 of 1,000 lie in the first two bars: the middle is where the second ends
    assert told((100, 400, 500)) == (
        "Histogram of 1,000 tokens by activation, from 0.00 to 3.00. Half of them lie below 2.00. "
        "The highest bar is 500, from 2.00 to 3.00."
    )
    assert told((0, 0, 0)) == "Histogram: no tokens"
