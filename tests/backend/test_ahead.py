"""Answers that are asked for before they are needed."""

from __future__ import annotations

import threading

import pytest

from backend.ahead import ahead


def test_the_answer_is_the_questions_own_and_can_be_read_again():
    answer = ahead(divmod, 17, 5)
    assert answer() == (3, 2)
    assert answer() == (3, 2)


def test_the_page_goes_on_while_the_question_is_asked():
    goes_on = threading.Event()
    answer = ahead(goes_on.wait, timeout=30)  # ends only when the lines below have been reached
    goes_on.set()
    assert answer() is True


def test_what_the_question_raises_comes_out_where_the_answer_is_read():
    answer = ahead(int, "seven")
    with pytest.raises(ValueError, match="seven"):
        answer()
