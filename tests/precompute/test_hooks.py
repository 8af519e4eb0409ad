"""Every named place of a model, against what the model's own parts and sums say it must be."""

from __future__ import annotations

import math
import re

import pytest
import torch

from precompute.config import ConfigError, ModelConfig
from precompute.hooks import find_place
from precompute.sources import load_language_model
from tests.precompute.architectures import (
    D_HEAD,
    D_MODEL,
    ENCODERS,
    EVERY,
    N_HEADS,
    ONE_AFTER_THE_OTHER,
    WITH_NORMS_AFTER,
    WITH_ONE_MLP,
    WITH_SIDE_BY_SIDE,
    ids,
    tiny,
)

WIDE_HEADS = {"llama", "gemma2", "gemma3_text"}


def read(kind: str, name: str) -> torch.Tensor:
    """Activations [2, 9, d_in] of a place."""
    model = tiny(kind)
    with torch.inference_mode():
        return find_place(model, name).capture(lambda: model(input_ids=ids()))


def states(kind: str) -> tuple[torch.Tensor, ...]:
    with torch.inference_mode():
        return tiny(kind)(input_ids=ids(), output_hidden_states=True).hidden_states


def weight(kind: str, *names: str) -> torch.nn.Module:
    """The first of these modules that the model has."""
    model = tiny(kind)
    has = dict(model.named_modules())
    return next(has[name] for name in names if name in has)


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", EVERY)
def test_the_residual_stream_is_the_hidden_states(kind: str) -> None:
    hidden = states(kind)
    for n in range(2):
        assert torch.equal(read(kind, f"hidden_states[{n}]"), hidden[n])
        assert torch.equal(read(kind, f"blocks.{n}.hook_resid_pre"), hidden[n])
    assert torch.equal(read(kind, "blocks.0.hook_resid_post"), hidden[1])
    last = read(kind, "blocks.1.hook_resid_post")
    assert torch.equal(read(kind, "hidden_states[2]"), last)
    # a causal model's last hidden state has gone through its final norm, and is another
    assert torch.equal(last, hidden[2]) == (kind in ENCODERS)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("block", [0, 1])
def test_what_attention_and_mlp_add_makes_the_next_state(kind: str, block: int) -> None:
    before, attention, mlp, after = (
        read(kind, f"blocks.{block}.hook_{name}")
        for name in ("resid_pre", "attn_out", "mlp_out", "resid_post")
    )
    if kind in ENCODERS:  # the sum is normalised as soon as it is made
        layer = f"encoder.layer.{block}" if kind == "bert" else f"transformer.layer.{block}"
        first = weight(kind, f"{layer}.attention.output.LayerNorm", f"{layer}.sa_layer_norm")
        second = weight(kind, f"{layer}.output.LayerNorm", f"{layer}.output_layer_norm")
        with torch.inference_mode():
            close(second(first(before + attention) + mlp), after)
        return
    close(before + attention + mlp, after)
    if kind in ONE_AFTER_THE_OTHER:
        close(read(kind, f"blocks.{block}.hook_resid_mid"), before + attention)


@pytest.mark.parametrize("kind", EVERY)
def test_heads_times_the_output_matrix_are_what_attention_adds(kind: str) -> None:
    model, name = tiny(kind), "blocks.1.attn.hook_z"
    place, z = find_place(model, name), read(kind, name)
    width = N_HEADS * D_HEAD if kind in WIDE_HEADS else D_MODEL
    assert torch.equal(read(kind, "blocks.1.hook_z"), z)
    assert (place.d_in, place.n_heads) == (width, N_HEADS) == (z.shape[2], N_HEADS)
    _is_written_as(kind, name, read(kind, "blocks.1.hook_attn_out"))


@pytest.mark.parametrize("kind", WITH_ONE_MLP)
def test_the_mlps_inside_times_its_last_matrix_is_what_it_adds(kind: str) -> None:
    name = "blocks.0.mlp.hook_post"
    width = (4 if kind in ("gpt2", "gptj", "gpt_neo") else 2) * D_MODEL
    assert find_place(tiny(kind), name).d_in == width == read(kind, name).shape[2]
    _is_written_as(kind, name, read(kind, "blocks.0.hook_mlp_out"))


def _is_written_as(kind: str, name: str, added: torch.Tensor) -> None:
    """`into_residual` is linear, and gives what is added but for the bias (or a norm's scale)."""
    place, rows = find_place(tiny(kind), name), read(kind, name).flatten(0, 1)
    written = place.into_residual(rows)
    assert written is not None
    assert written.shape == (18, D_MODEL)
    added = added.flatten(0, 1)
    if kind in WITH_NORMS_AFTER:  # one scale a token: the directions agree
        assert place.norm is not None
        close(torch.cosine_similarity(written, added, dim=1), torch.ones(18))
        return
    bias = getattr(place.projection, "bias", None)
    close(written + (0 if bias is None else bias.detach()), added)


def test_heads_of_gpt2_are_those_of_attention_done_by_hand() -> None:
    model = tiny("gpt2")
    block = model.get_submodule("transformer.h.0")
    with torch.inference_mode():
        normed = block.get_submodule("ln_1")(states("gpt2")[0])
        q, k, v = block.get_submodule("attn.c_attn")(normed).split(D_MODEL, dim=2)
    size, future = D_MODEL // N_HEADS, torch.ones(9, 9).triu(1).bool()
    z = read("gpt2", "blocks.0.attn.hook_z")
    for head in range(N_HEADS):
        own = slice(head * size, (head + 1) * size)
        scores = q[..., own] @ k[..., own].transpose(1, 2) / math.sqrt(size)
        pattern = scores.masked_fill(future, -torch.inf).softmax(2)
        close(z[..., own], pattern @ v[..., own])


