"""Pages read tables only, so directions are browsed like latents: every page, with real data."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from backend.links import compare_link, meta_link
from backend.text_html import safe
from tests.precompute.named.conftest import NamedRun

REPOSITORY = Path(__file__).resolve().parents[3]
META, APPLIED = "meta-16", "meta-16-on-probes"


def _html(page: str, **params: str) -> str:
    """All HTML of a page; one that ends with an exception fails the test."""
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=30)
    if page != "overview":
        app.switch_page(f"app_pages/{page}.py")
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert [error.message for error in app.exception] == []
    bodies = [element.proto.body for element in app.get("html")]
    return "\n".join(body for body in bodies if not body.startswith(("<style", "<script")))


def _words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.fixture(autouse=True)
def _data(named_run: NamedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBATOMIC_DATA", str(named_run.folder / "out"))


def test_a_hostile_name_is_shown_as_it_is_with_its_decomposition(named_run: NamedRun):
    for sae_id, meta_id in (("probes", APPLIED), ("word-means", "meta-word-means")):
        html = _html("latent", sae=sae_id, latent="0")
        assert "<script" not in html
        words = _words(html)
        assert "Sentiment: <script>" in words
        assert "known in advance" in words
        parts = [
            row["meta_latent"]
            for row in named_run.tables["components"]
            if (row["meta_sae_id"], row["latent"]) == (meta_id, 0)
        ]
        assert parts
        for part in parts:
            assert safe(meta_link(meta_id, part, "named").href) in html


def test_a_meta_latent_lists_the_directions_that_it_is_part_of(named_run: NamedRun):
    row = named_run.tables["members"]
    member = next(r for r in row if r["meta_sae_id"] == APPLIED and r["latent"] > 2)
    words = _words(_html("meta", sae=APPLIED, latent=str(member["meta_latent"])))
    assert f"{APPLIED}, parts of probes" in words
    assert named_run.of("latents", "probes")[member["latent"]]["label"] in words
    assert "not tested" in words or "no name" in words


def test_search_ask_map_compare_splitting_and_stitching_open(named_run: NamedRun):
    name = named_run.of("latents", "probes")[5]["label"]
    assert "probes" in _words(_html("search", q=name, sae="probes"))
    part = next(r for r in named_run.tables["components"] if r["meta_sae_id"] == APPLIED)
    asked = _html("ask", **{"with": f"{APPLIED}/{part['meta_latent']}"})
    assert named_run.of("latents", "probes")[part["latent"]]["label"] in unescape(asked)
    assert "Map of probes" in _words(_html("map", sae="probes"))
    assert f"Map of {APPLIED}" in _words(_html("map", sae=APPLIED))
    assert "probes and sae-128" in _words(_html("compare", saes="probes,sae-128"))
    both = compare_link((("probes", 5), ("word-means", 5)), "named").params
    assert _words(_html("compare", **both)).count(name) > 1
    for page in ("splitting", "stitching", "trust", "data", "text"):
        assert _words(_html(page))


def test_the_overview_says_what_they_are_and_stays_about_the_run_s_meta_sae():
    html = _html("overview")
    assert "<b>1.0</b>" not in html  # of the licence's text
    words = _words(html)
    assert "named directions, each fires on the top 1 % of tokens; CC0" in words
    assert "batchtopk, trained on rows of sae-128" in words
