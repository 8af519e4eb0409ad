"""Areas drawn on the map: from a lasso to a short address and back, and what lies inside.

An area is a closed polygon. In an address its corners are `x_y_x_y_...`, areas are joined by `~`:
signs that an address shows as they are. A link thus names a selection of any size in some hundred
characters, and the server works out again which latents lie inside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Area = NDArray[np.float64]
"""Corners of one polygon, shape (corners, 2); the last is joined to the first."""

MOST_CORNERS = 30
MOST_AREAS = 4
MOST_DRAWN = 1_000  # corners of a lasso as a browser sends it; more are thinned out first
STEPS = 2_000  # coordinates are rounded to the extent of the map divided by this
LONGEST_TEXT = 4_000  # characters of a parameter that are looked at


def drawn_areas(selection: Mapping[str, Any], extent: float) -> list[Area]:
    """The areas of a chart's selection event, each with at most `MOST_CORNERS` corners.

    Args:
        selection: lists `lasso` and `box` of {x, y}; a box has two opposite corners.
        extent: larger side of the map; coordinates are rounded to `extent / STEPS`.
    """
    areas = []
    for lasso in selection.get("lasso", ()):
        corners = np.column_stack([lasso["x"], lasso["y"]]).astype(np.float64)
        corners = corners[:: math.ceil(len(corners) / MOST_DRAWN) or 1]
        areas.append(_simplified(corners))
    for box in selection.get("box", ()):
        (x0, x1), (y0, y1) = box["x"], box["y"]
        areas.append(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float64))
    whole = [area for area in areas if len(area) > 2 and np.isfinite(area).all()]
    return rounded(whole[-MOST_AREAS:], extent)


def rounded(areas: Sequence[Area], extent: float) -> list[Area]:
    """Areas with as many decimals as `extent / STEPS` has: closer no pointer can draw."""
    digits = max(0, math.ceil(-math.log10(max(extent, 1e-6) / STEPS)))
    return [np.round(area, digits) for area in areas]


def area_text(areas: Sequence[Area]) -> str:
    """Areas as they stand in an address; "" for none."""
    return "~".join("_".join(_short(value) for value in area.ravel()) for area in areas)


def read_areas(text: str) -> list[Area] | None:
    """Areas of an address; none for an empty text, None for one that cannot be read."""
    if not text:
        return []
    parts = text.split("~")
    if len(text) > LONGEST_TEXT or len(parts) > MOST_AREAS:
        return None
    areas = []
    for part in parts:
        try:
            values = [float(value) for value in part.split("_")]
        except ValueError:
            return None
        is_polygon = len(values) % 2 == 0 and 3 <= len(values) // 2 <= MOST_CORNERS
        # beyond float32 no map has a point, and products of the test below would overflow
        if not is_polygon or not all(abs(value) < 1e30 for value in values):
            return None
        areas.append(np.array(values, np.float64).reshape(-1, 2))
    return areas


def inside(areas: Sequence[Area], x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[Any]:
    """Whether each point (n,) lies in any of the areas; booleans (n,).

    Even-odd rule: a ray to the right of the point crosses the outline an odd number of times, so
    where a lasso crosses itself the twice encircled part is outside, as in the browser.
    """
    found = np.zeros(len(x), bool)
    px, py = x.astype(np.float64), y.astype(np.float64)
    for area in areas:
        odd = np.zeros(len(x), bool)
        for (x0, y0), (x1, y1) in zip(area, np.roll(area, -1, axis=0), strict=True):
            if y0 == y1:
                continue  # a level edge crosses no ray
            spans = (y0 > py) != (y1 > py)
            odd ^= spans & (px < x0 + (py - y0) * (x1 - x0) / (y1 - y0))
        found |= odd
    return found


def _simplified(corners: Area) -> Area:
    """A closed polygon with at most `MOST_CORNERS` corners.

    Visvalingam and Whyatt 1993: the corner whose triangle with its two neighbours is smallest goes
    first. A polygon that is short enough stays as it is, so a link read and written is the same.
    """
    corners = corners[np.any(corners != np.roll(corners, 1, axis=0), axis=1)]
    while len(corners) > MOST_CORNERS:
        before = corners - np.roll(corners, 1, axis=0)
        after = np.roll(corners, -1, axis=0) - corners
        areas = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
        corners = np.delete(corners, int(areas.argmin()), axis=0)
    return corners


def _short(value: float) -> str:
    """A rounded coordinate without the zeros at its end."""
    words = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if words == "-0" else words
