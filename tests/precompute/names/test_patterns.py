"""Spelling patterns of words, their stems, and ranges of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.names.patterns import number_range, number_value, spelling_patterns, spread


def _matches(words: list[str], pieces: list[float] | None = None) -> dict[str, set[str]]:
    found = spelling_patterns(words, np.array(pieces or [1.0] * len(words)))
    columns = found.matches.toarray().T
    return {
        text: {word for word, hit in zip(words, column, strict=True) if hit}
        for text, column in zip(found.texts, columns, strict=True)
    }


def test_beginnings_and_endings_are_patterns_from_five_words_on():
    words = ["einstein", "eiger", "eibar", "eider", "eight", "oak"]
    found = _matches(words)
    assert found["words in ei-"] == set(words[:5])
    assert found["words in e-"] == set(words[:5])
    assert "words in o-" not in found  # one word
    assert not any("er" in text for text in found)  # eiger and eider alone end so


def test_an_ending_leaves_at_least_two_letters():
    words = ["ing", "king", "doing", "going", "being", "seeing", "making"]
    # "ing" is the ending itself, and "king" without it a single letter
    assert _matches(words)["words ending in -ing"] == set(words[2:])


def test_numbers_signs_and_pieces_are_patterns():
    words = ["1", "22", "333", "1890", "5", "1890s", "a1", "b2", "c3", "d4", "x-y"]
    pieces = [1.0] * 5 + [2.0, 2.0, 2.6, 3.0, 3.0, 3.0]
    found = _matches(words, pieces)
    assert found["numbers"] == {"1", "22", "333", "1890", "5"}
    assert found["words with digits"] == {"1890s", "a1", "b2", "c3", "d4"}
    assert found["words cut into pieces"] == {"1890s", "a1", "b2", "c3", "d4", "x-y"}
    assert "words cut into three or more pieces" not in found  # four words: c3, d4, x-y


def test_no_words_have_no_patterns():
    assert spelling_patterns([], np.zeros(0)).texts == []


def test_the_forms_of_one_word_are_one_stem():
    murder = ["murder", "murders", "murdered", "murderer", "murdering"]
    assert spread(murder, np.ones(5), 4) == pytest.approx(1.0)  # all go on with e
    mono = ["monoxide", "monomer", "monopoly", "monotone"]
    # x, m, p, t: four stems alike
    assert spread(mono, np.ones(4), 4) == pytest.approx(4.0)
    # one word with nine tenths of the weight: (9 + 1)^2 / (81 + 1)
    assert spread(["monoxide", "monomer"], np.array([9.0, 1.0]), 4) == pytest.approx(100 / 82)
    assert spread(["baking", "making", "being"], np.ones(3), -3) == pytest.approx(9 / 5)  # k, k, e
    assert spread([], np.zeros(0), 2) == 0.0


@pytest.mark.parametrize(
    ("word", "value"),
    [("1890", 1890), ("1890s", 1890), ("15th", 15), ("vd17", None), ("3,000", None), ("one", None)],
)
def test_numerals_have_values(word, value):
    assert number_value(word) == value


def test_most_numbers_lie_in_the_narrowest_range():
    words = ["1882", "1887", "1890", "1890s", "1891", "1895", "7", "queen"]
    # 5 of the 7 numbers are at least 0.7 of the weight: 1887 to 1895, by ratio the least
    assert number_range(words, np.ones(8), 0.7) == ("years 1887 to 1895", 1887, 1895)
    assert number_range(words, np.ones(8), 0.8) == ("years 1882 to 1895", 1882, 1895)
    low = ["10", "11", "12", "14", "20"]
    assert number_range(low, np.ones(5), 0.7) == ("numbers 10 to 14", 10, 14)
    assert number_range(low, np.ones(5), 1.0) == ("numbers 10 to 20", 10, 20)


def test_few_numbers_or_numbers_of_every_size_have_no_range():
    assert number_range(["1", "2", "3", "4", "tree"], np.ones(5), 0.7) is None
    assert number_range(["1", "40", "900", "20000", "500000"], np.ones(5), 0.7) is None
