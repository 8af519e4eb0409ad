"""The page of steering: methods at one damage, lines of a concept, texts that were written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.experimented_edits import CONCEPTS
from tests.pages.conftest import Opened
from tests.pages.test_trust_page import run_with

Open = Callable[..., Opened]


def read(page: Opened) -> str:
    """Its words, with a minus sign that is on a keyboard."""
    return page.words.replace("\N{MINUS SIGN}", "-")


def test_the_answer_names_the_best_method_and_its_control(opened: Open) -> None:
    page = opened("steering")
    # the vector's 4.0 +- 0.3 and the reconstruction's 3.5 +- 0.3 overlap; random has 0.2
    assert "Not one alone. For 0.1 nats of damage the vector has the largest effect" in page.words
    assert "random directions have 0.20 [-0.10, 0.50]" in read(page)
    assert "Not clearly behind: reconstruction." in page.words
    # 1.5 +- 0.3 against 2.0 +- 0.3
    assert "reaches 1.50, not clearly other than a single latent (2.00)" in page.words
    assert "50.0 % of the Pareto front" in page.words
    assert len(page.app.get("plotly_chart")) == 1
    assert 'class="notice' not in page.html


def test_all_concepts_are_averaged_and_one_can_be_chosen(opened: Open) -> None:
    page = opened("steering")
    assert "Means over 2 concepts at each strength" in page.words
    box = page.app.selectbox(key="_url_concept")
    assert list(box.options) == ["all concepts", *sorted(CONCEPTS)]
    page = opened("steering", concept="country France")
    assert page.app.selectbox(key="_url_concept").value == "country France"
    assert "Means over" not in page.words
    assert "Texts towards country France, beside" in page.words
    # all damages are equal at one strength, so the vector alone is on the front
    assert page.html.count("<b>yes</b>") == 3


def test_texts_are_escaped_with_strength_method_and_hits(opened: Open) -> None:
    page = opened("steering", concept="country France")
    texts = page.words[page.words.index("What it writes") :]
    assert "vector 0.30 We met" in texts
    assert "0 target tokens" in texts
    assert "1 target token " in texts
    assert "<script>alert" not in page.html
    assert "We met &lt;script&gt;" in page.html


def test_an_unknown_concept_gets_a_plain_message(opened: Open) -> None:
    page = opened("steering", concept="<b>nothing</b>")
    assert "Nothing was steered towards “<b>nothing</b>” here; showing all concepts." in page.words
    assert "<b>nothing</b>" not in page.html


def test_a_run_without_steering_says_how_to_make_it(
    opened: Open, fixture_run: Path, tmp_path: Path
) -> None:
    page = opened("steering", run_with(fixture_run, tmp_path, {"errors"}))
    assert "[experiments.steering]" in page.words
    assert page.html.count('class="notice') == 1
