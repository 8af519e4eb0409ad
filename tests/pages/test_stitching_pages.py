"""The pages about pairs of SAEs and split latents, with good, missing and hostile addresses."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.pages.conftest import Opened
from tests.planted import DEAD, HOSTILE

Open = Callable[..., Opened]


def test_stitching_says_what_is_novel(opened: Open) -> None:
    page = opened("stitching")
    assert page.heading == "From sae-8 to sae-32"
    assert "15 novel 16 reconstructions 1 silent in the sample" in page.words
    # scatter, two curves and the ROC curve
    assert len(page.app.get("plotly_chart")) == 4
    assert "AUC 0.950 0.930 to 0.970" in page.words
    assert "32 latents" in page.words
    # the strongest change of all: last, latent 31, lowers the error by 32e-6 / 0.4 = 80 millionths
    assert "last novel −80.0 −81.0 to −79.0" in page.words  # noqa: RUF001


def test_all_sizes_merged_stand_beside_each_alone(opened: Open) -> None:
    page = opened("stitching")
    assert "All sizes merged" in page.words
    # merged through sae-32: 24 latents, L0 6.0, 0.700; the SAE alone has 32 latents
    assert re.search(r"sae-32 24 6\.0 0\.700 32 \d", page.words)


def test_the_list_of_a_pair_filters_sorts_and_pages(opened: Open) -> None:
    page = opened("stitching", kind="reconstruction", sort="cosine", q="ein")
    assert "3 latents" in page.words  # einstein, einsteinium; zweistein is similar too
    page = opened("stitching", page="2")
    assert "page 2 of 2" in page.words
    assert opened("stitching", page="99").words.count("page 1 of 2") == 1
    assert "No latent of this kind" in opened("stitching", q="nothing like it").words


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "' or 1=1 --", "\u202e", "%"])
def test_hostile_filters_do_no_harm(opened: Open, text: str) -> None:
    page = opened("stitching", q=text, kind=text, sort=text, page=text)
    assert "<script>alert" not in page.html
    assert page.heading == "From sae-8 to sae-32"


def test_hostile_labels_are_escaped_in_the_list(opened: Open) -> None:
    html = opened("stitching", page="2", sort="number").html + opened("stitching").html
    for label in HOSTILE:
        if "<" in label:
            assert label not in html


@pytest.mark.parametrize(("small", "large"), [("sae-32", "sae-8"), ("sae-99", "<b>"), ("", "x")])
def test_pairs_that_do_not_exist_say_so(opened: Open, small: str, large: str) -> None:
    page = opened("stitching", small=small, large=large)
    assert "There is no pair" in page.words
    assert page.heading == "From sae-8 to sae-32"
    assert "<b>”" not in page.html


def test_splitting_shows_the_tree_and_its_leaves(opened: Open) -> None:
    page = opened("splitting", sae="sae-8", latent="3")
    assert page.heading == "scientist, split"
    assert "1 in sae-8 2 in sae-32" in page.words
    assert "paris 0.99 50.0 % city" in page.words
    assert "darwin 0.75 50.0 % scientist" in page.words
    assert len(page.app.get("plotly_chart")) == 1
    assert "sae-8 50.0 % 60.0 % 58.0 % to 62.0 % 10.0 % 16" in page.words


def test_a_latent_chosen_in_the_tree_is_opened(opened: Open) -> None:
    page = opened("splitting", sae="sae-8", latent="3")
    selected = {"points": [{"id": "sae-32/11", "label": "zweistein"}]}
    page.app.session_state["tree-planted-sae-8-3"] = {"selection": selected}
    page.app.run()
    assert page.app.query_params["sae"] == "sae-32"
    assert page.app.query_params["latent"] == "11"


def test_splitting_starts_somewhere_and_says_when_nothing_splits(opened: Open) -> None:
    assert opened("splitting").heading == "einstein, split"
    page = opened("splitting", sae="sae-32", latent="0")
    assert "No latent of a larger SAE has sae-32/0 as its nearest" in page.words
    assert len(page.app.get("plotly_chart")) == 0


@pytest.mark.parametrize("latent", ["-1", "999999", "x", "9" * 30])
def test_splitting_of_a_latent_that_is_not_there(opened: Open, latent: str) -> None:
    page = opened("splitting", sae="sae-8", latent=latent)
    assert "There is no latent" in page.words


def test_a_latent_says_what_it_is_against_smaller_saes(opened: Open) -> None:
    page = opened("latent", sae="sae-32", latent="9")
    assert "sae-8 novel −25.0 −26.0 to −24.0 german 0.75" in page.words  # noqa: RUF001
    silent = opened("latent", sae="sae-32", latent=str(DEAD))
    assert "sae-8 silent –" in silent.words  # noqa: RUF001
    assert (
        "sae-8 is the smallest SAE of this run" in opened("latent", sae="sae-8", latent="0").words
    )
