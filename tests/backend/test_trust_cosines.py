"""Which histograms a panel shows, with which control, and what it says."""

from __future__ import annotations

import re
from html import unescape

import pytest

from backend import queries, trust
from backend.store import Run
from backend.trust_cosines import (
    META_IN_SAES,
    PANELS,
    SAE_IN_SMALLER,
    WITHIN,
    panel,
    panel_words,
    values_html,
)
from tests.trusted import HOSTILE_LABEL


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.mark.parametrize(
    ("kind", "names", "control", "counted"),
    [
        (META_IN_SAES, ["sae-8", "sae-32"], "4 random directions in sae-32", "4 meta-latents"),
        (SAE_IN_SMALLER, ["sae-8", "meta-4"], "32 random directions in sae-8", "32 latents"),
        (WITHIN, ["sae-8", "meta-4"], "8 random directions", "4 to 8 directions"),
    ],
)
def test_panels_and_their_hardest_control(
    run: Run, kind: str, names: list[str], control: str, counted: str
) -> None:
    shown = panel(trust.cosine_histograms(run), queries.saes(run), kind)
    assert [name for name, _ in shown.lines] == names
    assert shown.control is not None
    assert shown.control[0] == control
    assert shown.counted == f"n = {counted}"


def test_the_sae_of_similar_size_is_told_with_chance(run: Run) -> None:
    saes = queries.saes(run)
    shown = panel(trust.cosine_histograms(run), saes, META_IN_SAES)
    told = words(panel_words(shown, META_IN_SAES, saes))
    # 8 latents are nearer to 4 meta-latents than 32; mean (0.625 + 3 x 0.875) / 4
    assert (
        "Here that is sae-8 : 75.0 % of the meta-latents have a latent at a cosine of 0.7" in told
    )
    assert "0.81 is the mean of the best matches. Of 4 random directions in sae-32: 0.0 %." in told


def test_the_sae_with_most_matches_is_named_when_it_is_another(run: Run) -> None:
    saes = queries.saes(run)
    rows = trust.cosine_histograms(run)
    for row in rows:
        if (row["from_id"], row["to_id"]) == ("meta-4", "sae-32"):
            row["similar_share"] = 0.9
    told = words(panel_words(panel(rows, saes, META_IN_SAES), META_IN_SAES, saes))
    assert "in sae-32 most do, 90.0 %" in told


def test_the_other_panels_list_shares(run: Run) -> None:
    saes, rows = queries.saes(run), trust.cosine_histograms(run)
    told = words(panel_words(panel(rows, saes, SAE_IN_SMALLER), SAE_IN_SMALLER, saes))
    assert "Latents of sae-32 with a direction" in told
    assert "sae-8 25.0 %, meta-4 0.0 %. Of 32 random directions in sae-8: 0.0 %." in told


def test_no_histograms_no_words(run: Run) -> None:
    saes = queries.saes(run)
    for kind in PANELS:
        empty = panel([], saes, kind)
        assert (empty.lines, empty.control) == ([], None)
        assert panel_words(empty, kind, saes) == ""


def test_a_dictionary_of_one_direction_has_an_empty_histogram_and_is_left_out(run: Run) -> None:
    rows = trust.cosine_histograms(run)
    for row in rows:
        row |= {"edges": [], "counts": [], "n": 0}
    assert panel(rows, queries.saes(run), WITHIN).lines == []


def test_every_value_is_in_the_tables_and_escaped(run: Run) -> None:
    rows = [row for own in trust.figures(run).values() for row in own]
    html = values_html(rows, trust.cosine_histograms(run))
    assert f"All {len(rows) + 10} values" in html  # ten histograms
    assert html.count("<tr>") == len(rows) + 10 + 2  # and two heads
    assert HOSTILE_LABEL not in html
    assert "methods meta-SAE held-out variance explained 0.470 0.460 to 0.480 40" in words(html)
    assert "meta-4 sae-8 0.812 75.0 % 4" in words(html)
