"""The language model that a run keeps beside its tables, when it was trained with it.

`<run>/model` is in Hugging Face layout, with the SHA-256 of its files as `sha256sum --check` reads
them; the manifest has that of the weights too, so the tables and the model belong together.
"""

from __future__ import annotations

import tomllib

SOURCE = "atlas"  # `model.source` of a config whose model is trained with the run
MODEL_FOLDER = "model"
SUMS_NAME = "SHA256SUMS"
WEIGHTS_NAME = "model.safetensors"
KEPT = (
    "config.json",
    "generation_config.json",
    WEIGHTS_NAME,
    "tokenizer.json",
    "tokenizer_config.json",
)


def sums_of(text: str) -> dict[str, str]:
    """SHA-256 by name, of the files of `KEPT` that the text has one of."""
    sums = {
        name: digest for digest, _, name in (line.partition("  ") for line in text.splitlines())
    }
    return {name: sums[name] for name in KEPT if name in sums}


def keeps_model(config: str) -> bool:
    """Whether a run with this config (TOML, as the manifest has it) keeps its model."""
    try:
        return bool(tomllib.loads(config)["model"]["source"] == SOURCE)
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        return False
