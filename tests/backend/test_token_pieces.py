"""Tokens as pieces of a text: overlaps, and characters that only a reader counts as one."""

from __future__ import annotations

import pytest

from backend.token_pieces import Piece, pieces


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


@pytest.mark.parametrize(
    ("text", "cuts", "words"),
    [
        ("👩\u200d👩\u200d👧ok", [1, 2, 3, 4, 5], ["👩\u200d👩\u200d👧", "ok"]),  # a family
        ("👍🏽!", [1, 2], ["👍🏽", "!"]),  # a skin tone
        ("🇩🇪🇫🇷", [1, 2, 3], ["🇩🇪", "🇫🇷"]),  # two flags of two letters each
        ("e\u0301t", [1, 2], ["e\u0301", "t"]),  # an accent
        ("สวัสดี", [1, 2, 3, 4, 5], ["ส", "วั", "ส", "ดี"]),  # vowels above
        ("שָׁלוֹם", [1, 2, 3, 4, 5, 6], ["שָׁ", "ל", "וֹ", "ם"]),
        ("東京", [1], ["東", "京"]),  # no spaces needed
    ],
)
def test_what_a_reader_sees_as_one_character_is_one_piece(
    text: str, cuts: list[int], words: list[str]
) -> None:
    starts, ends = [0, *cuts], [*cuts, len(text)]
    cut = pieces(starts, ends, [0], [1.0], peak=0, text=text)
    assert [text[piece.start : piece.end].strip() for piece in cut] == words
    assert "".join(text[piece.start : piece.end] for piece in cut) == text
    assert cut[0].activations == (1.0,)
