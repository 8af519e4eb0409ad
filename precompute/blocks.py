"""The blocks of a Hugging Face model, and the places in one block.

Architectures name the same things differently; what is looked for, in this order, stands in `Part`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NoReturn

import torch
from transformers.modeling_utils import PreTrainedModel

from precompute.config import ConfigError
from precompute.place import Place


@dataclass(frozen=True)
class Part:
    """Attention or MLP: names of modules inside a block, of which a block has one."""

    last: tuple[str, ...]
    """Its last linear map; that of attention reads all heads side by side."""
    norm: str
    """Norms what it gives before that is added, in Gemma 2, Gemma 3 and OLMo 2."""
    whole: tuple[str, ...] = ()
    """All of it, where there is no one last linear map: an MLP of several experts."""


ATTENTION = Part(
    last=(
        "attn.c_proj",  # GPT-2
        "attn.attention.out_proj",  # GPT-Neo
        "attn.out_proj",  # GPT-J
        "self_attn.o_proj",  # Llama, Mistral, Gemma, Qwen, OLMo
        "self_attn.dense",  # Phi
        "attention.dense",  # GPT-NeoX, which Pythia is
        "attention.output.dense",  # BERT, RoBERTa, MiniLM
        "attention.out_lin",  # DistilBERT
    ),
    norm="post_attention_layernorm",
)
MLP = Part(
    last=(
        "mlp.c_proj",
        "mlp.fc_out",
        "mlp.down_proj",
        "mlp.fc2",
        "mlp.dense_4h_to_h",
        "output.dense",
        "ffn.lin2",
    ),
    norm="post_feedforward_layernorm",
    whole=("mlp",),
)
NORM_BEFORE_MLP = ("ln_2", "pre_feedforward_layernorm", "post_attention_layernorm")
PROBE_TOKENS = 3  # of the pass that shows what a module gives


def find_blocks(model: PreTrainedModel) -> tuple[str, torch.nn.ModuleList]:
    """The name of the list of blocks, and the list.

    Raises:
        ConfigError: no list is as long as the model has layers.
    """
    n_blocks = model.config.get_text_config().num_hidden_layers
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == n_blocks:
            return name, module
    raise ConfigError(f"{type(model).__name__}: no list of {n_blocks} blocks found in the model")


def block_of(model: PreTrainedModel, name: str, index: int) -> Block:
    """Block `index`, counted from 0, to look for the place `name` in.

    Raises:
        ConfigError: the model has fewer blocks.
    """
    blocks_name, blocks = find_blocks(model)
    if index >= len(blocks):
        raise ConfigError(f"model.hook = {name!r}, but the model has {len(blocks)} blocks")
    return Block(model, name, f"{blocks_name}.{index}", blocks[index])


@dataclass(frozen=True)
class Block:
    """A block of `model`, called `path` there, in which the place `name` is looked for."""

    model: PreTrainedModel
    name: str
    path: str
    module: torch.nn.Module

    def stream(self, is_input: bool) -> Place:
        """The residual stream before or after the block."""
        width = self.model.config.get_text_config().hidden_size
        return Place(self.name, self.module, self.path, is_input, width, in_stream=True)

    def middle(self) -> Place:
        """The residual stream between attention and MLP."""
        before = NORM_BEFORE_MLP
        if self.has(MLP.norm) and not self.has("pre_feedforward_layernorm"):
            before = MLP.whole  # OLMo 2 norms what its MLP gives, not what it reads
        found = self.first(before)
        if found is None or getattr(self.model.config, "use_parallel_residual", False):
            raise ConfigError(
                f"model.hook = {self.name!r}: the blocks of {type(self.model).__name__} have no "
                "residual stream between attention and MLP. Either both read what the block reads, "
                "or the sum is normalised as soon as it is made, as in BERT. Take hook_resid_pre, "
                "hook_resid_post, hook_attn_out or hook_mlp_out"
            )
        return self.measured(found, is_input=True, in_stream=True, passed_by=self.module)

    def added(self, part: Part) -> Place:
        """What attention or MLP adds to the residual stream."""
        names = (part.norm,) if self.has(MLP.norm) else (*part.last, *part.whole)
        return self.measured(self.first(names) or self.refuse(names), in_stream=True)

    def inside(self, part: Part) -> Place:
        """What the last linear map of attention or MLP reads."""
        last = self.first(part.last) or self.refuse(part.last)
        module = self.model.get_submodule(last)
        norm = self.first((part.norm,)) if self.has(MLP.norm) else None
        return self.measured(
            last,
            is_input=True,
            projection=module,
            norm=self.model.get_submodule(norm) if norm else None,
        )

    def heads(self) -> Place:
        """What all attention heads give, side by side."""
        place = self.inside(ATTENTION)
        n_heads = int(self.model.config.get_text_config().num_attention_heads)
        if place.d_in % n_heads:
            raise ConfigError(f"{place.words} has {place.d_in} numbers for {n_heads} heads")
        return replace(place, n_heads=n_heads)

    def has(self, name: str) -> bool:
        return hasattr(self.module, name)

    def first(self, names: tuple[str, ...]) -> str | None:
        """The first of these modules that the block has, by its name in the model."""
        inside = {name for name, _ in self.module.named_modules()}
        return next((f"{self.path}.{name}" for name in names if name in inside), None)

    def refuse(self, names: tuple[str, ...]) -> NoReturn:
        has = ", ".join(name for name, _ in self.module.named_modules() if name)
        raise ConfigError(
            f"model.hook = {self.name!r}: {self.path} has none of {', '.join(names)}. It has "
            f"{has}. Name one of them as {self.path}.<module>, for its output"
        )

    def measured(self, path: str, is_input: bool = False, **more: Any) -> Place:
        return measured(
            self.model, Place(self.name, self.model.get_submodule(path), path, is_input, 0, **more)
        )


def measured(model: PreTrainedModel, place: Place) -> Place:
    """The place with its width, as a short pass through the model shows it.

    Raises:
        ConfigError: the module does not run once a pass with one row a token.
    """
    shapes: list[torch.Size] = []

    def note(rows: torch.Tensor) -> torch.Tensor:
        shapes.append(rows.shape)
        return rows

    ids = torch.zeros(1, PROBE_TOKENS, dtype=torch.int64, device=model.device)
    with torch.inference_mode(), place.replace(note):
        model(input_ids=ids)
    if len(shapes) != 1:
        raise ConfigError(
            f"model.hook = {place.name!r}: a forward pass calls {place.module_name} "
            f"{len(shapes)} times, so it is no one place"
        )
    if len(shapes[0]) != 3 or shapes[0][:2] != (1, PROBE_TOKENS):
        raise ConfigError(
            f"model.hook = {place.name!r}: the {place.words} has shape {tuple(shapes[0])} for 1 "
            f"context of {PROBE_TOKENS} tokens, not one row a token"
        )
    return replace(place, d_in=shapes[0][2])