def test_the_inside_of_an_mlp_is_its_activation_done_by_hand() -> None:
    gpt2, llama = (tiny(kind) for kind in ("gpt2", "llama"))
    with torch.inference_mode():
        middle = read("gpt2", "blocks.1.hook_resid_mid")
        block = gpt2.get_submodule("transformer.h.1")
        x = block.get_submodule("mlp.c_fc")(block.get_submodule("ln_2")(middle))
        gelu = torch.nn.functional.gelu(x, approximate="tanh")
        close(read("gpt2", "blocks.1.mlp.hook_post"), gelu)
        block = llama.get_submodule("model.layers.1")
        x = block.get_submodule("post_attention_layernorm")(
            read("llama", "blocks.1.hook_resid_mid")
        )
        gate, up = (block.get_submodule(f"mlp.{name}_proj")(x) for name in ("gate", "up"))
        close(read("llama", "blocks.1.mlp.hook_post"), torch.nn.functional.silu(gate) * up)


@pytest.mark.parametrize(
    ("kind", "name", "same"),
    [
        ("gpt2", "transformer.h.1.mlp", "blocks.1.hook_mlp_out"),
        ("gpt2", "transformer.h.0", "blocks.0.hook_resid_post"),
        ("gptj", "transformer.h.1", "blocks.1.hook_resid_post"),  # gives a tuple
        ("gpt2", "transformer.h.1.attn", "blocks.1.hook_attn_out"),  # gives a tuple
        ("llama", "model.layers.1.self_attn.o_proj", "blocks.1.hook_attn_out"),
        ("bert", "encoder.layer.1.output.dense", "blocks.1.hook_mlp_out"),
    ],
)
def test_a_module_of_the_model_is_its_output(kind: str, name: str, same: str) -> None:
    assert torch.equal(read(kind, name), read(kind, same))
    assert find_place(tiny(kind), name).in_stream


@pytest.mark.parametrize(
    ("kind", "name", "width"),
    [
        ("gpt2", "transformer.h.1.mlp.c_fc", 4 * D_MODEL),
        ("gpt2", "transformer.h.1.ln_1", D_MODEL),
        ("llama", "model.layers.0.self_attn.q_proj", N_HEADS * D_HEAD),
        ("gemma2", "model.layers.0.mlp", D_MODEL),  # a norm follows
    ],
)
def test_rows_that_nothing_adds_to_the_stream_have_no_way_into_it(
    kind: str, name: str, width: int
) -> None:
    place = find_place(tiny(kind), name)
    assert place.d_in == width
    assert place.into_residual(torch.ones(3, width)) is None


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("gpt2", "blocks.2.hook_mlp_out", "but the model has 2 blocks"),
        ("gpt2", "hidden_states[3]", "but the model has 2 blocks"),
        ("gpt2", "blocks.0.hook_q_input", "is none of the hooks known here, which are hook_resid"),
        ("gpt2", "transformer.h.1.mpl", "transformer.h.1 has ln_1, attn, ln_2, mlp. Give one of"),
        ("gpt2", "nonsense", "GPT2LMHeadModel has transformer, lm_head"),
        ("gpt2", "", "GPT2LMHeadModel has transformer, lm_head"),
        ("mixtral", "blocks.0.mlp.hook_post", "model.layers.0 has none of mlp.c_proj"),
        ("mixtral", "blocks.0.mlp.hook_post", "It has self_attn, self_attn.q_proj"),
        ("gpt2", "transformer.h", "calls transformer.h 0 times, so it is no one place"),
        ("gpt2", "transformer", "gives a BaseModelOutput"),
        ("bert", "pooler", "the output of pooler has shape (1, 24) for 1 context of 3 tokens"),
        *(
            (kind, "blocks.0.hook_resid_mid", "have no residual stream between attention and MLP")
            for kind in sorted(ENCODERS | WITH_SIDE_BY_SIDE)
        ),
    ],
)
def test_a_place_that_is_not_there_is_refused_with_what_is(
    kind: str, name: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        find_place(tiny(kind), name)


@pytest.mark.parametrize("name", ["hook_resid_pre", "hook_resid_mid", "hook_attn_out"])
def test_what_is_in_the_residual_stream_can_be_centred(language_models, name: str) -> None:
    config = ModelConfig(source="random:gpt2", hook=f"blocks.0.{name}", centred=True)
    assert language_models["gpt2"].place(config).in_stream


@pytest.mark.parametrize("name", ["blocks.0.attn.hook_z", "transformer.h.0.mlp.c_fc"])
def test_what_is_not_in_the_residual_stream_cannot(language_models, name: str) -> None:
    config = ModelConfig(source="random:gpt2", hook=name, centred=True)
    with pytest.raises(ConfigError, match="is no vector of that stream"):
        language_models["gpt2"].place(config)


def test_a_wrong_name_is_refused_when_the_model_is_loaded() -> None:
    with pytest.raises(ConfigError, match="the model has 2 blocks"):
        load_language_model(ModelConfig(source="random:bert", hook="blocks.7.hook_resid_pre"))
