"""Vocabulary strings become the text that they stand for."""

from __future__ import annotations

import pytest

from precompute.imports.token_texts import NO_TOKEN, TokenTexts
from tests.precompute.imports.foreign_files import byte_coded


@pytest.mark.parametrize("text", [" the", "\n", "é", "東京", "🙂", "naïve café", "\t\u00a0\u00ad"])
def test_a_byte_level_token_is_its_text(text):
    # "Ġ" shows how the set is coded
    assert TokenTexts().of_each(["\u0120a", byte_coded(text)]) == [" a", text]


def test_the_known_examples():
    """What GPT-2 and Llama write for " the", " in", a line break and an accent."""
    assert TokenTexts().of_each(["\u0120the", "\u010a", "Ã©"]) == [" the", "\n", "é"]
    assert TokenTexts().of_each(["\u2581in", "<0xE2>", "é"]) == [" in", "\ufffd", "é"]


def test_a_character_cut_into_tokens_is_with_the_last_of_them():
    first, second = byte_coded("🙂")[:2], byte_coded("🙂")[2:]
    assert TokenTexts().of_context(["\u0120a", first, second, "b"]) == [" a", "", "🙂", "b"]
    pieces = [f"<0x{byte:02X}>" for byte in "é".encode()]
    assert TokenTexts().of_context(["\u2581a", *pieces, "b"]) == [" a", "", "é", "b"]


def test_half_a_character_at_the_end_is_marked_as_broken():
    assert TokenTexts().of_context(["\u0120a", byte_coded("🙂")[:2]]) == [" a", "\ufffd"]


def test_tokens_that_are_text_already_stay_as_they_are():
    assert TokenTexts().of_each([" the", "é", "Ã©"]) == [" the", "é", "Ã©"]


def test_how_a_set_is_coded_is_remembered():
    texts = TokenTexts()
    assert texts.of_each(["Ã©"]) == ["Ã©"]  # nothing shows yet that it is coded
    texts.of_each(["\u0120a"])
    assert texts.of_each(["Ã©"]) == ["é"]


def test_a_character_that_no_byte_level_vocabulary_has_is_text():
    assert TokenTexts().of_each(["\u0120a", "東", "<|endoftext|>"]) == [" a", "東", "<|endoftext|>"]


def test_a_token_out_of_range_and_what_is_no_token_are_told():
    assert TokenTexts().of_each(["<|outofrange|>", None, "\ud800"]) == [NO_TOKEN, "", "?"]
