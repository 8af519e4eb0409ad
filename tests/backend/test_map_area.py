"""Areas on the map: what lies inside, and the way into an address and back."""

from __future__ import annotations

import numpy as np
import pytest

from backend.map_area import MOST_CORNERS, area_text, drawn_areas, inside, read_areas, rounded


def _crossings(area: np.ndarray, x: float, y: float) -> bool:
    """Even-odd rule by intersecting a far horizontal ray with every edge, in plain Python."""
    count = 0
    for i in range(len(area)):
        (ax, ay), (bx, by) = area[i], area[(i + 1) % len(area)]
        if min(ay, by) <= y < max(ay, by):
            at = ax + (y - ay) / (by - ay) * (bx - ax)
            count += at > x
    return count % 2 == 1


def test_points_inside_areas_equal_brute_force() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=400).astype(np.float32)
    y = draw.normal(size=400).astype(np.float32)
    for corners in (3, 4, 7, 30):
        areas = [draw.normal(size=(corners, 2)) for _ in range(2)]  # they cross themselves
        found = inside(areas, x, y)
        expected = [any(_crossings(a, float(px), float(py)) for a in areas)
                    for px, py in zip(x, y, strict=True)]  # fmt: skip
        assert found.tolist() == expected
        assert 0 < found.sum() < 400
    assert not inside([], x, y).any()


def test_a_ray_through_a_corner_counts_once() -> None:
    """Of a diamond and a point beside it on the level of two corners; all numbers are whole."""
    diamond = np.array([(0, -2), (2, 0), (0, 2), (-2, 0)], np.float64)
    x, y = np.array([-3, -1, 0, 1, 3], np.float32), np.zeros(5, np.float32)
    assert inside([diamond], x, y).tolist() == [False, True, True, True, False]
    star = np.array([(-4, -4), (0, 0), (4, -4), (4, 4), (-4, 4)], np.float64)
    assert inside([star], x - 1, y).tolist() == [True, True, True, True, True]


def test_a_lasso_becomes_a_short_text_and_comes_back_as_it_was() -> None:
    angles = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    lasso = {"x": (40 * np.cos(angles)).tolist(), "y": (40 * np.sin(angles)).tolist()}
    areas = drawn_areas({"lasso": [lasso], "box": []}, 90.0)
    assert len(areas) == 1
    assert len(areas[0]) == MOST_CORNERS
    text = area_text(areas)
    assert len(text) < 450
    read = read_areas(text)
    assert read is not None
    np.testing.assert_array_equal(read[0], areas[0])
    # what is read can be drawn, told of and written again without a change
    again = {"x": read[0][:, 0].tolist(), "y": read[0][:, 1].tolist()}
    assert area_text(drawn_areas({"lasso": [again], "box": []}, 90.0)) == text
    assert area_text(rounded(read, 90.0)) == text
    # nothing but a thin rim is lost: a 30-gon in a circle has 0.993 of its area
    side = np.arange(-50, 50, 0.5, dtype=np.float32)
    x, y = (grid.ravel() for grid in np.meshgrid(side, side))
    circle = np.hypot(x, y) < 40
    found = inside(read, x, y)
    assert (found != circle).sum() < 0.03 * circle.sum()


def test_a_box_has_four_corners_and_two_areas_are_joined() -> None:
    boxes = [{"x": [0, 1], "y": [0, 2]}, {"x": [5, 6], "y": [5, 6]}]
    areas = drawn_areas({"lasso": [], "box": boxes}, 10.0)
    text = area_text(areas)
    assert text == "0_0_1_0_1_2_0_2~5_5_6_5_6_6_5_6"
    read = read_areas(text)
    assert read is not None
    x, y = np.array([0.5, 5.5, 3], np.float32), np.array([1.5, 5.5, 3], np.float32)
    assert inside(read, x, y).tolist() == [True, True, False]


@pytest.mark.parametrize(
    "text",
    ["1", "1_2", "1_2_3_4", "1_2_3_4_5", "a_b_c_d_e_f", "nan_0_1_1_2_2", "1e999_0_1_1_2_2",
     "1e40_0_1_1_2_2", "0_0_1_1_2_0~", "~".join(["0_0_1_1_2_0"] * 5), "_".join(["1"] * 62),
     "<script>", "0_0_1_1_2_0" * 1000],
)  # fmt: skip
def test_areas_that_cannot_be_read_are_none(text: str) -> None:
    assert read_areas(text) is None


def test_no_area_is_no_error() -> None:
    assert read_areas("") == []
    assert drawn_areas({"lasso": [{"x": [], "y": []}], "box": []}, 1.0) == []
    assert drawn_areas({"lasso": [{"x": [1, 1, 1], "y": [1, 1, 1]}], "box": []}, 1.0) == []
