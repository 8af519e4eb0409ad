"""An address and a question are the same thing, and no address is refused."""

from __future__ import annotations

import pytest

from backend.question import MOST_PARTS, Part, Question, Range, parse_parts, parse_question

SAES = ("sae-8", "sae-32", "meta-4")


@pytest.mark.parametrize(
    "question",
    [
        Question(),
        Question(text="bank", way="regex", index="fires", sae_id="sae-32", sort="rare"),
        Question(kind="meta", naming="spelling", novelty="novel", against="sae-8"),
        Question(
            ranges={"density": Range(1e-5, 1e-4), "parts": Range(3, 4), "cosine": Range(None, 0.5)}
        ),
        Question(
            required=(Part("meta-4", 0), Part("meta-4", 2)),
            excluded=(Part("meta-4", 1),),
            weighed=(Part("meta-4", 3, -0.5),),
        ),
        Question(text=" a&b=c?+%,/* "),
    ],
)
def test_a_question_survives_its_address(question: Question) -> None:
    assert parse_question(question.params, SAES) == question


def test_defaults_make_short_addresses() -> None:
    assert Question().params == {}
    assert Question(text="bank").params == {"q": "bank"}


@pytest.mark.parametrize(
    ("params", "question"),
    [
        ({"sae": "sae-99", "against": "'; drop"}, Question()),
        ({"way": "telepathy", "index": "x", "kind": "y", "sort": "z", "naming": "?"}, Question()),
        ({"density": "abc", "parts": "..", "cosine": "3", "explained": "nan..1"}, Question()),
        ({"with": "meta-4, meta-4/x,/3,meta-4/99999999999,meta 4/1"}, Question()),
        ({"unknown": "1"}, Question()),
        # the first role that names a part keeps it
        ({"with": "meta-4/1", "without": "meta-4/1"}, Question(required=(Part("meta-4", 1),))),
        ({"weigh": "meta-4/1*99"}, Question(weighed=(Part("meta-4", 1, 9.0),))),
        ({"weigh": "meta-4/1*..,meta-4/2*-"}, Question()),
    ],
)
def test_what_means_nothing_is_left_out(params: dict[str, str], question: Question) -> None:
    assert parse_question(params, SAES) == question


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("0.2..0.4", Range(0.2, 0.4)),
        ("..0.4", Range(None, 0.4)),
        ("1e-05..", Range(1e-5, None)),
        ("-1..1", Range(-1, 1)),
        ("..", None),
        ("0.4", None),
        ("inf..", None),
        ("1..2..3", None),
        ("", None),
    ],
)
def test_a_range_has_one_or_two_ends(text: str, band: Range | None) -> None:
    assert Range.parse(text) == band
    if band is not None:
        assert Range.parse(str(band)) == band


def test_parts_are_counted_and_repeats_dropped() -> None:
    many = ",".join(f"meta-4/{i}" for i in range(100))
    assert len(parse_parts(many)) == MOST_PARTS
    assert parse_parts("meta-4/1,meta-4/1*2") == (Part("meta-4", 1),)
    assert len(parse_parts("meta-4/1," * 1_000_000)) == 1  # ten megabytes cost nothing


def test_a_part_changes_its_role() -> None:
    part = Part("meta-4", 1)
    asked = Question().with_part(part, "required").with_part(part, "excluded")
    assert (asked.required, asked.excluded) == ((), (part,))
    assert asked.without_part(Part("meta-4", 1, 3.0)) == Question()
