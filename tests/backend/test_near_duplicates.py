"""Which examples are folded: the same words in the same order, whatever their numbers and case."""

from __future__ import annotations

import re

from backend.near_duplicates import repeats
from backend.records import Record


def _row(text: str, position: int = 2, title: str = "", context_id: int | None = None) -> Record:
    spans = [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]
    return {
        "context_id": hash(text) if context_id is None else context_id,
        "position": position,
        "text": text,
        "token_starts": [start for start, _ in spans],
        "token_ends": [end for _, end in spans],
        "title": title,
    }


def _letters(first: str, last: str) -> str:
    return " ".join(chr(code) * 2 for code in range(ord(first), ord(last) + 1))


def test_the_same_context_is_folded_wherever_it_fires() -> None:
    long = " ".join(f"w{'abcdefghij'[i // 10]}{'abcdefghij'[i % 10]}" for i in range(100))
    assert repeats([_row(long, 5), _row("other words here", 1), _row(long, 90)]) == [None, None, 0]


def test_numbers_case_and_spaces_do_not_count() -> None:
    rows = [
        _row("In 1905 the town of Ulm had 60,000 people."),
        _row("in  1890 the Town of Ulm had 9 people."),
        _row("In 1905 the town of Ulm had many people."),
    ]
    # the second has ten tokens, so six runs; those that start at its first four are in the first
    assert repeats(rows)[1] == 0
    # the third has six too; those that start at its first three are in the first: just half
    assert repeats(rows)[2] == 0


def test_an_anagram_is_not_a_duplicate() -> None:
    assert repeats([_row("the dog bit the man"), _row("the man bit the dog")]) == [None, None]


def test_half_of_the_runs_must_be_shared() -> None:
    # ten tokens have six runs of five; letters a-j and d-m share d-j, three of them: half
    assert repeats([_row(_letters("a", "j")), _row(_letters("d", "m"))]) == [None, 0]
    # a-j and e-n share e-j: two of six
    assert repeats([_row(_letters("a", "j")), _row(_letters("e", "n"))]) == [None, None]
    # within one document a fifth is enough: 2 / 6
    one, other = (_row(_letters(*ends), title="Ulm") for ends in (("a", "j"), ("e", "n")))
    assert repeats([one, other]) == [None, 0]


def test_only_the_text_around_the_strongest_token_counts() -> None:
    shared = _letters("a", "p")
    before = " ".join("xyz"[i % 3] + "qrs"[i // 3 % 3] + "uvw"[i // 9 % 3] for i in range(60))
    # both end alike, but fire on token 5: the window ends at 23, before the shared part
    rows = [_row(f"{before} {shared}", 5), _row(f"{before[::-1]} {shared}", 5)]
    assert repeats(rows) == [None, None]
    assert repeats([{**row, "position": 70} for row in rows]) == [None, 0]


def test_texts_without_spaces_are_compared_by_their_tokens() -> None:
    def characters(text: str) -> Record:
        n = len(text)
        return {**_row(text), "token_starts": [*range(n)], "token_ends": [*range(1, n + 1)]}

    rows = [characters("東京都は日本の首都である"), characters("京都府は日本の古い都である")]
    assert repeats(rows) == [None, None]
    assert repeats([rows[0], characters("東京都は日本の首都です")]) == [None, 0]


def test_short_texts_must_be_equal() -> None:
    rows = [_row("Ulm, 1879", 0), _row("ulm, 1905", 0), _row("Bonn, 1879", 0)]
    assert repeats(rows) == [None, 0, None]


def test_a_copy_of_a_copy_is_folded_under_the_first() -> None:
    rows = [_row(f"in {year} the town of Ulm had many people.") for year in range(1900, 1904)]
    assert repeats(rows) == [None, 0, 0, 0]
