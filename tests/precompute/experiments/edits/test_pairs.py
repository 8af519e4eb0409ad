"""Which entities may meet: apart from those that anything is fitted to or chosen by."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.experiments.edits.pairs import drawn_pairs, pools
from precompute.experiments.edits.questions import UNKNOWN, FactTable

N = 30


@pytest.fixture
def table() -> FactTable:
    """Three attributes: a value of two, of three, and one that nearly everybody has alone."""
    numbers = np.arange(N)
    answers = np.stack([10 + numbers % 2, 20 + numbers // 2 % 3, 100 + numbers], 1)
    answers[0, 1] = UNKNOWN
    names = tuple(f"e{i}" for i in range(N))
    return FactTable("t", names, ("two", "three", "own"), {}, answers, ())


def test_no_entity_is_in_two_pools():
    dealt = pools(N, seed=0)
    together = np.concatenate([dealt.fitting, dealt.choosing, dealt.judging])
    assert sorted(together) == list(range(N))
    assert (len(dealt.fitting), len(dealt.choosing), len(dealt.judging)) == (15, 5, 10)


def _pairs(table: FactTable, is_known: np.ndarray, most: int = 1000):
    dealt = pools(N, seed=0)
    return dealt, drawn_pairs(table, is_known, dealt.judging, dealt.fitting, 3, most, seed=0)


def test_pairs_differ_in_known_values_that_fitted_entities_share(table):
    """`own` is never among them: nobody else has its value. The other two must both differ."""
    dealt, found = _pairs(table, np.ones((N, 3), bool))
    expected = {
        (a, b)
        for a in dealt.judging.tolist()
        for b in dealt.judging.tolist()
        if a % 2 != b % 2 and a // 2 % 3 != b // 2 % 3 and 0 not in (a, b)
    }
    assert {(pair.entity, pair.other) for pair in found} == expected
    assert {pair.attributes for pair in found} == {(0, 1)}


def test_what_the_model_does_not_know_is_not_asked(table):
    is_known = np.ones((N, 3), bool)
    unknown = pools(N, seed=0).judging[0]
    is_known[unknown, 0] = False
    _, found = _pairs(table, is_known)
    assert found
    assert all(unknown not in (pair.entity, pair.other) for pair in found)


def test_no_more_pairs_are_drawn_than_wanted(table):
    _, found = _pairs(table, np.ones((N, 3), bool), most=4)
    assert len(set(found)) == 4
