"""Decompositions as Markdown and BibTeX: figures, provenance, hostile labels."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date

import pytest

from backend.citation import Quoted, bibtex, equation, in_bibtex, in_markdown, markdown
from backend.downloads.decomposition import quoted_decomposition
from backend.store import Run
from tests.planted import HOSTILE

TODAY = date(2031, 2, 3)
NASTY = (
    *HOSTILE,
    "a|b",
    "[x](y)",
    "{",
    "}",
    "\\",
    "{}}{",
    "~^%$#&_",
    "a\nb",
    "@misc{x,",
    "www.a.b",
)


@pytest.fixture
def quoted(run: Run) -> Callable[..., Quoted]:
    """The decomposition of einstein, or of another latent; `label` replaces all labels."""

    def made(latent: int = 0, label: str | None = None) -> Quoted:
        found = quoted_decomposition(run, "sae-32", latent, "http://somewhere/")
        if label is not None:
            found.facts["label"] = label
            for row in found.components:
                row["label"] = label
        return found

    return made


def test_the_equation_is_the_one_of_the_page(quoted: Callable[..., Quoted]) -> None:
    assert (
        equation(quoted())
        == "einstein = 0.60 scientist + 0.50 german + 0.40 words in e- + bias + residual"
    )


def test_markdown_has_the_figures_and_where_they_come_from(
    quoted: Callable[..., Quoted], run: Run
) -> None:
    text = markdown(quoted(), TODAY)
    assert "**einstein** = **0.60** scientist + **0.50** german + **0.40** words in e-" in text
    # shares 0.36/0.97 and so on, as on the page of the latent
    assert "| scientist (meta-4/1) | 0.60 | 0.37 | 0.61 | 1.00 |" in text
    assert "| *bias* | | 0.04 | | |" in text
    assert f"content hash `{run.manifest.short_hash}`, 2031-02-03" in text
    link = f"latent?run=planted&sae=sae-32&latent=0&h={run.manifest.short_hash}"
    assert f"<http://somewhere/{link}>" in text


def test_markdown_without_components_is_bias_and_residual(quoted: Callable[..., Quoted]) -> None:
    assert "**lonely** = *bias* + *residual*" in markdown(quoted(30), TODAY)


@pytest.mark.parametrize("label", NASTY)
def test_no_label_breaks_out_of_its_place_in_markdown(
    quoted: Callable[..., Quoted], label: str
) -> None:
    text = markdown(quoted(label=label), TODAY, [{"text": label, "title": label}])
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 3 + 2
    for row in rows:
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 6, "five cells"
    escaped = in_markdown(label)
    assert "\n" not in escaped
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_\[\]`$|~#:@]|<", escaped)


@pytest.mark.parametrize("label", NASTY)
def test_escaped_markdown_reads_back_as_the_label(label: str) -> None:
    unescaped = html.unescape(re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", in_markdown(label)))
    shown = label.replace("\n", "↵").replace("\u202e", "[U+202E]")
    assert unescaped == " ".join(shown.split())


def test_bibtex_names_the_run_the_hash_and_the_day(quoted: Callable[..., Quoted], run: Run) -> None:
    text = bibtex(quoted(), TODAY)
    short = run.manifest.short_hash
    assert text.startswith(f"@misc{{subatomic:planted:sae-32-0:{short},\n")
    assert "Decomposition of ``einstein'' (latent sae-32/0) by meta-4" in text
    assert f"content hash {run.manifest.content_hash}" in text
    assert "urldate = {2031-02-03}" in text
    assert "year = {2031}" in text
    assert "Planted fixture \\textless{}b\\textgreater{}run" in text


@pytest.mark.parametrize("label", NASTY)
def test_bibtex_braces_are_balanced_whatever_the_label(
    quoted: Callable[..., Quoted], label: str
) -> None:
    text = bibtex(quoted(label=label), TODAY)
    depths = [0]
    for character in text[text.index("{") :].strip():
        # BibTeX counts every brace, behind a backslash too
        depths.append(depths[-1] + {"{": 1, "}": -1}.get(character, 0))
    assert depths[-1] == 0
    assert min(depths[1:-1]) == 1, "the entry ends with its last brace"
    assert text.count("@misc{") == 1


def test_bibtex_specials_are_spelled_out() -> None:
    assert in_bibtex("100%_\\") == r"100\%\_\textbackslash{}"
    assert in_bibtex("{a}") == r"\textbraceleft{}a\textbraceright{}"
    assert in_bibtex("röntgen & co") == r"röntgen \& co"
