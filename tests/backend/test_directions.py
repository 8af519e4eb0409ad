"""Decoder directions in 8 bits: rows, cosines and nearest against the planted directions."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from backend import directions
from backend.store import Run, open_run
from tests.fixture_run import build_fixture_run
from tests.planted import META, PLANTED, SMALL, WIDE, direction

EINSTEIN, PLANCK = list(PLANTED).index("einstein"), list(PLANTED).index("planck")
ROUNDING = 1 / 127  # a value is off by half a step of at most 1/127 of the largest


def test_a_row_is_the_planted_direction_to_eight_bits(run: Run) -> None:
    for latent in range(32):
        row = directions.row(run, WIDE, latent)
        assert row is not None
        assert row.dtype == np.float32
        planted = np.array(direction(latent))
        assert np.abs(row - planted).max() <= ROUNDING * np.abs(planted).max() / 2 + 1e-6


def test_the_matrix_is_all_rows_in_order(run: Run) -> None:
    matrix = directions.matrix(run, WIDE)
    assert matrix is not None
    assert matrix.shape == (32, 6)
    for latent in (0, 17, 31):
        np.testing.assert_array_equal(matrix[latent], directions.row(run, WIDE, latent))


@pytest.mark.parametrize(("sae_id", "latent"), [(SMALL, 0), ("<b>", 0), (WIDE, 32), (WIDE, -1)])
def test_a_row_that_is_not_stored_is_none(run: Run, sae_id: str, latent: int) -> None:
    assert directions.row(run, sae_id, latent) is None


def test_rows_in_memory_are_those_of_the_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directions, "_kept", OrderedDict())
    asked = [31, 0, 7, 32, -1, 2**31 - 1]  # of 32 latents
    stored = {latent: directions.row(run, WIDE, latent) for latent in asked}
    assert not directions._kept  # one row is no reason to read all
    in_memory = directions.rows(run, WIDE, asked)
    assert list(in_memory) == [31, 0, 7]
    for latent in asked:
        again = directions.row(run, WIDE, latent)
        if latent in in_memory:
            np.testing.assert_array_equal(in_memory[latent], stored[latent])
            np.testing.assert_array_equal(again, stored[latent])
        else:
            assert again is None
            assert stored[latent] is None
    assert directions.rows(run, WIDE, []) == {}


def test_an_sae_without_directions_has_no_matrix_and_no_nearest(run: Run) -> None:
    assert directions.matrix(run, SMALL) is None
    assert directions.nearest(run, SMALL, [1, 0, 0, 0, 0, 0], 3) == []


def test_cosines_are_those_of_the_planted_weights(run: Run) -> None:
    # (0.5, 0.6, 0.4) and (0.7, 0.5, 0), both with bias 0.2 and residual 0.4:
    # (0.35 + 0.30 + 0.04 + 0.16) / sqrt(0.97 x 0.94) = 0.890
    first, second = (directions.row(run, WIDE, latent) for latent in (EINSTEIN, PLANCK))
    assert first is not None
    assert second is not None
    value = directions.cosine(first, second)
    assert value == pytest.approx(0.85 / np.sqrt(0.97 * 0.94), abs=0.01)
    assert directions.cosine(second, first) == value
    assert directions.cosine(first, first) == pytest.approx(1.0)
    assert directions.cosine(first, -first) == pytest.approx(-1.0)


def test_a_cosine_needs_two_directions_of_one_dimension() -> None:
    assert directions.cosine([1.0, 0.0], [1.0, 0.0, 0.0]) is None
    assert directions.cosine([0.0, 0.0], [1.0, 0.0]) is None


def test_nearest_equals_a_full_sort_of_all_cosines(run: Run) -> None:
    matrix = directions.matrix(run, WIDE)
    assert matrix is not None
    asked = np.array([0.9, -0.2, 0.4, 0.1, 0.0, 0.3])
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(asked)
    cosines = matrix.astype(np.float64) @ asked / lengths
    expected = sorted(range(32), key=lambda latent: -cosines[latent])
    found = directions.nearest(run, WIDE, asked, 32)
    np.testing.assert_allclose([c for _, c in found], cosines[expected], atol=1e-6)
    # equal rows have equal cosines, so only the figures must agree beyond the first
    assert [latent for latent, _ in found[:5]] == expected[:5]
    assert directions.nearest(run, WIDE, asked, 3) == found[:3]


def test_nearest_finds_itself_first_whatever_the_length(run: Run) -> None:
    row = directions.row(run, WIDE, EINSTEIN)
    assert row is not None
    assert directions.nearest(run, WIDE, 1e4 * row, 1)[0] == (EINSTEIN, pytest.approx(1.0))
    # meta-latents are the unit directions of the planted run
    assert directions.nearest(run, META, [0, 2, 0, 0, 0, 0], 1) == [(1, pytest.approx(1.0))]


@pytest.mark.parametrize("k", [0, -1])
def test_nearest_of_nothing_is_nothing(run: Run, k: int) -> None:
    assert directions.nearest(run, WIDE, [1, 0, 0, 0, 0, 0], k) == []
    assert directions.nearest(run, WIDE, [0] * 6, 5) == []
    assert directions.nearest(run, WIDE, [float("nan")] * 6, 5) == []
    assert len(directions.nearest(run, WIDE, [1, 0, 0, 0, 0, 0], 99)) == 32


def test_a_vector_of_another_dimension_is_refused(run: Run) -> None:
    with pytest.raises(ValueError, match="has 6 numbers"):
        directions.nearest(run, WIDE, [1.0, 0.0], 3)


def test_two_saes_at_most_stay_in_memory_and_runs_are_kept_apart(run: Run, tmp_path: Path) -> None:
    build_fixture_run(tmp_path / "second")
    second = open_run(tmp_path / "second")
    for own, sae_id in ((run, WIDE), (run, META), (second, WIDE), (run, WIDE), (second, META)):
        assert directions.nearest(own, sae_id, [0, 1, 0, 0, 0, 0], 1)
        assert len(directions._kept) <= directions.MOST_IN_MEMORY
    second.close()
    # what was read of it is still there, under its own hash
    assert (second.manifest.content_hash, META) in directions._kept
