"""Read the files of named directions before anything is computed: how many, and of what content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow.parquet as pq
from pydantic import ValidationError

from precompute.config import ConfigError, RunConfig
from precompute.named.reading import NamedDirections, read_directions
from precompute.named.section import DirectionsConfig, FoundDirections


def with_found_directions(config: RunConfig) -> RunConfig:
    """The config with what the files of its `[[directions]]` hold; others unchanged.

    Raises:
        ConfigError: a file cannot be used, or has too few rows for what is asked.
    """
    if all(section.found for section in config.directions):
        return config
    found = []
    for section in config.directions:
        read = read_directions(section)
        count, d_in = read.rows.shape
        known = FoundDirections(count=count, d_in=d_in, sha256=read.sha256)
        found.append(section.model_copy(update={"found": known}))
    try:
        return RunConfig.model_validate(config.model_dump() | {"directions": found})
    except ValidationError as error:
        lines = [f"  {e['msg']}" for e in error.errors()]
        raise ConfigError("[[directions]] cannot be used:\n" + "\n".join(lines)) from error


def check_place(config: RunConfig, d_in: int) -> None:
    """Refuse directions of another model or place before hours of training.

    Raises:
        ConfigError: activations have `d_in` numbers, some directions another number of them.
    """
    for section in config.directions:
        if section.found is not None and section.found.d_in != d_in:
            raise ConfigError(
                f"directions {section.name} have {section.found.d_in:,} numbers each, activations "
                f"at {config.model.place} have {d_in:,}: they are of another model or place"
            )


def read_found(section: DirectionsConfig) -> NamedDirections:
    """The directions again, when they are needed.

    Raises:
        ConfigError: the file has changed since the run began.
    """
    read = read_directions(section)
    if section.found is None or read.sha256 != section.found.sha256:
        raise ConfigError(f"directions {section.name}: {section.path} changed during the run")
    return read


def are_as_made(config: RunConfig, final: Path) -> bool:
    """Whether a finished run was made of what the files hold now; one that is gone is not asked."""
    hashes = {
        row["sae_id"]: row["decoder_sha256"]
        for row in pq.read_table(final / "saes.parquet").to_pylist()
    }
    for section in config.directions:
        if not Path(section.path).exists():
            continue
        read = read_directions(section)
        if hashlib.sha256(read.rows.tobytes()).hexdigest() != hashes.get(section.name):
            return False
        rows = pq.read_table(
            final / "latents.parquet",
            columns=["latent", "label"],
            filters=[("sae_id", "=", section.name)],
        )
        if rows.sort_by("latent")["label"].to_pylist() != read.names:
            return False
    return True
