"""The section about names: its answer, its bars and what it says without rows."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from backend.records import Record
from backend.store import open_run
from backend.trust_names import label_figures
from backend.trust_names_html import names_section
from tests.planted import META, SMALL, WIDE


@pytest.fixture(scope="module")
def rows(fixture_run: Path) -> list[Record]:
    return label_figures(open_run(fixture_run))


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def changed(rows: list[Record], setting: str, value: float) -> list[Record]:
    return [
        row | {"value": value, "ci_low": value - 0.01, "ci_high": value + 0.01}
        if (row["setting"], row["metric"], row["subject"]) == (setting, "auc", META)
        else row
        for row in rows
    ]


def test_rows_name_their_sae_meta_first_then_from_the_largest(rows):
    subjects = list(dict.fromkeys(row["subject"] for row in rows))
    assert subjects == [META, WIDE, SMALL]
    assert {row["kind"] for row in rows if row["subject"] == META} == {"meta"}


def test_names_that_beat_shuffled_ones_are_told_with_both_figures(rows):
    told = words(names_section(rows))
    assert (
        "Yes. Names of meta-4 tell held-out members from others with an AUC of 0.88; names dealt "
        "to others reach 0.51. A list of the strongest members' words tells less: 0.81." in told
    )
    assert "75.0 % speak of a meaning (AUC 0.90), 25.0 % of a spelling (AUC 0.83)." in told
    assert "only list words" not in told  # none of these names does
    html = names_section(rows)
    assert html.count('<span class="bar null"') == 1 and html.count('<span class="bar other"') == 1
    assert html.count('<em class="circle"') >= 2  # shuffled names of both SAEs


@pytest.mark.parametrize(
    ("setting", "value", "answer"),
    [
        ("shuffled labels", 0.88, "Not clearly."),
        ("shuffled labels", 0.95, "No."),
        ("members' words", 0.88, "tells about as much: 0.88"),
        ("members' words", 0.95, "tells more: 0.95"),
    ],
)
def test_the_answer_follows_the_figures(rows, setting, value, answer):
    assert answer in words(names_section(changed(rows, setting, value)))


def test_parts_that_were_not_measured_are_left_out(rows):
    alone = [row for row in rows if row["subject"] == META and row["setting"] == "label"]
    told = words(names_section(alone))
    assert "AUC of 0.88." in told
    assert "Names of latents" not in told and "shuffled" not in told.partition("n = 3")[0]


def test_a_run_without_the_test_says_so():
    assert "no rows of the experiment “labels”" in words(names_section([]))
