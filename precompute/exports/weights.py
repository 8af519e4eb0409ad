"""Weights of an SAE of a finished run: the exact ones where they still are, else those in 8 bits.

The work folder keeps every training in float32 under names made of hashes. A run keeps the hash of
each decoder, `saes.decoder_sha256`, and by that the right folder is found, whatever its name.

The table `directions` has decoder and encoder of the decomposed SAEs and their meta-SAEs in 8 bits.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from backend.manifest import RunError
from precompute.config import ConfigError
from precompute.dictionary import WEIGHTS_NAME, Dictionary
from precompute.directions import decoder_sha256
from precompute.exports.run_rows import LatentRows
from precompute.exports.run_sae import Row, RunSae
from precompute.own_text import read_encoder

log = logging.getLogger(__name__)

EXACT, ROUNDED = "float32", "8 bits"


@dataclass(frozen=True)
class SaeWeights:
    """The weights and how exact they are: `EXACT` or `ROUNDED`."""

    dictionary: Dictionary
    precision: str


def sae_weights(about: RunSae, work: Path) -> SaeWeights:
    """The weights of one SAE.

    Args:
        work: the folder given with `--work`; the run's own is in it.

    Raises:
        ConfigError: they are neither in the work folder nor, as far as needed, in the run.
    """
    sae, place = about.sae, work / Path(about.manifest.run).name
    for folder in _candidates(place, sae):
        dictionary = _same_sae(folder, sae)
        if dictionary is not None:
            return SaeWeights(dictionary, EXACT)
    log.info("%s has no weights of %s; taking those of the run", place, sae["sae_id"])
    return SaeWeights(_rounded_weights(about.run, sae, place), ROUNDED)


def _candidates(place: Path, sae: Row) -> Iterator[Path]:
    """Where the stages of precompute keep an SAE, or a meta-SAE of the first seed."""
    if not place.is_dir():
        return
    for stage in sorted(place.iterdir()):
        if sae["kind"] == "sae" and stage.name.startswith("saes-"):
            yield stage / sae["sae_id"]
        if sae["kind"] == "meta" and stage.name.startswith("meta-"):
            yield stage / "seed-0"
            yield stage / (sae["parent_sae_id"] or "") / "seed-0"


def _same_sae(folder: Path, sae: Row) -> Dictionary | None:
    """The SAE in `folder`, if it is the one whose row of `saes` is given."""
    path = folder / WEIGHTS_NAME
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as tensors:
            shape = tensors.get_slice("W_dec").get_shape()
        if list(shape) != [sae["n_latents"], sae["d_in"]]:
            return None
        found = Dictionary.load(folder)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        log.warning("%s cannot be read (%s)", folder, error)
        return None
    # a threshold that was set again leaves the decoder as it is
    is_same = np.float32(found.lowest_threshold) == np.float32(sae["threshold"])
    return found if is_same and decoder_sha256(found) == sae["decoder_sha256"] else None


def _rounded_weights(run: Path, sae: Row, place: Path) -> Dictionary:
    sae_id = sae["sae_id"]
    otherwise = f"Give --work with the folder in which {place.name} was made, or make it again"
    directions = LatentRows(run, "directions", sae_id, ("decoder", "decoder_scale"))
    decoder = _decoder_rows(directions, 0, sae["n_latents"], sae["d_in"])
    if len(decoder) < sae["n_latents"]:
        raise ConfigError(f"the run keeps no weights of {sae_id}. {otherwise}")
    try:
        encoder = read_encoder(run, sae_id)
    except ConfigError as error:
        raise ConfigError(f"the run keeps no encoder of {sae_id}. {otherwise}") from error
    return Dictionary(
        W_enc=encoder.weights,
        b_enc=encoder.bias,
        W_dec=torch.from_numpy(decoder),
        b_dec=torch.tensor(sae["decoder_bias"]),
        threshold=encoder.threshold,
        k=encoder.k,
    )


def _decoder_rows(directions: LatentRows, first: int, end: int, d_in: int) -> np.ndarray:
    """float32 [n, d_in]: decoder rows of the latents from `first` up to `end`."""
    table = directions.between(first, end)
    packed = np.frombuffer(b"".join(table["decoder"].to_pylist()), np.int8)
    if len(packed) != table.num_rows * d_in:
        raise RunError(
            f"directions.parquet has decoder rows of another length than {d_in}. Make the run again"
        )
    return packed.reshape(-1, d_in) * table["decoder_scale"].to_numpy()[:, None]
