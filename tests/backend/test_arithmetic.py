"""Sums of directions on the planted rows, whose parts are orthogonal and known."""

from __future__ import annotations

import numpy as np
import pytest

from backend.arithmetic import ALONE, add_up, counterparts
from backend.question import Part
from backend.store import Run
from backend.sum_question import SumQuestion, parse_sum
from tests.planted import META, PLANTED, SMALL, WIDE, direction, labels

GERMAN, SCIENTIST, EARLY, CITY = (Part(META, i) for i in range(4))
PLACES = {word: place for place, word in enumerate(PLANTED)}
BITS = 0.02  # directions are stored in 8 bits


def latent(word: str) -> Part:
    return Part(WIDE, PLACES[word])


def test_a_city_instead_of_a_scientist(run: Run) -> None:
    """planck = .7 german + .5 scientist; with city in the scientist's place it is a German city."""
    found = add_up(run, SumQuestion(latent("planck"), (SCIENTIST,), (CITY,)), META)
    assert found is not None
    names = [labels()[one.latent] for one in found.latents]
    assert names[0] in ("hamburg", "munich", "berlin")
    assert "planck" not in names
    assert [one.latent for one in found.meta_latents if one.latent in (1, 3)] == []


def test_amounts_and_cosines_are_those_of_plain_arithmetic(run: Run) -> None:
    found = add_up(run, SumQuestion(latent("planck"), (SCIENTIST,), (CITY,), 2.0), META)
    assert found is not None
    row = np.array(direction(PLACES["planck"]))
    scientist, city = np.eye(6)[1], np.eye(6)[3]
    along = row @ scientist
    expected = row - 2 * along * scientist + 2 * along * city
    amounts = [term.amount for term in found.terms]
    assert amounts == pytest.approx([1.0, -2 * along, 2 * along], abs=BITS)
    nearest = found.latents[0]
    other = np.array(direction(nearest.latent))
    assert nearest.cosine == pytest.approx(other @ expected / np.linalg.norm(expected), abs=BITS)
    assert nearest.cosines == pytest.approx(
        (other @ row, other @ scientist, other @ city), abs=BITS
    )
    assert found.own[1] == pytest.approx(expected @ scientist / np.linalg.norm(expected), abs=BITS)


def test_what_is_taken_away_once_is_gone(run: Run) -> None:
    found = add_up(run, SumQuestion(latent("einstein"), (SCIENTIST,)), META)
    assert found is not None
    assert found.own[1] == pytest.approx(0.0, abs=BITS)
    assert found.start[1] > 0.5


def test_adding_alone_uses_a_stated_amount(run: Run) -> None:
    found = add_up(run, SumQuestion(latent("curie"), (), (GERMAN,)), META)
    assert found is not None
    assert found.terms[1].amount == ALONE
    assert labels()[found.latents[0].latent] in ("röntgen", "euler", "einstein", "planck")


def test_directions_that_are_not_stored_cannot_be_added(run: Run) -> None:
    assert add_up(run, SumQuestion(Part(SMALL, 0), (SCIENTIST,)), "") is None
    assert add_up(run, SumQuestion(latent("curie"), (Part(META, 99),)), META) is None


def test_counterparts_are_other_parts_of_the_same_meta_sae(run: Run) -> None:
    assert {part.latent for part in counterparts(run, SCIENTIST)} == {0, 2, 3}
    assert counterparts(run, Part(SMALL, 0)) == []


@pytest.mark.parametrize(
    "question",
    [
        SumQuestion(Part(WIDE, 3)),
        SumQuestion(Part(WIDE, 3), (GERMAN,), (CITY, Part(WIDE, 5)), 2.0),
    ],
)
def test_a_sum_survives_its_address(question: SumQuestion) -> None:
    assert parse_sum(question.params) == question


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, None),
        ({"from": "x"}, None),
        ({"from": "sae-32/3", "factor": "7e9"}, SumQuestion(Part(WIDE, 3))),
        # taken away and added at once means taken away
        ({"from": "sae-32/3", "minus": "meta-4/0", "plus": "meta-4/0"},
         SumQuestion(Part(WIDE, 3), (GERMAN,))),
    ],
)  # fmt: skip
def test_a_bad_address_means_the_nearest_good_one(
    params: dict[str, str], expected: SumQuestion | None
) -> None:
    assert parse_sum(params) == expected
