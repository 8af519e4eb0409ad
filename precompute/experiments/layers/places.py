"""The same place in every layer of a model."""

from __future__ import annotations

import re

from precompute.config import ConfigError, ModelConfig
from precompute.sources import LanguageModel

_IN_A_BLOCK = re.compile(r"blocks\.(\d+)\.")


def every_layer(config: ModelConfig, language_model: LanguageModel) -> dict[int, ModelConfig]:
    """A config for each layer that reads it where `config` reads its own.

    Keys are what stands in `model.layer`, from 1, or in the name of the hook, from 0.

    Raises:
        ConfigError: the place is called by a name that says nothing of other layers.
    """
    n_layers = language_model.model.config.get_text_config().num_hidden_layers
    if config.hook is None:
        return {n: config.model_copy(update={"layer": n}) for n in range(1, n_layers + 1)}
    if _IN_A_BLOCK.match(config.hook) is None:
        raise ConfigError(
            f"[experiments.layers] cannot tell what {config.hook!r} is called in other layers. "
            "Give model.layer, or a hook such as blocks.8.attn.hook_z, or leave the section out"
        )
    return {
        n: config.model_copy(update={"hook": _IN_A_BLOCK.sub(f"blocks.{n}.", config.hook, count=1)})
        for n in range(n_layers)
    }
