"""The Compare page with good, wrong, missing and hostile addresses, one run and two."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from precompute.writer import write_manifest
from tests.fixture_run import build_fixture_run
from tests.pages.conftest import Opened
from tests.planted import DEAD, HOSTILE, NO_COMPONENT

Open = Callable[..., Opened]


@pytest.fixture
def two_runs(fixture_run: Path, tmp_path: Path) -> Path:
    """The planted run twice: `planted`, and `second` of the same model."""
    shutil.copytree(fixture_run, tmp_path / "planted")
    build_fixture_run(tmp_path / "second")
    return tmp_path


@pytest.fixture
def other_model(two_runs: Path) -> Path:
    """The same, but `second` is of another model."""
    manifest = build_fixture_run(two_runs / "second")
    changed = dataclasses.replace(manifest, model_sha256="1" * 64, content_hash="")
    write_manifest(two_runs / "second", changed)
    return two_runs


def test_an_address_without_latents_explains_itself_and_offers_pairs(opened: Open) -> None:
    page = opened("compare")
    assert page.heading == "Compare"
    assert "Put two to four latents side by side" in page.words
    assert "Pairs to start with einstein and berlin" in page.words
    assert "compare?run=planted&amp;a=sae-32%2F0&amp;b=sae-32%2F1" in page.html
    assert "sae-8 and sae-32" in page.words
    assert 'name="find"' in page.html


def test_two_latents_side_by_side(opened: Open) -> None:
    page = opened("compare", a="sae-32/0", b="sae-32/6")
    assert page.heading == "einstein · planck"
    assert "Both share german and scientist ." in page.words
    assert "A B both german 0.50 share 0.26 0.70 share 0.52" in page.words
    assert "A only einstein words in e- 0.40 share 0.16 –" in page.words  # noqa: RUF001
    # worked out in tests/backend/test_compare.py
    assert "0.89 cosine of their directions" in page.words
    assert "0.86 cosine of their components" in page.words
    assert "1 texts in common, of 3 and 3 stored" in page.words
    assert "Jaccard at most 0.250: not among the 2 nearest of either" in page.words
    assert "counted on 10,000 tokens (sae-32)" in page.words
    # the last of the examples of both: a token each for A and B
    assert '<sup aria-hidden="true">AB</sup>' in page.html
    assert "A B both ##s 1.00 1.00" in page.words
    assert "sae-8 reconstruction nearest einstein 0.99 reconstruction nearest darwin 0.99" in (
        page.words
    )
    assert "100 of 100,000 tokens (0.10 %)" in page.words


def test_a_listed_pair_shows_how_often_it_fires_together(opened: Open) -> None:
    page = opened("compare", a="sae-32/0", b="sae-32/1")
    assert "0.667 Jaccard of the tokens they fire on" in page.words
    assert "8 tokens together (0.01 by chance)" in page.words
    assert "800 times as often as by chance" in page.words


def test_four_latents_have_a_matrix_of_cosines_and_a_row_a_pair(opened: Open) -> None:
    page = opened("compare", a="sae-32/0", b="sae-32/6", c="meta-4/1", d="sae-8/0")
    assert "Cosines of their directions" in page.words
    assert "A einstein 1 0.89 0.70 0.90" in page.words
    assert page.html.count('<tr><th scope="row"><b class="who') == 4 + 6
    assert "Four is the most; remove one to add another." in page.words
    assert 'name="find"' not in page.html
    # scientist is part of einstein and planck, and is itself
    assert "A B C only these three scientist 0.60 share 0.37 0.50 share 0.27 itself" in page.words
    assert "Not decomposed: einstein (sae-8)" in page.words


def test_a_fifth_latent_is_left_out_with_a_message(opened: Open) -> None:
    own = {name: f"sae-32/{i}" for i, name in enumerate("abcde")}
    page = opened("compare", **own)
    assert "At most four are compared; “sae-32/4” is left out." in page.words
    assert page.heading == "einstein · berlin · curie · paris"


def test_one_latent_says_what_to_do_next(opened: Open) -> None:
    page = opened("compare", b="sae-32/0")
    assert page.heading == "einstein"
    assert "One latent so far" in page.words
    assert 'aria-label="Add german"' in page.html  # the nearest in meta-4
    assert "a=sae-32%2F0&amp;b=meta-4%2F0" in page.html


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("einstein", "“einstein” names no latent"),
        ("sae-99/1", "There is no “sae-99” in run planted; it has sae-8, sae-32, meta-4."),
        ("sae-32/32", "There is no latent 32 in sae-32: its numbers go from 0 to 31."),
        ("sae-32/-1", "names no latent"),
        ("sae-32/٣", "names no latent"),
        ("sae-32/99999999999", "names no latent"),
        ("nowhere:sae-32/1", "There is no run “nowhere” here."),
        ("/", "names no latent"),
        ("sae-32/6", "planck (sae-32/6) is named twice; it is shown once."),
    ],
)
def test_a_wrong_latent_is_told_and_the_others_are_shown(
    opened: Open, address: str, words: str
) -> None:
    page = opened("compare", a="sae-32/0", b="sae-32/6", c=address)
    assert words in page.words
    assert page.heading == "einstein · planck"


@pytest.mark.parametrize(
    "text", [*HOSTILE, "<script>alert(1)</script>/3", "a" * 5000, "\x00", "' or 1=1 --/0", ":/0"]
)
def test_hostile_addresses_do_no_harm(opened: Open, text: str) -> None:
    page = opened(
        "compare",
        **{"a": "sae-32/0", "b": text, "c": f"{text}:sae-8/1", "find": text, "from": text},
    )
    assert page.heading == "einstein"
    assert "<script>alert" not in page.html
    assert "\u202e" not in page.html
    whole = opened("compare", saes=f"{text},sae-8")
    assert "<script>alert" not in whole.html


def test_hostile_labels_are_escaped(opened: Open) -> None:
    page = opened("compare", a="sae-32/20", b="sae-32/21", c="sae-32/22", d="sae-32/26")
    assert "<script>alert" not in page.html
    assert "\u202e" not in page.html
    assert HOSTILE[0] in page.words


def test_a_dead_latent_and_one_without_components_are_said(opened: Open) -> None:
    page = opened("compare", a=f"sae-32/{DEAD}", b=f"sae-32/{NO_COMPONENT}")
    assert "dead: fires on none of 100,000 tokens" in page.words
    assert "No component." in page.words
    assert "components: one has no component" in page.words
    assert "texts: one has no stored example" in page.words


def test_a_search_offers_links_that_add(opened: Open) -> None:
    page = opened("compare", a="sae-32/0", find="planck")
    assert 'aria-label="Add planck"' in page.html
    assert "a=sae-32%2F0&amp;b=sae-32%2F6" in page.html
    found = opened("compare", a="sae-32/0", find="einstein")
    assert "there already" in found.words
    assert "Nothing fires on" in opened("compare", find="zzzz").words


def test_each_latent_can_be_removed(opened: Open) -> None:
    page = opened("compare", a="sae-32/0", b="sae-32/6")
    removing = re.findall(r'<a class="remove" href="([^"]*)"', page.html)
    assert removing == [
        "compare?run=planted&amp;a=sae-32%2F6",
        "compare?run=planted&amp;a=sae-32%2F0",
    ]


def test_latents_of_two_runs_of_one_model_are_compared(opened: Open, two_runs: Path) -> None:
    page = opened("compare", two_runs, run="planted", a="sae-32/0", b="second:sae-32/6")
    assert page.heading == "einstein · planck"
    assert "latent sae-32/6 of run second" in page.words
    assert "latent?run=second&amp;sae=sae-32&amp;latent=6" in page.html
    assert "0.89 cosine of their directions" in page.words
    # the meta-SAEs of both runs have the same decoder, so their parts are the same
    assert "Both share german and scientist ." in page.words
    assert "texts: texts are numbered in each run by itself" in page.words
    assert '<select name="from"' in page.html


def test_runs_of_different_models_are_not_comparable(opened: Open, other_model: Path) -> None:
    page = opened("compare", other_model, run="planted", a="sae-32/0", b="second:sae-32/6")
    assert "cosine: not comparable: the runs are of different models" in page.words
    assert "– cosine of their directions" in page.words  # noqa: RUF001


def test_a_damaged_second_run_is_told_and_the_first_is_shown(opened: Open, two_runs: Path) -> None:
    (two_runs / "second" / "terms.parquet").unlink()
    page = opened("compare", two_runs, run="planted", a="sae-32/0", b="second:sae-32/6")
    assert "terms.parquet" in page.words
    assert page.heading == "einstein"


def test_whole_saes_side_by_side(opened: Open) -> None:
    page = opened("compare", saes="sae-8,sae-32")
    assert page.heading == "sae-8 and sae-32"
    assert "sae-8 8 2.0 0.75 0.0 %" in page.words
    assert "latents of sae-32, in sae-8 32 25.0 % 0.62 48.4 %" in page.words
    assert "latents of sae-8, in sae-32 8 100.0 % 0.90 –" in page.words  # noqa: RUF001
    assert len(page.app.get("plotly_chart")) == 1


@pytest.mark.parametrize("saes", ["sae-8", "no,sae-8", ",,", "sae-8,sae-8"])
def test_too_few_saes_say_so(opened: Open, saes: str) -> None:
    page = opened("compare", saes=saes)
    assert "Two to four SAEs are needed." in page.words


def test_saes_of_two_runs_side_by_side(opened: Open, two_runs: Path) -> None:
    page = opened("compare", two_runs, run="planted", saes="sae-32,second:sae-32,meta-4,sae-8,x,1")
    assert page.heading == "sae-32 and second:sae-32 and meta-4 and sae-8"
    assert "The runs run title model weights tokens seeds" in page.words
    assert "Not known: sae-32 in second:sae-32" in page.words
    five = opened("compare", two_runs, saes="sae-32,second:sae-32,meta-4,sae-8,second:sae-8")
    assert "At most four SAEs are compared; second:sae-8 is left out." in five.words
