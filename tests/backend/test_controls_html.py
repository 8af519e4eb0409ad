"""The meta-SAE beside its controls: order, groups, the margin, and what is missing."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from backend.controls_html import controls_html, margin_words


def _row(setting: str, value: float, metric: str = "variance_explained", **more: Any) -> Any:
    row = {"experiment": "meta_sae", "subject": "meta-4", "setting": setting, "metric": metric}
    return {**row, "value": value, "ci_low": None, "ci_high": None, "n": 1000, **more}


REAL = _row("held-out, decoder rows, 90 % of rows", 0.44)
ISOTROPIC = _row("held-out, isotropic Gaussian null, 90 % of rows", 0.09)
MATCHED = _row("held-out, covariance-matched Gaussian null, 90 % of rows", 0.4)
SEEN = _row("in-sample, shown seed", 0.5, ci_low=0.48, ci_high=0.52)


def _words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_the_margin_is_told_over_the_covariance_matched_null_on_held_out_rows() -> None:
    told = margin_words([SEEN, ISOTROPIC, MATCHED, REAL])
    assert "held out, 0.44 against 0.40. That margin of 0.04" in told


def test_no_margin_is_told_without_the_fair_control() -> None:
    assert margin_words([REAL, ISOTROPIC]) == ""
    # the control of other rows is no fair comparison either
    assert margin_words([SEEN, MATCHED]) == ""


def test_held_out_comes_first_and_bars_go_from_long_to_short() -> None:
    words = _words(controls_html([SEEN, ISOTROPIC, MATCHED, REAL]))
    order = [
        "Held out",
        "decoder rows, 90",
        "covariance-matched",
        "isotropic",
        "In sample",
        "shown",
    ]
    places = [words.index(part) for part in order[1:] if part != "In sample"]
    assert places[0] < places[1] < places[2] < places[3]
    assert words.index("Held out") < words.index("In sample")


def test_controls_are_grey_and_the_meta_sae_is_not() -> None:
    html = controls_html([REAL, MATCHED])
    assert html.count('class="bar null"') == 1
    assert html.count('class="bar"') == 1


def test_an_interval_is_drawn_where_there_is_one() -> None:
    html = controls_html([SEEN, REAL])
    assert html.count('<i style="left:48.0%;width:4.0%"></i>') == 1
    assert html.count("<i ") == 1
    assert "0.500 [0.48, 0.52], n = 1,000" in html


def test_other_figures_go_into_the_table_and_missing_ones_are_dashes() -> None:
    html = controls_html([REAL, _row("other seeds", 0.6, "mean_stability")])
    assert "mean stability other seeds 0.60 – 1,000" in _words(html)  # noqa: RUF001


def test_a_setting_of_unknown_form_is_shown_whole_and_escaped() -> None:
    html = controls_html([_row("<b>all</b>, rows", 0.5)])
    assert "&lt;b&gt;all&lt;/b&gt;, rows" in html


def test_a_run_without_measurements_says_so() -> None:
    assert "no measurements" in controls_html([])
