"""Every page with good, bad, missing and hostile addresses."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from backend.manifest import read_manifest
from precompute.writer import write_manifest, write_table
from tests.pages.conftest import Opened
from tests.planted import DEAD, DENSE, HOSTILE, NO_COMPONENT

Open = Callable[..., Opened]


def test_overview_says_what_the_run_holds(opened: Open) -> None:
    page = opened()
    # 8 + 32 latents; all of sae-32 but the one without component are decomposed
    assert "2 SAEs 40 latents 31 decomposed 4 meta-latents 1 dead" in page.words
    assert page.html.count('<article class="card">') == 2
    assert "0.60 scientist" in page.words
    # 0.75 held out, and a meta-SAE without that figure shows a dash, never a number
    assert "sae-32 32 2.0 0.80 0.75 3.1 %" in page.words
    assert "meta-4 4 2.0 0.80 – 0.0 %" in page.words  # noqa: RUF001
    assert "gaussian null 0.11 n = 32" in page.words


def test_latent_shows_its_decomposition_as_an_equation_and_in_figures(opened: Open) -> None:
    page = opened("latent", sae="sae-32", latent="0")
    assert page.heading == "einstein"
    assert (
        "einstein = 0.60 scientist + 0.50 german + 0.40 words in e- + bias + residual" in page.words
    )
    # squared length 0.36 + 0.25 + 0.16 + bias 0.04 + residual 0.16 = 0.97:
    # shares 0.36/0.97, 0.04/0.97, 0.16/0.97; variance explained 1 - 0.16/0.97
    assert "scientist + − in 8 latents 0.37 0.60 0.61 1.00" in page.words  # noqa: RUF001
    assert "bias 0.04" in page.words
    assert "residual 0.16" in page.words
    assert "0.84 variance explained" in page.words
    assert "100 of 100,000 tokens (0.10 %)" in page.words


def test_latent_of_a_sae_without_meta_sae_says_so_and_links_to_relatives(opened: Open) -> None:
    page = opened("latent", sae="sae-8", latent="0")
    assert "sae-8 has no meta-SAE in this run, so its latents are not decomposed." in page.words
    assert "Nearest latents that are: einstein cosine 0.90" in page.words
    assert "sae=sae-32" in page.html


def test_a_dead_latent_says_so_and_draws_no_axis(opened: Open) -> None:
    page = opened("latent", sae="sae-32", latent=str(DEAD))
    assert "This latent is dead" in page.words
    assert page.heading == f"latent {DEAD}"
    assert "How strongly it fires" not in page.words
    # it still has a component, so the graph is the only chart
    assert len(page.app.get("plotly_chart")) == 1


def test_a_dense_latent_says_so(opened: Open) -> None:
    page = opened("latent", sae="sae-32", latent=str(DENSE))
    assert "This latent is dense" in page.words
    assert "60,000 of 100,000 tokens (60.0 %)" in page.words


def test_a_latent_without_component_says_so_and_has_no_graph(opened: Open) -> None:
    page = opened("latent", sae="sae-32", latent=str(NO_COMPONENT))
    assert "No meta-latent of meta-4 is active on this latent's direction" in page.words
    assert "What shares its parts" not in page.words


@pytest.mark.parametrize("latent", ["-1", "32", "99999999999999999999", "abc", "1.5", "٣", " "])
def test_a_latent_that_does_not_exist_gives_a_message_and_a_default(
    opened: Open, latent: str
) -> None:
    page = opened("latent", sae="sae-32", latent=latent)
    assert page.heading == "einstein"  # the best decomposition of the run
    assert "in sae-32: its numbers go from 0 to 31. Showing einstein instead." in page.words


@pytest.mark.parametrize(("page", "heading"), [("latent", "einstein"), ("meta", "city")])
def test_a_page_without_ids_shows_a_default_without_a_message(
    opened: Open, page: str, heading: str
) -> None:
    shown = opened(page)
    assert shown.heading
    if page == "latent":
        assert shown.heading == heading
    assert 'class="notice problem"' not in shown.html


def test_an_unknown_sae_gives_a_message_that_names_the_known_ones(opened: Open) -> None:
    page = opened("latent", sae="<b>nope</b>", latent="3")
    assert "There is no “<b>nope</b>” in this run; it has sae-8, sae-32." in page.words
    assert "<b>nope</b>" not in page.html


def test_a_meta_sae_on_the_latent_page_links_to_the_right_page(opened: Open) -> None:
    page = opened("latent", sae="meta-4", latent="2")
    assert "meta-4 is a meta-SAE: its page is another one." in page.words
    assert "meta?run=planted&amp;sae=meta-4&amp;latent=2" in page.html


def test_meta_latent_lists_members_by_weight_and_their_words(opened: Open) -> None:
    page = opened("meta", sae="meta-4", latent="1")
    assert page.heading == "scientist"
    assert "8 of 32 latents (25.0 %) part of" in page.words
    # curie's row is 0.9 scientist: squared length 0.81 + 0.04 + 0.16 = 1.01
    assert "curie 0.90 0.80 0.90 1 98 darwin 0.80" in page.words
    assert "Where its members fire" in page.words
    # stability 1.0 for the seven weights of 0.4 and more, 0.5 for geneva's 0.1
    assert "0.94 mean stability" in page.words


def test_meta_latent_pages_its_members(opened: Open) -> None:
    # city is part of 22 of the 32 latents: one page of 25, so page 9 falls back to it
    page = opened("meta", sae="meta-4", latent="3", page="9")
    assert "paris 0.90" in page.words


@pytest.mark.parametrize("label", [*HOSTILE, "a" * 5000, "\x00", "' or 1=1 --", "%"])
def test_hostile_text_is_shown_escaped(opened: Open, label: str) -> None:
    page = opened("search", q=label)
    assert "<script>alert" not in page.html
    assert "\u202e" not in page.html


@pytest.mark.parametrize("place", range(len(HOSTILE)))
def test_hostile_labels_are_escaped_on_their_page(opened: Open, place: int) -> None:
    page = opened("latent", sae="sae-32", latent=str(20 + place))
    assert page.heading == HOSTILE[place].replace("\u202e", "[U+202E]")
    assert "<script>alert" not in page.html
    assert "\u202e" not in page.html
    for chart in page.app.get("plotly_chart"):
        assert "<script>alert" not in chart.proto.spec


def test_a_link_of_another_version_warns_and_still_shows_the_page(opened: Open) -> None:
    page = opened("latent", sae="sae-32", latent="1", h="0123456789ab")
    assert page.heading == "berlin"
    assert "This link was made for another version of the run (0123456789ab)" in page.words


def test_a_click_on_a_node_opens_its_page(opened: Open) -> None:
    page = opened("latent", sae="sae-32", latent="0")
    selected = {"points": [{"customdata": ["meta-4", 1, "meta", "scientist", 0.6]}]}
    page.app.session_state["graph-planted-sae-32-0"] = {"selection": selected}
    page.app.run()
    assert Opened(page.app).heading == "scientist"


def test_the_log_switch_changes_the_axis_and_the_address(opened: Open) -> None:
    page = opened("latent", sae="sae-32", latent="0")
    assert '"type":"linear"' in page.app.get("plotly_chart")[0].proto.spec
    page.app.toggle[0].set_value(True).run()
    assert '"type":"log"' in page.app.get("plotly_chart")[0].proto.spec
    assert page.app.query_params["log"] == "1"


def test_an_address_without_a_run_opens_the_one_with_most_latents(
    opened: Open, fixture_run: Path, tmp_path: Path
) -> None:
    for name in ("a-small", "large"):
        shutil.copytree(fixture_run, tmp_path / name)
    small = tmp_path / "a-small"
    manifest = read_manifest(small)
    rows = pq.read_table(small / "latents.parquet")
    files = manifest.files | {"latents": write_table(small, "latents", rows.slice(0, 20))}
    small_hash = write_manifest(small, replace(manifest, files=files, content_hash="")).short_hash
    link = f"h={small_hash}"
    assert link not in opened("overview", tmp_path).html
    assert link in opened("overview", tmp_path, run="a-small").html
