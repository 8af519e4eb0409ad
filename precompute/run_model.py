"""The language model of a finished run: from where its config says, or kept beside its tables.

A run whose model was trained with it keeps that model: `backend.kept_model`.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

from pydantic import ValidationError

from backend.kept_model import KEPT, MODEL_FOLDER, SUMS_NAME, sums_of
from precompute.atlas.section import SOURCE
from precompute.config import ConfigError, ModelConfig
from precompute.writer import sha256_of


def keep_model(source: Path, run: Path) -> Path:
    """Copy a trained model into a run's folder, with the hashes of its files.

    Raises:
        OSError: a file is missing, or there is no room for it.
    """
    kept = run / MODEL_FOLDER
    kept.mkdir()
    for name in KEPT:
        shutil.copyfile(source / name, kept / name)
    lines = [f"{sha256_of(kept / name)}  {name}\n" for name in KEPT]
    (kept / SUMS_NAME).write_text("".join(lines), encoding="utf-8")
    return kept


def model_section(config: str) -> ModelConfig:
    """The `[model]` section of a run's config, as its manifest has it.

    Raises:
        ConfigError: it has none that this version understands.
    """
    try:
        return ModelConfig(**tomllib.loads(config)["model"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValidationError) as error:
        raise ConfigError(
            "the run's config does not say which language model it was made with"
        ) from error


def run_model(run: Path, config: str) -> ModelConfig:
    """What loads the language model of the run in this folder: the model it keeps, if it does.

    Raises:
        ConfigError: as `model_section`, or the model that the run kept is missing or damaged.
    """
    found = model_section(config)
    if found.source != SOURCE:
        return found
    kept = run / MODEL_FOLDER
    check_model(kept)
    return found.model_copy(update={"source": str(kept)})


def check_model(kept: Path) -> None:
    """Whether every file of a kept model is as it was written.

    Raises:
        ConfigError: one is missing or damaged; the message says what to do next.
    """
    again = f"Restore it from a good copy of the run, or make the run again: {_command(kept)}"
    try:
        sums = sums_of((kept / SUMS_NAME).read_text(encoding="utf-8"))
        damaged = [name for name in KEPT if sums.get(name) != sha256_of(kept / name)]
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{kept}, the model that was trained with this run, cannot be read ({error}). {again}"
        ) from error
    if damaged:
        raise ConfigError(
            f"{kept / damaged[0]} was damaged or changed after it was written (SHA-256 differs). "
            f"{again}"
        )


def _command(kept: Path) -> str:
    name = kept.parent.name
    return f"python -m precompute run precompute/configs/{name}.toml"
