"""SAEDashboard's output: `batch-N.json`, beside it `run_settings.json` and `skipped_indexes.json`.

It has no labels. `frac_nonzero` was parsed back from a title in percent with three decimals, so 0
means less than 0.000005. Tokens are strings of the vocabulary.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from precompute.config import ConfigError
from precompute.imports.activation_rows import FieldNames, keep_activation
from precompute.imports.bounded_files import in_order, index_of, json_object
from precompute.imports.foreign import ForeignSet, number, numbers
from precompute.imports.identity import Identity
from precompute.imports.neuronpedia import DENSITY_STEP, VECTORS_A_FILE, logits
from precompute.imports.places import layer_place, place_of
from precompute.imports.token_texts import TokenTexts

SETTINGS, SKIPPED = "run_settings.json", "skipped_indexes.json"
_FIELDS = FieldNames("bin_min", "bin_max", "qualifying_token_index")


def read_saedashboard(path: Path, identity: Identity) -> ForeignSet:
    """All latents of the batches in a folder, or of one file.

    Raises:
        ConfigError: there is no batch, one lacks what it needs, or is about something else.
    """
    folder = path if path.is_dir() else path.parent
    files = in_order(list(path.glob("batch-*.json"))) if path.is_dir() else [path]
    if not files:
        raise ConfigError(f"{path} has no file batch-*.json")
    found = ForeignSet("saedashboard", {"tool": "SAEDashboard", "density_step": DENSITY_STEP})
    _compare_settings(folder / SETTINGS, identity)
    texts, n_again = TokenTexts(), 0
    for file in files:
        n_again += _read_batch(file, found, identity, texts)
    if not found.latents:
        raise ConfigError(f"{path} has no latent in its batches")
    if n_again:
        found.notes.append(f"{n_again:,} latents are in several batches; the last is used")
    skipped = _skipped(folder / SKIPPED)
    for index in skipped:
        identity.check_index(index, str(folder / SKIPPED))
    if skipped:
        found.notes.append(f"{len(skipped):,} latents were left out when it was made")
    return found


def _read_batch(file: Path, found: ForeignSet, identity: Identity, texts: TokenTexts) -> int:
    """Add the latents of one batch; the number of those that earlier batches had too."""
    batch = json_object(file)
    _compare_batch(batch, file, found, identity)
    features = batch.get("features")
    if not isinstance(features, list):
        raise ConfigError(f"{file}: no list features")
    n_again = n_vectors = 0
    for at, row in enumerate(features):
        where = f"{file}, features[{at}]"
        index = index_of(row.get("feature_index")) if isinstance(row, dict) else None
        if index is None:
            raise ConfigError(f"{where}: no field feature_index that is a whole number")
        identity.check_index(index, where)
        n_again += found.latents.pop(index, None) is not None
        latent = found.latent(index)
        latent.density = number(row.get("frac_nonzero"))
        latent.promoted = logits(row, "pos_str", "pos_values", texts)
        latent.suppressed = logits(row, "neg_str", "neg_values", texts)
        activations = row.get("activations")
        for activation in activations if isinstance(activations, list) else ():
            if isinstance(activation, dict):
                keep_activation(latent, activation, _FIELDS, texts)
        vector = row.get("vector")
        if isinstance(vector, list) and vector and n_vectors < VECTORS_A_FILE:
            found.vectors[index] = np.array(numbers(vector), np.float32)
            n_vectors += 1
    return n_again


def _compare_batch(
    batch: dict[str, Any], file: Path, found: ForeignSet, identity: Identity
) -> None:
    model, layer, sae_set = (batch.get(name) for name in ("model_id", "layer", "sae_set"))
    if not isinstance(model, str) or not model:
        raise ConfigError(f"{file}: no field model_id")
    identity.check_model(model, str(file))
    layer = index_of(layer)
    source = ""
    if layer is not None:
        # the name of the set is the maker's choice, so only its layer can differ
        identity.check_place(layer_place(layer), f"layer {layer}", str(file))
        if isinstance(sae_set, str):
            suffix = batch.get("sae_id_suffix")
            source = f"{layer}-{sae_set}" + (f"__{suffix}" if suffix else "")
            if f"{model}/{source}" == identity.sae["neuronpedia_id"]:
                identity.check_source(model, source, str(file))
    for name, value in (("model", model), ("source", source)):
        if found.about.setdefault(name, value) != value:
            raise ConfigError(
                f"{file}: {name} {value!r}, but earlier batches have {found.about[name]!r}. "
                "Give the folder of one of them"
            )


def _compare_settings(path: Path, identity: Identity) -> None:
    """The SAE that the run of SAEDashboard read, if it says so."""
    if not path.exists():
        return
    settings = json_object(path)
    sae_set, sae_path = settings.get("sae_set"), settings.get("sae_path")
    identity.check_release(sae_set, sae_path)
    if isinstance(sae_path, str):
        identity.check_place(place_of(sae_path), sae_path, str(path))


def _skipped(path: Path) -> list[int]:
    """Indices of latents that were left out, most of them dead."""
    if not path.exists():
        return []
    listed = json_object(path).get("skipped_indexes")
    indices = [index_of(value) for value in listed] if isinstance(listed, list) else [None]
    if None in indices:
        raise ConfigError(f"{path}: skipped_indexes is not a list of whole numbers")
    return [index for index in indices if index is not None]
