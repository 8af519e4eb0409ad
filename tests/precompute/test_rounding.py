"""Mantissas cut to fewer bits: against Python's exact arithmetic, and through Arrow."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from precompute.rounding import rounded, rounded_column


def _nearest(value: float, bits: int) -> float:
    """The nearest number of `bits` mantissa bits, ties to even, in exact fractions."""
    if value == 0:
        return value
    unit = Fraction(2) ** (math.frexp(value)[1] - 1 - bits)
    return float(round(Fraction(value) / unit) * unit)  # Python rounds ties to even


@pytest.mark.parametrize("bits", [1, 8, 10, 22, 23])
def test_values_go_to_the_nearest_of_their_bits(bits):
    rng = np.random.default_rng(0)
    values = (rng.normal(size=500) * 10.0 ** rng.integers(-30, 30, 500)).astype(np.float32)
    found = rounded(values, bits)
    assert found.dtype == np.float32
    assert found.tolist() == [_nearest(value, bits) for value in values.tolist()]
    assert (np.abs(found - values) <= np.abs(values) * 2.0 ** -(bits + 1)).all()


def test_ties_go_to_the_even_neighbour_and_carry_into_the_exponent():
    # two bits: 1, 1.25, 1.5, 1.75, 2
    values = np.array([1.125, 1.375, 1.875, 1.99, -1.125], np.float32)
    assert rounded(values, 2).tolist() == [1.0, 1.5, 2.0, 2.0, -1.0]


def test_powers_of_two_zeros_and_what_is_no_number_pass_unchanged():
    largest = float(np.finfo(np.float32).max)
    exact = [0.0, -0.0, 1.0, -0.5, 2.0**-126, 2.0**100, 1e-42, math.inf, -math.inf]
    found = rounded(np.array(exact, np.float32), 3)
    assert found.tolist() == np.array(exact, np.float32).tolist()
    assert np.signbit(found[1])
    assert math.isnan(rounded(np.array([math.nan], np.float32), 3)[0])
    assert rounded(np.array([largest], np.float32), 23).tolist() == [largest]


def test_order_and_sign_survive():
    rng = np.random.default_rng(1)
    values = np.sort(rng.normal(size=2000).astype(np.float32) * 1e-6)
    found = rounded(values, 8)
    assert (np.diff(found) >= 0).all()
    assert (np.sign(found) == np.sign(values)).all()


@pytest.mark.parametrize(("bits", "kind"), [(0, np.float32), (24, np.float32), (8, np.float64)])
def test_other_widths_are_refused(bits, kind):
    with pytest.raises(ValueError, match="mantissa bits"):
        rounded(np.ones(2, kind), bits)


def test_columns_keep_their_type_nulls_lists_and_whatever_is_no_float():
    third, fine = 1 / 3, float(rounded(np.array([1 / 3], np.float32), 4)[0])
    pair = pa.struct([("name", pa.string()), ("score", pa.float32())])
    cases = [
        (pa.array([third, None, 2.0], pa.float32()), [fine, None, 2.0]),
        (
            pa.array([[third], None, [], [1.0, third]], pa.list_(pa.float32())),
            [[fine], None, [], [1.0, fine]],
        ),
        (
            pa.array([[{"name": "a", "score": third}, {"name": "b", "score": None}], []]),
            [[{"name": "a", "score": fine}, {"name": "b", "score": None}], []],
        ),
        (pa.array([third], pa.float64()), [third]),
        (pa.array(["x", None]), ["x", None]),
    ]
    cases[2] = (cases[2][0].cast(pa.list_(pair)), cases[2][1])
    for array, expected in cases:
        for column in (array, pa.chunked_array([array, array.slice(1)])):
            found = rounded_column(column, 4)
            assert found.type == column.type
            twice = expected + expected[1:]
            assert found.to_pylist() == (twice if isinstance(column, pa.ChunkedArray) else expected)


def test_a_slice_is_rounded_as_the_slice_it_is():
    lists = pa.array([[0.1], [0.2, 0.3], [0.4]], pa.list_(pa.float32())).slice(1, 1)
    expected = rounded(np.array([0.2, 0.3], np.float32), 5).tolist()
    assert rounded_column(lists, 5).to_pylist() == [expected]
