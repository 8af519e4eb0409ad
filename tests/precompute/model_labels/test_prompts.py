"""What is asked, and which answers are labels."""

from __future__ import annotations

import pytest

from precompute.model_labels.evidence import Evidence
from precompute.model_labels.prompts import Judgement, first_prompt, judge, second_prompt

EVIDENCE = Evidence(
    "meta-4",
    0,
    5,
    members=(("einstein", ("einstein", "albert")), ("", ("{braces}",)), ("berlin", ())),
    promoted=("##s",),
    texts=("We met [[einstein]] there.",),
)


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("German scientists", "German scientists"),
        ("  German scientists.\n", "German scientists"),
        ('"German scientists"', "German scientists"),
        ("**Label:** German scientists", "German scientists"),
        ("The label is: `German scientists`.", "German scientists"),
        ("<think>Hm.\nPeople?</think>\nx", None),  # taken off in `endpoint`, not here
        ("words in e-", "words in e-"),
        ('"to" before verbs', '"to" before verbs'),  # the quotes belong to it
        ("e.g. ...", "e.g. ..."),
        ("the label: a word", "a word"),
        ("on the label: price", "on the label: price"),
        ("physics 物理 🙂", "physics 物理 🙂"),
        ("one two three four five six", "one two three four five six"),
    ],
)
def test_a_label_is_freed_of_what_models_put_around_it(answer, label):
    assert judge(answer).label == (label or "")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("", "it was empty"),
        (' "" ', "it was empty"),
        ("one\ntwo", "more than one line"),
        ("one\u2028two", "more than one line"),
        ("one two three four five six seven", "too long"),
        ("x" * 81, "too long"),
        ("x" * 10_000, "too long"),
        ("a\u202eb", "unprintable characters"),
        ("a\x1b[31mb", "unprintable characters"),
        ("a\0b", "unprintable characters"),
        ("<script>alert(1)</script>", "markup"),
        ("</td> city", "markup"),
    ],
)
def test_what_is_no_short_printable_line_is_no_label(answer, fault):
    assert judge(answer) == Judgement(fault=fault)


def test_nothing_in_common_is_neither_a_label_nor_a_fault():
    assert judge("Unclear.") == Judgement()


def test_the_prompt_has_the_evidence_and_repeats_no_word_of_a_label():
    (message,) = first_prompt(EVIDENCE)
    assert message["role"] == "user"  # alone: some local models know no system message
    lines = message["content"].splitlines()
    assert "- einstein (words: albert)" in lines
    assert "- (words: {braces})" in lines
    assert "- berlin" in lines
    assert "- We met [[einstein]] there." in lines
    assert "at most 6 words" in lines[-1]


def test_the_second_prompt_says_what_was_wrong_and_repeats_little_of_it():
    messages = second_prompt(first_prompt(EVIDENCE), "x" * 10_000, "too long")
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert len(messages[1]["content"]) == 200
    assert "(too long)" in messages[2]["content"]
    # an empty message of the assistant is refused by some servers
    assert second_prompt([], "", "it was empty")[0]["content"] == "…"
