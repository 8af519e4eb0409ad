"""A label's kind and its test: figures where they are known, words where they are not."""

from __future__ import annotations

import math
import re
from html import unescape

import pytest

from backend.label_html import kind_badge, label_html


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_a_tested_label_shows_its_kind_accuracy_and_auc():
    html = label_html("spelling", "spelling", 0.9, 0.94, 110)
    assert words(html) == "spelling accuracy 0.90, AUC 0.94 on 110 held-out members"
    assert 'class="badge naming spelling"' in html


@pytest.mark.parametrize("missing", [None, math.nan])
def test_a_label_without_a_test_says_so_and_shows_no_figure(missing):
    told = words(label_html("meaning", "meaning", missing, missing, 0))
    assert told == "meaning not tested"
    assert not re.search(r"\d", told)


def test_a_list_of_members_words_claims_nothing_in_common():
    told = words(label_html("word", "members", None, 0.8, 9))
    assert "nothing in common was found" in told
    assert "accuracy" not in told and "AUC 0.80 on 9" in told


def test_a_latent_without_a_name_has_no_test_either():
    assert words(label_html("none", "none", None, None, 0)) == "no name"


def test_an_unknown_kind_is_shown_as_text():
    assert kind_badge("<b>odd</b>") == '<span class="badge">&lt;b&gt;odd&lt;/b&gt;</span>'


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("person", "written by hand"),
        ("neuronpedia", "imported from Neuronpedia"),
        ("delphi", "imported from Delphi's results"),
        ("metasae", "imported from the meta-SAE dashboard"),
    ],
)
@pytest.mark.parametrize("kind", ["word", "none"])
def test_a_label_by_others_has_its_source_and_no_kind_of_the_label_before(kind, source, told):
    assert words(label_html(kind, source, None, None, 0)) == f"{told} not tested"
