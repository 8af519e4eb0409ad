"""The figure of a decomposition: valid XML, right bars, nothing that could run or be fetched."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from backend.citation import Quoted
from backend.decomposition_svg import WIDTH, decomposition_svg, ticks
from backend.downloads.decomposition import quoted_decomposition
from backend.links import SVG_NAMESPACE
from backend.store import Run
from tests.planted import HOSTILE

TEXT, RECT = f"{{{SVG_NAMESPACE}}}text", f"{{{SVG_NAMESPACE}}}rect"


def parsed(quoted: Quoted) -> ElementTree.Element:
    return ElementTree.fromstring(decomposition_svg(quoted))


def texts(figure: ElementTree.Element) -> list[str]:
    """What is printed, without what is shown on hover."""
    return [(node.text or "") + "".join(c.tail or "" for c in node) for node in figure.iter(TEXT)]


def test_the_figure_says_everything_about_einstein(run: Run) -> None:
    figure = parsed(quoted_decomposition(run, "sae-32", 0, ""))
    told = texts(figure)
    assert " ".join(told).startswith("einstein = 0.60 scientist + 0.50 german + 0.40 words in e-")
    assert any("n = 3 components, variance explained 0.84" in line for line in told)
    for words in ("share of the decoder row", "weight", "cosine", "stability", "bias", "residual"):
        assert words in told
    assert any(run.manifest.short_hash in line for line in told)


def test_bars_are_as_long_as_their_shares(run: Run) -> None:
    quoted = quoted_decomposition(run, "sae-32", 0, "")
    bars = [node for node in parsed(quoted).iter(RECT) if node.get("height") == "13"]
    widths = [float(node.get("width", "0")) for node in bars]
    # shares are weight^2 / 0.97: 0.36, 0.25, 0.16, then bias 0.04 and residual 0.16
    expected = [0.36, 0.25, 0.16, 0.04, 0.16]
    assert [width / widths[0] for width in widths] == pytest.approx(
        [share / 0.36 for share in expected], abs=0.01
    )


def test_a_negative_share_goes_to_the_left_of_zero(run: Run) -> None:
    quoted = quoted_decomposition(run, "sae-32", 0, "")
    quoted.components[0]["share"] = -0.2
    bars = [node for node in parsed(quoted).iter(RECT) if node.get("height") == "13"]
    first, second = (float(bar.get("x", "0")) for bar in bars[:2])
    assert first + float(bars[0].get("width", "0")) == pytest.approx(second, abs=0.1)
    assert "\u22120.20" in texts(parsed(quoted))


@pytest.mark.parametrize(
    "label", [*HOSTILE, "]]>", "\x00\x0b", "\uffff", "\ud800", "&amp;", "東京" * 60, "w" * 300, ""]
)
def test_no_label_breaks_the_figure_or_leaves_it(run: Run, label: str) -> None:
    quoted = quoted_decomposition(run, "sae-32", 0, "")
    quoted.facts["label"] = label
    for row in quoted.components:
        row["label"] = label
    text = decomposition_svg(quoted)
    figure = ElementTree.fromstring(text)  # raises when it is no XML
    assert not re.search(r"<(script|image|foreignObject|style|a|use)\b|\son\w+=|href", text)
    assert len(re.findall(r"https?:", text)) == 1, "the namespace and nothing else"
    for node in figure.iter(TEXT):
        size = float(node.get("font-size", "0"))
        wide = sum(1.0 if ord(c) > 0x2E80 else 0.5 for c in texts_of(node)) * size
        assert float(node.get("x", "0")) + wide * (node.get("text-anchor") == "start") <= WIDTH


def texts_of(node: ElementTree.Element) -> str:
    return (node.text or "") + "".join(child.tail or "" for child in node)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 0.1, [0, 0.05, 0.1]),
        (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-0.17, 0.65, [-0.2, 0, 0.2, 0.4, 0.6, 0.8]),
        (-0.5, 2.0, [-0.5, 0, 0.5, 1.0, 1.5, 2.0]),
    ],
)
def test_an_axis_has_few_round_marks_with_zero(
    low: float, high: float, expected: list[float]
) -> None:
    assert ticks(low, high) == expected
