"""Names that cannot be shown and rows without a direction are refused with their place."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from precompute.config import ConfigError
from precompute.named.reading import NamedDirections, read_directions
from precompute.named.section import DirectionsConfig
from tests.precompute.named.conftest import Given, save_npz

ROWS = np.eye(3, 4, dtype=np.float32)


def _read(folder: Path, names: list[str], rows: np.ndarray = ROWS) -> NamedDirections:
    save_npz(folder / "d.npz", Given(names, rows))
    path = str(folder / "d.npz")
    return read_directions(DirectionsConfig(name="own", path=path, licence="CC0"))


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "names empty, in row 1"),
        (" \t", "names empty, in row 1"),
        ("x" * 81, "names longer than 80 characters, in row 1"),
        ("a\nb", "line breaks or hidden"),
        ("\u202eevil", "line breaks or hidden"),  # turns the text after it around
        ("a\u2028b", "line breaks or hidden"),
        ("\ud800", "line breaks or hidden"),  # half a character: no Parquet file could hold it
    ],
)
def test_names_that_cannot_be_shown_are_refused(name: str, fault: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=f"directions own: .*{fault}"):
        _read(tmp_path, ["a", name, "c"])


def test_html_emoji_and_other_scripts_are_names_and_white_space_is_dropped(tmp_path: Path):
    names = ["<script>alert(1)</script>", " 👩\u200d🔬", "क्\u200cष "]
    assert _read(tmp_path, names).names == [names[0], "👩\u200d🔬", "क्\u200cष"]


def test_repeated_names_are_kept_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        assert _read(tmp_path, ["bank", "bank", "c"]).names == ["bank", "bank", "c"]
    assert "1 names occur more than once: 'bank'" in caplog.text


@pytest.mark.parametrize(
    ("value", "fault"),
    [(np.nan, "no finite number"), (-np.inf, "no finite number"), (0.0, "are zero")],
)
def test_rows_without_a_direction_are_refused(value: float, fault: str, tmp_path: Path):
    rows = ROWS.copy()
    rows[2] = value
    with pytest.raises(ConfigError, match=f"1 directions .*{fault}.* row 2 .*named 'c'"):
        _read(tmp_path, ["a", "b", "c"], rows)


def test_one_direction_alone_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="has 1 directions, at least 2"):
        _read(tmp_path, ["a"], ROWS[:1])
    with pytest.raises(ConfigError, match="has 0 directions, at least 2"):
        _read(tmp_path, [], ROWS[:0])


def test_lengths_far_apart_become_one(tmp_path: Path):
    rows = np.array([[1e30, 1e30], [0, 1e-9], [-1e-9, 0]], np.float32)  # a square overflows float32
    np.testing.assert_allclose(
        _read(tmp_path, ["a", "b", "c"], rows).rows,
        [[2**-0.5, 2**-0.5], [0, 1], [-1, 0]],
        rtol=1e-6,
    )


def test_the_hash_is_of_names_and_rows_in_order(tmp_path: Path):
    one = _read(tmp_path, ["a", "b", "c"])
    assert one.sha256 == _read(tmp_path, ["a", "b", "c"], 2 * ROWS).sha256
    assert one.sha256 != _read(tmp_path, ["a", "c", "b"]).sha256
    assert one.sha256 != _read(tmp_path, ["a", "b", "c"], ROWS[::-1]).sha256
