"""From a name to a place in a Hugging Face model (`precompute/place.py`).

A name is one of three:

1. TransformerLens' name of a hook, `blocks.8.hook_resid_pre` or another of `HOOKS`. The blocks are
   the list of as many modules as the model has layers, and what is in them is found by name too
   (`precompute/blocks.py`).
2. `hidden_states[8]`: the residual stream after 8 blocks, before any final norm.
3. A module of the model itself, `transformer.h.8.mlp`: its output.
"""

from __future__ import annotations

import re

from transformers.modeling_utils import PreTrainedModel

from precompute.blocks import ATTENTION, MLP, block_of, find_blocks, measured
from precompute.config import ConfigError
from precompute.place import Place

HOOKS = (
    "hook_resid_pre",
    "hook_resid_mid",
    "hook_resid_post",
    "hook_attn_out",
    "hook_mlp_out",
    "attn.hook_z",
    "mlp.hook_post",
)
_HOOK = re.compile(r"blocks\.(\d+)\.(.*hook_.+)")
_HIDDEN_STATES = re.compile(r"hidden_states\[(\d+)\]")
# whole modules whose output is added to the residual stream, or is the stream itself
WRITERS = ("attn", "self_attn", "attention", "mlp", "ffn", "output")


def find_place(model: PreTrainedModel, name: str) -> Place:
    """The place of that name.

    Raises:
        ConfigError: the model has no such place; the message lists what it has.
    """
    if hidden := _HIDDEN_STATES.fullmatch(name):
        n = int(hidden[1])
        return block_of(model, name, max(n - 1, 0)).stream(is_input=n == 0)
    hook = _HOOK.fullmatch(name)
    if hook is None:
        return _own_module(model, name)
    block = block_of(model, name, int(hook[1]))
    match hook[2]:
        case "hook_resid_pre" | "hook_resid_post":
            return block.stream(is_input=hook[2] == "hook_resid_pre")
        case "hook_resid_mid":
            return block.middle()
        case "hook_attn_out":
            return block.added(ATTENTION)
        case "hook_mlp_out":
            return block.added(MLP)
        case "attn.hook_z" | "hook_z":  # some releases of SAEs leave `attn.` out
            return block.heads()
        case "mlp.hook_post":
            return block.inside(MLP)
    raise ConfigError(
        f"model.hook = {name!r} is none of the hooks known here, which are {', '.join(HOOKS)}. "
        "Any module of the model can be named too, for its output"
    )


def _own_module(model: PreTrainedModel, name: str) -> Place:
    """The output of a module by the model's own name for it."""
    modules = dict(model.named_modules())
    if not name or name not in modules:
        known = name
        while known not in modules:
            known = known.rpartition(".")[0]
        has = ", ".join(child for child, _ in modules[known].named_children())
        where = known or type(model).__name__
        raise ConfigError(
            f"model.hook = {name!r} is not in the model: {where} has {has or 'no modules'}. Give "
            f"one of its modules, hidden_states[N], or blocks.N. with one of {', '.join(HOOKS)}"
        )
    return measured(model, Place(name, modules[name], name, False, 0, _writes(model, name)))


def _writes(model: PreTrainedModel, name: str) -> bool:
    """Whether a module's output is in the residual stream, or added to it."""
    path, blocks = find_blocks(model)
    if not name.startswith(f"{path}."):
        return False
    index, _, inside = name.removeprefix(f"{path}.").partition(".")
    if hasattr(blocks[int(index)], MLP.norm):
        return inside in ("", ATTENTION.norm, MLP.norm)
    return inside in ("", *WRITERS, *ATTENTION.last, *MLP.last)
