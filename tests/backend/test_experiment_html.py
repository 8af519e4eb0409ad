"""Pieces of HTML that all pages of experiments share."""

from __future__ import annotations

import pytest

from backend.concerned_html import SHOWN, concerned_html
from backend.experiment_answers import answer_of
from backend.experiment_families import FAMILIES, family_of
from backend.experiment_figures import in_order, main_subject, main_suite, over_width, sizes_of
from backend.experiment_html import figures_table, missing, subject_pills, value
from backend.experiment_terms import TERMS
from backend.experiments import EXPERIMENTS
from tests.experimented import concerned_rows, measurement_rows
from tests.experimented_rows import figure
from tests.planted import HOSTILE, META, SMALL, WIDE, sae_rows

SAES = list(sae_rows())


def test_a_figure_is_told_with_its_interval_or_a_dash() -> None:
    assert ">2.00 [1.90, 2.10]<" in value(figure("errors", WIDE, "SAE", "kl", 2.0, 9, 0.1))
    assert ">2.000<" in value(figure("errors", WIDE, "SAE", "kl", 2.0, 9), 3)
    # two significant digits at least, and the ends with as many
    small = figure("errors", WIDE, "SAE", "kl", 0.0021, 9, 0.0002)
    assert ">0.0021 [0.0019, 0.0023]<" in value(small)
    assert "0.0021" in figures_table([small]) and "0.0019 to 0.0023" in figures_table([small])
    unclear = figure("errors", WIDE, "SAE", "kl", 0.00015, 9, 0.02)
    assert ">0.000 [−0.020, 0.020]<" in value(unclear)  # noqa: RUF001
    assert ">0.00<" in value(figure("errors", WIDE, "SAE", "kl", 0.0, 9))
    assert value(None) == "–"  # noqa: RUF001
    assert value(figure("errors", WIDE, "SAE", "kl", float("nan"), 9)) == "–"  # noqa: RUF001


def test_the_table_of_figures_is_escaped_and_complete() -> None:
    html = figures_table([figure("errors", HOSTILE[0], HOSTILE[1], HOSTILE[0], -1.5, 1234, 0.5)])
    assert "<script" not in html
    assert "−1.500" in html and "−2.000 to −1.000" in html and "1,234" in html  # noqa: RUF001


def test_what_is_missing_names_the_section_and_the_command() -> None:
    html = missing("Why?", "errors", "what <b>it</b> is")
    assert "<h2>Why?</h2>" in html and "<b>it" not in html
    assert "[experiments.errors]" in html and "python -m precompute run" in html
    assert "<h2>" not in missing("", "errors", "what")


def test_choices_are_links_and_a_single_one_is_none() -> None:
    html = subject_pills("errors", "r", [SMALL, WIDE, HOSTILE[0]], WIDE, kept={"metric": "kl"})
    assert f"<b>{WIDE}</b>" in html and "<script" not in html
    assert f'href="errors?run=r&amp;metric=kl&amp;sae={SMALL}"' in html
    assert subject_pills("errors", "r", [WIDE], WIDE) == ""
    assert ">KL</a>" in subject_pills("errors", "r", ["kl", "x"], "x", "metric", "as", {},
                                      {"kl": "KL"})  # fmt: skip


def test_every_experiment_belongs_to_one_family() -> None:
    for name in EXPERIMENTS:
        assert sum(name in family.experiments for family in FAMILIES.values()) == 1
    assert family_of("toy models") is FAMILIES["resistance"]
    assert family_of("nothing") is None


@pytest.mark.parametrize("key", FAMILIES)
def test_every_family_answers_from_planted_figures(key: str) -> None:
    first = FAMILIES[key].experiments[0]
    rows = [row for row in measurement_rows() if row["experiment"] == first]
    assert answer_of(key, rows, SAES).startswith("<b>")


def test_saes_come_by_size_and_controls_beside_the_suite() -> None:
    rows = [figure("errors", name, "SAE", "kl", 0.1, 9) for name in (WIDE, "words-16", SMALL)]
    sizes = sizes_of(rows, SAES)
    assert sizes == {SMALL: 8, WIDE: 32, "words-16": 16}
    assert main_suite(sizes) == [SMALL, WIDE]
    assert [(row["x"], row["step"]) for row in over_width(rows, sizes)] == [(32, 1), (8, 0)]
    assert main_subject(sizes, SAES) == WIDE  # the one that the meta-SAE decomposes
    assert main_subject({"words-16": 16, SMALL: 8}, []) == SMALL
    assert main_subject({"words-16": 16}, []) == "words-16"


def test_rows_are_put_in_the_order_of_names() -> None:
    rows = [figure("errors", WIDE, name, "kl", 0.1, 9) for name in ("b", "a", "c")]
    assert [row["setting"] for row in in_order(rows, ("c", "a"))] == ["c", "a"]


def test_what_concerns_a_latent_links_to_its_experiment_and_is_escaped() -> None:
    rows = list(concerned_rows())
    html = concerned_html([row for row in rows if row["sae_id"] == META], "meta-latent", "r")
    assert "Experiments on this meta-latent" in html
    assert f'href="edits?run=r&amp;sae={WIDE}"' in html
    html = concerned_html([row for row in rows if row["sae_id"] == WIDE], "latent", "r")
    assert "<script" not in html and "letter e: absorbs" in html
    assert concerned_html([], "latent", "r") == ""


def test_many_experiments_on_one_latent_are_folded_up() -> None:
    row = next(concerned_rows())
    html = concerned_html([row] * 30, "latent", "r")
    assert html.index("</ul>") < html.index(f"{30 - SHOWN} more")
    assert "<details" not in concerned_html([row] * (SHOWN + 1), "latent", "r")
    assert "toy" in concerned_html([{**row, "experiment": "toy"}], "latent", "r")


def test_terms_are_one_or_two_short_sentences() -> None:
    for term, told in TERMS.items():
        assert told.endswith(".") and len(told) < 260, term
