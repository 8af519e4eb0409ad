"""The page of edits: scores, the plane, and one edit that the address asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.experimented_edits import HOSTILE_ENTITY
from tests.pages.conftest import Opened
from tests.pages.test_trust_page import run_with

Open = Callable[..., Opened]


def read(page: Opened) -> str:
    """Its words, with a minus sign that is on a keyboard."""
    return page.words.replace("\N{MINUS SIGN}", "-")


def test_the_answer_is_computed_from_the_scores(opened: Open) -> None:
    page = opened("edits")
    # 0.80 +- 0.04 lies above one half, above random's 0.50 and above the probe's 0.60
    assert "Yes. The best edit by meta-latents (meta as text) has a disentangle score of 0.80 " in (
        page.words
    )
    assert "nothing has 0.50 by definition, random directions 0.50 [0.46, 0.54] ." in page.words
    assert "changes 70 % of the facts it aims at and keeps 90 % of the others" in page.words
    assert "better than the best method without meta-latents" in page.words
    assert len(page.app.get("plotly_chart")) == 1
    assert 'class="notice' not in page.html


def test_methods_without_error_term_are_circles_and_controls_are_grey(opened: Open) -> None:
    page = opened("edits")
    assert page.html.count('<span class="bar null') == 2  # random and nothing
    assert page.html.count('<span class="bar other') == 3  # whole latent, difference, probe
    assert "SAE's error left out" in page.words
    bars = page.html[page.html.index("Which edit disentangles best?") :]
    assert bars.index("meta as text") < bars.index("whole latent") < bars.index(">nothing<")


def test_scores_of_a_table_and_attribute_follow_the_address(opened: Open) -> None:
    for metric, best in (("isolate", "0.95"), ("<script>", "0.80")):  # unknown: disentangle
        page = opened("edits", metric=metric)
        table = page.html[page.html.index("By table and attribute") :]
        assert "cities / country" in table
        assert f"<b>{best}</b>" in table[: table.index("One edit")]


def test_one_edit_says_what_changed_what_stayed_and_links_its_parts(opened: Open) -> None:
    page = opened("edits", kind="cities", entity="berlin", other="paris", attribute="language")
    one = read(page).partition("One edit")[2]
    # cause above one half: both meta edits, whole latent, difference; isolate too: meta alone
    assert (
        "language of berlin: 4 of 7 edits do it, 2 with all other facts kept (meta as text" in one
    )
    assert "yes 1 of 1 -0.10 → -2.90 -5.00 → -2.20" in one  # 0.1 + 4 x 0.7, 5 - 4 x 0.7
    assert "taken away german 0 put in" in one
    assert 'href="meta?run=planted&amp;sae=meta-4&amp;latent=0"' in page.html
    assert 'href="meta?run=planted&amp;sae=meta-4&amp;latent=3"' in page.html


def test_wrong_choices_get_plain_messages_and_the_first_edit(opened: Open) -> None:
    wrong = "<b>none</b>"
    page = opened("edits", kind=wrong, entity="berlin", other="berlin", attribute=wrong, sae=wrong)
    for told in (
        f"There are no figures of “{wrong}” here; showing sae-32 instead.",
        f"There is no edit with the table “{wrong}” here; showing cities.",
        "There is no edit with the other entity “berlin” here; showing <script>alert(1)</script>.",
        f"There is no edit with the fact “{wrong}” here; showing country.",
        "Made to answer as for <script>alert(1)</script> when asked for the country of berlin",
    ):
        assert told in page.words
    assert wrong not in page.html


def test_hostile_entities_are_escaped(opened: Open) -> None:
    page = opened("edits", entity=HOSTILE_ENTITY)
    assert "<script>alert" not in page.html
    assert HOSTILE_ENTITY in page.words


def test_a_run_without_edits_says_how_to_make_them(
    opened: Open, fixture_run: Path, tmp_path: Path
) -> None:
    page = opened("edits", run_with(fixture_run, tmp_path, {"errors"}))
    assert "[experiments.edits]" in page.words
    assert page.html.count('class="notice') == 1
