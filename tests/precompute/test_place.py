"""Activations replaced in a real model, and passes that end where they are read."""

from __future__ import annotations

import pytest
import torch
from transformers.modeling_utils import PreTrainedModel

from precompute.config import ConfigError
from precompute.hooks import HOOKS, find_place
from tests.precompute.architectures import D_MODEL, EVERY, ONE_AFTER_THE_OTHER, ids, tiny


def _output(model: PreTrainedModel) -> torch.Tensor:
    """Logits of a causal model, the last states of an encoder."""
    with torch.inference_mode():
        found = model(input_ids=ids())
    return found.logits if "logits" in found else found.last_hidden_state


@pytest.mark.parametrize("kind", EVERY)
def test_a_models_own_activations_in_their_place_change_nothing(kind: str) -> None:
    model = tiny(kind)
    clean = _output(model)
    for hook in HOOKS:
        try:
            place = find_place(model, f"blocks.0.{hook}")
        except ConfigError:
            continue  # refused, as the tests of names say
        with place.replace(torch.clone):
            assert torch.equal(_output(model), clean), hook
        with place.replace(lambda rows: rows.flip(2)):
            assert not torch.allclose(_output(model), clean, atol=1e-3), hook
        assert torch.equal(_output(model), clean), hook  # and nothing stays behind


@pytest.mark.parametrize("kind", ONE_AFTER_THE_OTHER)
def test_a_change_between_attention_and_mlp_reaches_both_the_mlp_and_the_stream(kind: str) -> None:
    model = tiny(kind)
    change = torch.randn(D_MODEL, generator=torch.Generator().manual_seed(2))
    outputs = []
    for hook in ("hook_resid_mid", "hook_attn_out"):
        with find_place(model, f"blocks.0.{hook}").replace(lambda rows: rows + change):
            outputs.append(_output(model))
    torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-4)


def test_the_pass_ends_at_the_place() -> None:
    model, called = tiny("gpt2"), []
    places = {"blocks.0.hook_mlp_out": "ln_2", "blocks.1.hook_resid_pre": "attn"}
    watched = [model.get_submodule(f"transformer.h.1.{name}") for name in places.values()]
    handles = [m.register_forward_hook(lambda *_: called.append(1)) for m in watched]
    for name in places:
        place = find_place(model, name)
        called.clear()  # finding a place runs the whole model
        with torch.inference_mode():
            place.capture(lambda: model(input_ids=ids()))
        assert not called
    for handle in handles:
        handle.remove()
