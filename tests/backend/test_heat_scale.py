"""The colour scale of contexts, read off the style sheet: legible in both themes, and one hue."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHEET = (ROOT / "assets" / "styles" / "base.css").read_text(encoding="utf-8")
THEMES = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
SHADES = [i / 20 for i in range(21)]

Colour = tuple[float, float, float]


def _rgb(code: str) -> Colour:
    red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _shaded(theme: str, strength: float) -> Colour:
    """What `.tok` paints at this strength over the page, from the numbers in the sheet."""
    pair = re.search(r"--heat: light-dark\((#\w{6}), (#\w{6})\)", SHEET)
    share = re.search(
        r"\.tok \{ background: color-mix\(in srgb, var\(--heat\) "
        r"calc\(var\(--a\) \* (\d+)%\), transparent\)",
        SHEET,
    )
    assert pair
    assert share
    heat, page = _rgb(pair[1 if theme == "light" else 2]), _rgb(THEMES[theme]["backgroundColor"])
    alpha = strength * int(share[1]) / 100
    red, green, blue = (alpha * h + (1 - alpha) * p for h, p in zip(heat, page, strict=True))
    return red, green, blue


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_on_every_shade_passes_wcag_aa(theme: str) -> None:
    text = _rgb(THEMES[theme]["textColor"])
    assert min(_contrast(text, _shaded(theme, a)) for a in SHADES) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_stronger_shade_is_further_from_the_page_in_brightness_alone(theme: str) -> None:
    """So the order can be read by whoever sees no difference between hues, and in print."""
    page = _rgb(THEMES[theme]["backgroundColor"])
    steps = [_contrast(page, _shaded(theme, a)) for a in SHADES]
    assert steps == sorted(steps)
    assert steps[-1] > 1.7


def test_the_measure_is_that_of_wcag() -> None:
    assert _contrast(_rgb("#000000"), _rgb("#ffffff")) == pytest.approx(21.0)
    assert _contrast(_rgb("#777777"), _rgb("#ffffff")) == pytest.approx(4.48, abs=0.01)
