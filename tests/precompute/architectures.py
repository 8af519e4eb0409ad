"""Tiny models with random weights, one for each way of building a block."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM
from transformers.modeling_utils import PreTrainedModel

D_MODEL, N_HEADS, N_BLOCKS, N_VOCABULARY = 24, 4, 2, 40
D_HEAD = 10  # where a model may choose: 4 heads of 10 are wider than the residual stream
_OPENAI = {"n_embd": D_MODEL, "n_layer": N_BLOCKS, "n_head": N_HEADS, "n_positions": 16}
_HIDDEN = {
    "hidden_size": D_MODEL,
    "num_hidden_layers": N_BLOCKS,
    "num_attention_heads": N_HEADS,
    "intermediate_size": 2 * D_MODEL,
    "max_position_embeddings": 16,
}
_GROUPED = {**_HIDDEN, "num_key_value_heads": 2}
_OWN: dict[str, dict[str, Any]] = {
    "gpt2": _OPENAI,
    "gptj": {**_OPENAI, "rotary_dim": 4},
    "gpt_neo": {
        "hidden_size": D_MODEL,
        "num_layers": N_BLOCKS,
        "num_heads": N_HEADS,
        "attention_types": [[["global", "local"], 1]],
        "max_position_embeddings": 16,
    },
    "gpt_neox": _HIDDEN,
    "gpt_neox, one after the other": {**_HIDDEN, "use_parallel_residual": False},
    "llama": {**_GROUPED, "head_dim": D_HEAD},
    "qwen2": _GROUPED,
    "gemma2": {**_GROUPED, "head_dim": D_HEAD, "sliding_window": 8},
    "gemma3_text": {**_GROUPED, "head_dim": D_HEAD, "sliding_window": 8},
    "olmo2": _GROUPED,
    "mixtral": {**_GROUPED, "num_local_experts": 2, "num_experts_per_tok": 1},
    "phi": {
        **_HIDDEN,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10_000.0,
            "partial_rotary_factor": 2 / 3,  # 4 of the 6 numbers of a head
        },
    },
    "bert": _HIDDEN,
    "distilbert": {
        "dim": D_MODEL,
        "n_layers": N_BLOCKS,
        "n_heads": N_HEADS,
        "hidden_dim": 2 * D_MODEL,
        "max_position_embeddings": 16,
    },
}
ENCODERS = {"bert", "distilbert"}
WITH_SIDE_BY_SIDE = {"gptj", "gpt_neox", "phi"}  # attention and MLP read the same
WITH_NORMS_AFTER = {"gemma2", "gemma3_text", "olmo2"}
EVERY = tuple(_OWN)
ONE_AFTER_THE_OTHER = tuple(n for n in EVERY if n not in ENCODERS | WITH_SIDE_BY_SIDE)
WITH_ONE_MLP = tuple(n for n in EVERY if n != "mixtral")


@lru_cache
def tiny(kind: str) -> PreTrainedModel:
    """The model of that kind: all its weights are random, those of norms and biases too."""
    config = AutoConfig.for_model(
        kind.split(",")[0], vocab_size=N_VOCABULARY, pad_token_id=0, **_OWN[kind]
    )
    made = AutoModel if kind in ENCODERS else AutoModelForCausalLM
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = made.from_config(config, attn_implementation="eager")
        for weight in model.parameters():
            weight.data += 0.3 * torch.randn_like(weight)
    return model.eval()


def ids() -> torch.Tensor:
    """Two contexts of 9 tokens, int64."""
    return torch.randint(1, N_VOCABULARY, (2, 9), generator=torch.Generator().manual_seed(1))
