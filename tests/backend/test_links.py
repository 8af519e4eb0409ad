"""Addresses carry everything a page needs, encoded."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from backend.links import latent_link, meta_link, neuronpedia_url, overview_link, search_link


def test_latent_and_meta_links_say_what_is_shown() -> None:
    assert latent_link("sae-32", 7).href == "latent?sae=sae-32&latent=7"
    assert latent_link("meta-4", 0, kind="meta") == meta_link("meta-4", 0)
    assert meta_link("meta-4", 0, "minilm", "b559ce096506").href == (
        "meta?run=minilm&sae=meta-4&latent=0&h=b559ce096506"
    )


def test_overview_stays_below_the_base_path() -> None:
    assert overview_link().href == "./"
    assert overview_link("minilm").href == "./?run=minilm"


@pytest.mark.parametrize("text", ["a b", "&h=x", "#", "<script>", "'\"", "é🙂", "100%"])
def test_search_text_survives_the_address(text: str) -> None:
    href = search_link(text, "sae-32").href
    assert parse_qs(urlsplit(href).query) == {"q": [text], "sae": ["sae-32"]}
    assert not set("<>\"' ") & set(href)


def test_neuronpedia_only_where_the_sae_is_there() -> None:
    assert neuronpedia_url("gpt2-small/8-res_fs49152-jb", 11) == (
        "https://www.neuronpedia.org/gpt2-small/8-res_fs49152-jb/11"
    )
    missing: list[Any] = [None, ""]
    assert [neuronpedia_url(value, 1) for value in missing] == [None] * 2
