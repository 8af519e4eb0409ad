"""The sentences of the Trust page: computed from the rows, never said without them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import unescape

import pytest

from backend.records import Record
from backend.text_html import MISSING
from backend.trust_checks_html import (
    attributes_section,
    composition_section,
    explained_section,
    relations_html,
    sampling_section,
)
from backend.trust_figures import sae_points, sweep_points
from backend.trust_html import controls_section, methods_section, seeds_section
from backend.trust_sizes_html import k_section, sweep_answer
from tests.trusted import HELD_OUT, HOSTILE_LABEL, measurement_rows

ROWS = list(measurement_rows())
Section = Callable[[Sequence[Record]], str]


def rows(experiment: str, **changed: float) -> list[Record]:
    """Planted rows; `changed` gives subjects (spaces as _) another held-out value, no interval."""
    found = [dict(row) for row in ROWS if row["experiment"] == experiment]
    for row in found:
        value = changed.get(row["subject"].replace(" ", "_").replace("-", "_"))
        is_shown = row["setting"] == HELD_OUT and row["metric"] == "variance_explained"
        if value is not None and is_shown:
            row |= {"value": value, "ci_low": None, "ci_high": None}
    return found


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_controls_tell_the_margin_over_the_hardest() -> None:
    told = words(controls_section(rows("controls"), ""))
    assert (
        "Yes. Held out, the meta-SAE explains 0.47 of the decoder rows and 0.26 of "
        "covariance-matched Gaussian rows, the hardest control: a margin of 0.21." in told
    )
    assert "Of word directions, whose parts are known, 0.42." in told
    assert "Of an SAE of a random model 0.24, of one trained alike on the real model 0.38." in told
    assert "decoder rows 0.47 0.56 n = 5" in told  # held out, the circle in sample


def test_another_control_can_be_the_hardest_and_the_answer_can_be_no() -> None:
    told = words(controls_section(rows("controls", shuffled_coordinates=0.6), ""))
    assert (
        "No. Held out, the meta-SAE explains 0.47 of the decoder rows and 0.60 of shuffled" in told
    )
    assert "a margin of \u22120.13" in told


def test_controls_are_grey_and_known_parts_blue() -> None:
    html = controls_section(rows("controls"), "")
    # covariance, shuffled, isotropic and the random model; decoder rows and the real SAE are own
    assert html.count('<span class="bar null"') == 4
    assert html.count('<span class="bar other"') == 1
    assert html.count('<span class="bar"') == 2


def test_in_sample_rows_are_shown_when_there_are_no_others() -> None:
    seen = [row for row in rows("controls") if row["setting"] != HELD_OUT]
    told = words(controls_section(seen, ""))
    assert "In sample, the meta-SAE explains 0.56 of the decoder rows" in told
    assert "circle" not in controls_section(seen, "")


def test_without_controls_the_margin_of_the_overview_is_told() -> None:
    told = words(controls_section([], "margin sentence"))
    assert "no rows of the experiment “controls”" in told and "margin sentence" in told


def test_methods_say_how_many_do_better_and_which_with_as_few_directions() -> None:
    told = words(methods_section(rows("methods")))
    assert "Than some. Its variance explained is 0.47; 1 of 3 methods without a meta-SAE" in told
    assert "The best is pursuit on sae-8 (8 directions): 0.60." in told
    assert "With no more directions than the meta-SAE's 4 it is pursuit on k-means : 0.45." in told
    assert "Pursuit on the meta-SAE's own directions reaches 0.52." in told
    assert "meta-SAE with random directions 4 directions, 2.0 parts a row \u22120.51" in told


@pytest.mark.parametrize(("own", "told"), [(0.9, "Yes."), (0.1, "No."), (0.6, "Not clearly.")])
def test_the_answer_follows_the_numbers(own: float, told: str) -> None:
    html = methods_section(rows("methods", meta_SAE=own))
    assert f"<b>{told}</b>" in html


def test_values_below_0_are_drawn_and_not_cut() -> None:
    html = methods_section(rows("methods"))
    # axis from -0.75 to 0.75: the bar of -0.51 ends at 0.5 and starts at (0.75 - 0.51) / 1.5
    assert 'class="bar null negative"' in html
    assert '<span style="margin-left:16.0%;width:34.0%"></span>' in html


def test_the_sweep_names_the_widest_gap_and_counts_smaller_saes() -> None:
    lines = sweep_points(rows("width_sweep"), HELD_OUT)
    told = words(sweep_answer(lines, sae_points(rows("methods"), HELD_OUT)))
    assert "is widest at 4 meta-latents, 0.21; at 16 it is 0.17." in told
    # 0.60 of sae-8 lies above the line, 0.57 at 8
    assert "0 of 1 smaller SAEs explain less" in told
    assert sweep_answer({}, []) == ""


def test_another_k_is_told_beside_the_shown_one() -> None:
    told = words(k_section(rows("k"), rows("controls"), 2.0))
    # 0.8 x (0.47 - 0.26)
    assert "With k = 1 the margin over covariance-matched Gaussian rows is 0.17, with k = 2" in told
    assert "it is 0.21." in told


def test_seeds_tell_what_is_found_again_with_its_control() -> None:
    stable = [row for row in ROWS if row["experiment"] == "decomposition"]
    told = words(seeds_section(rows("controls"), stable))
    assert "35.0 % of the meta-latents are found again, against 4.0 % on covariance" in told
    assert "Of a latent's components , 18.0 % come back with another seed" in told
    only_stable = words(seeds_section([], stable))
    assert "18.0 %" in only_stable and "found again" not in only_stable


def test_attributes_start_at_chance_and_name_the_best_other_method() -> None:
    html = attributes_section(rows("attributes"))
    told = words(html)
    assert "Yes. The meta-SAE's parts reach 0.71; the best other method, pursuit on sae-8" in told
    assert "0.74, with overlapping intervals." in told
    assert html.count('<span class="bar other negative"') == 1  # k-means, 0.40, is below chance
    assert f"0.74 0.71 {MISSING} 0.40 16" in told  # the one attribute, in the order of the bars


def test_scores_of_every_part_stand_apart_from_those_of_a_few() -> None:
    html = attributes_section(rows("attributes"))
    few, every = html.split("<h3>")[1:3]
    assert words(few).startswith("A few parts for each latent") and "every part" not in few
    assert "sae-8, every part" in words(every)
    # 0.90 of every part is no reason to say that another method of a few parts is better
    assert "0.90" not in words(html.split("<h3>")[0])
    assert "bar null" in few  # the shuffled facts are a control


def test_parts_that_may_be_chance_are_not_called_facts() -> None:
    low = [dict(row, ci_low=0.45) for row in rows("attributes")]
    assert "<b>Not clearly.</b>" in attributes_section(low)


def test_components_beside_shuffled_ones() -> None:
    told = words(explained_section(rows("explained")))
    assert "20.0 % of the strongest components are explained by a known fact" in told
    assert "5.0 % with the facts of other latents; counting the first 2 components, 40.0 %" in told


def test_relations_composition_and_sampling() -> None:
    assert "At most 30.0 % of the pairs" in words(relations_html(rows("relations")))
    assert "( sae-8 , 5.0 % by chance)" in words(relations_html(rows("relations")))
    told = words(composition_section(rows("composition")))
    assert "sae-32 , with 0.50; the score rises with size (0.30 to 0.50)." in told
    told = words(sampling_section(rows("sampling")))
    assert (
        "Counting rows alike, training on rows alike 0.47, on rows by mean activation 0.44." in told
    )


@pytest.mark.parametrize(
    ("section", "experiment"),
    [
        (methods_section, "methods"),
        (attributes_section, "attributes"),
        (explained_section, "explained"),
        (relations_html, "relations"),
        (composition_section, "composition"),
        (sampling_section, "sampling"),
        (lambda given: k_section(given, [], None), "k"),
        (lambda given: seeds_section(given, []), "controls"),
        (lambda given: controls_section(given, ""), "controls"),
    ],
)
def test_a_section_without_rows_names_what_is_missing(section: Section, experiment: str) -> None:
    html = section([])
    assert f"no rows of the experiment “{experiment}”" in html
    assert 'class="answer"' not in html


@pytest.mark.parametrize(
    "section",
    [
        methods_section,
        attributes_section,
        explained_section,
        relations_html,
        composition_section,
        sampling_section,
        lambda given: k_section(given, given, 4.0),
        lambda given: seeds_section(given, given),
        lambda given: controls_section(given, ""),
    ],
)
def test_hostile_subjects_and_settings_are_escaped_everywhere(section: Section) -> None:
    for row in ROWS:
        hostile = [
            {**row, "subject": row["subject"] + HOSTILE_LABEL},
            {**row, "setting": row["setting"] + f", {HOSTILE_LABEL}"},
            row,
        ]
        assert HOSTILE_LABEL not in section(hostile)
