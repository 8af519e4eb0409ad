"""What the rows of edits say: order, controls, verdicts, choices, and how they are drawn."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import pytest

from backend import experiments
from backend.edit_charts import plane
from backend.edit_example_html import edited_html, latents_html, parts_html, told_html
from backend.edit_figures import (
    attribute_scores,
    beats_controls,
    best_meta,
    best_other,
    chosen_place,
    kind_of,
    scores,
)
from backend.edit_html import answer_html, attributes_html, facts_of, scores_section
from backend.records import Record
from backend.store import Run
from tests.experimented_edits import CITIES, edit_rows, measurement_rows
from tests.experimented_rows import figure
from tests.planted import HOSTILE, WIDE

CONTROL = "meta as text, random meta-latents"


def traces(figure: go.Figure) -> list[Any]:
    """Its traces; plotly's stubs do not know what they hold."""
    return list(figure.data)


def scored(method: str, value: float, metric: str = "disentangle", half: float = 0.02) -> Record:
    return figure("edits", WIDE, method, metric, value, 100, half)


def planted() -> list[Record]:
    return [row for row in measurement_rows() if row["experiment"] == "edits"]


def test_methods_come_in_order_each_with_its_twin_without_error_term() -> None:
    names = list(scores(planted(), "disentangle"))
    assert names[:4] == [
        "meta as text",
        "meta as text, no error term",
        "meta as code",
        "meta as code, no error term",
    ]
    assert names[-1] == "nothing"
    assert list(attribute_scores(planted(), "cause")) == ["cities/country", "cities/language"]


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("meta as text, no error term", "own"),
        ("whole latent", "other"),
        ("other's activation", "other"),
        (CONTROL, "null"),
        ("random", "null"),
        ("nothing, no error term", "null"),
        ("something new", "other"),
    ],
)
def test_controls_are_told_from_edits(method: str, kind: str) -> None:
    assert kind_of(method) == kind


@pytest.mark.parametrize(
    ("meta", "random", "dealt", "told"),
    [
        (0.80, 0.50, 0.60, "Yes"),
        (0.80, 0.50, 0.79, "Not clearly"),  # random meta-latents, chosen alike, do the same
        (0.80, 0.50, 0.90, "No"),
        (0.51, 0.45, 0.45, "Not clearly"),  # 0.49 to 0.53 holds what doing nothing has
        (0.40, 0.30, 0.30, "No"),
    ],
)
def test_an_edit_must_beat_nothing_random_directions_and_random_meta_latents(
    meta: float, random: float, dealt: float, told: str
) -> None:
    rows = [scored("meta as text", meta), scored("random", random), scored(CONTROL, dealt)]
    found = scores(rows, "disentangle")
    assert beats_controls(found["meta as text"], found) == told
    assert "random meta-latents <span" in answer_html(rows)


def test_the_ceiling_is_no_rival_and_a_control_no_winner() -> None:
    rows = [scored("other's activation", 0.99), scored("whole latent", 0.6), scored("probe", 0.7)]
    rows += [scored(CONTROL, 0.95), scored("meta as code", 0.65)]
    found = scores(rows, "disentangle")
    best, other = best_meta(found), best_other(found)
    assert best is not None and best["setting"] == "meta as code"
    assert other is not None and other["setting"] == "probe"
    assert "That is worse than the best method without meta-latents, probe" in answer_html(rows)


def test_an_sae_without_meta_latents_gets_an_answer_too() -> None:
    told = answer_html([scored("whole latent", 0.6), scored("random", 0.5)])
    assert told.startswith("This SAE was not decomposed")
    assert "The best edit (whole latent)" in told
    assert answer_html([]) == "No edit was scored."


def test_what_edits_rest_on_is_shown_where_it_was_measured() -> None:
    rows = [
        scored("nothing", 0.96, "answered right"),
        scored("whole latent", 0.5, "pairs with two latents"),
    ]
    assert "96.0 %" in facts_of(rows)
    assert "50.0 %" in facts_of(rows)
    assert facts_of(planted()) == ""


def test_bars_have_the_twin_as_circle_and_the_scores_below_the_name() -> None:
    html = scores_section(planted())
    assert html.count("<li>") == 7
    assert html.count('<em class="circle" style="left:') == 6  # nothing has no twin
    assert "cause 0.70, isolate 0.90" in html


def test_the_best_edit_of_a_row_is_bold_and_nothing_never_is() -> None:
    rows = [
        scored(method, value, "isolate: cities/country")
        for method, value in (("nothing", 1.0), ("meta as text", 0.9), ("probe", 0.7))
    ]
    html = attributes_html(rows, "isolate")
    assert "<b>0.90</b>" in html
    assert "<b>1.00</b>" not in html
    assert "no scores for single attributes" in attributes_html(rows, "cause")


def test_the_plane_has_a_point_a_method_at_its_scores_with_both_intervals() -> None:
    figure_ = plane(scores(planted(), "cause"), scores(planted(), "isolate"))
    drawn: dict[str, Any] = {trace["name"]: trace for trace in traces(figure_)}
    assert len(drawn) == 13  # seven methods, six twins
    own, hollow = drawn["meta as text"], drawn["meta as text, no error term"]
    assert (list(own.x), list(own.y)) == ([0.7], [0.9])
    assert list(own.error_x.array) == pytest.approx([0.04])
    assert list(own.error_y.arrayminus) == pytest.approx([0.04])
    assert drawn["nothing"].error_x.array is None
    assert hollow.marker.symbol == f"{own.marker.symbol}-open"
    assert hollow.marker.color == own.marker.color
    assert own.showlegend and not hollow.showlegend
    looks = {(t.marker.color, t.marker.symbol) for t in traces(figure_)}
    assert len(looks) == 13
    layout: Any = figure_.layout
    assert "cause" in layout.xaxis.title.text and "n = 120" in layout.xaxis.title.text
    assert "isolate" in layout.yaxis.title.text
    (line,) = layout.shapes  # where cause + isolate is 1, disentangle is one half
    assert (line.x0 + line.y0, line.x1 + line.y1) == (1, 1)


def test_hostile_methods_are_escaped_in_the_plane_and_the_bars() -> None:
    name = HOSTILE[0]
    rows = [scored(name, 0.5, metric) for metric in ("cause", "isolate", "disentangle")]
    (point,) = traces(plane(scores(rows, "cause"), scores(rows, "isolate")))
    assert "<script>" not in str(point)
    assert "<script>" not in scores_section(rows) + answer_html(rows)


def test_a_choice_that_is_not_there_gives_the_first_and_is_named() -> None:
    known = {
        (): ["cities", "foods"],
        ("foods",): ["apple", "bread"],
        ("foods", "bread"): ["apple"],
        ("foods", "bread", "apple"): ["kind"],
    }

    def values(_name: str, before: dict[str, str]) -> list[str]:
        return known[tuple(before.values())]

    wanted = {"kind": "foods", "entity": "bread", "other": "bread"}
    place = chosen_place(values, wanted)
    assert place.chosen == {
        "kind": "foods", "entity": "bread", "other": "apple", "attribute": "kind",
    }  # fmt: skip
    assert place.missed == ["other"]
    assert place.known["entity"] == ["apple", "bread"]


def test_one_edit_is_a_row_a_method_and_escaped() -> None:
    chosen = {"kind": "cities", "entity": HOSTILE[0], "other": "paris", "attribute": "country"}
    rows = [row for row in edit_rows() if all(row[k] == v for k, v in chosen.items())]
    html = edited_html(rows, chosen) + told_html(rows, chosen)
    assert html.count("<tr>") == 1 + 7
    assert "<script>" not in html
    assert "4 of 7 edits do it, 2 with all other facts kept" in html
    # one group of parts: both meta edits move the same; a part without a link is numbered
    parts = parts_html(rows, {0: "<a>german</a>"})
    assert parts.count("<h3>") == 1
    assert "<a>german</a>" in parts and "meta-latent 3" in parts
    assert "latent 1 and latent 3" in latents_html(rows, {})
    assert "no edit of this fact" in edited_html([], chosen)


def test_the_values_to_choose_from_are_those_of_the_edits_before(run: Run) -> None:
    assert experiments.edit_values(run, "kind") == ["cities"]
    assert experiments.edit_values(run, "entity", kind="cities") == sorted(CITIES)
    others = experiments.edit_values(run, "other", kind="cities", entity="berlin")
    assert others == sorted(set(CITIES) - {"berlin"})
    assert experiments.edit_values(run, "entity", kind="' or 1=1 --") == []
    with pytest.raises(ValueError, match="edits have no values of 1; drop"):
        experiments.edit_values(run, "1; drop")
