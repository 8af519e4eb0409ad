"""An SAE or meta-SAE as a folder that `sae_lens.SAE.load_from_disk` reads.

SAELens keeps a BatchTopK SAE as a JumpReLU SAE whose thresholds are all the same, and so does
`Dictionary.save`; with the metadata of SAELens, and the densities that its dashboards read.
"""

from __future__ import annotations

import importlib.metadata
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from safetensors.torch import save_file

from backend.manifest import RunError
from precompute.config import ConfigError
from precompute.exports.run_sae import RunSae
from precompute.exports.weights import EXACT, ROUNDED, SaeWeights
from precompute.run_model import model_section

SPARSITY_NAME = "sparsity.safetensors"
LEAST_DENSITY = 1e-10  # added before the logarithm, as SAELens does: a dead latent has -10
NOTES = {
    EXACT: "the weights are those of the training, in float32",
    ROUNDED: (
        "the weights are those that the run keeps, 8 bits each: latents near their threshold may "
        "fire or not, and the decoder bias was worked out from the shares of the decompositions"
    ),
}


def write_saelens(folder: Path, about: RunSae, weights: SaeWeights, model_name: str | None) -> None:
    """Write `cfg.json`, `sae_weights.safetensors` and `sparsity.safetensors` into `folder`.

    Args:
        model_name: SAELens' name of the model; None: the one in the run.
    """
    metadata = _metadata(about, weights.precision)
    if model_name is not None:
        metadata["model_name"] = model_name
    weights.dictionary.save(folder, metadata)
    density = torch.from_numpy(_densities(about))
    save_file({"sparsity": torch.log10(density + LEAST_DENSITY)}, folder / SPARSITY_NAME)


def _metadata(about: RunSae, precision: str) -> dict[str, object]:
    """What SAELens keeps about where an SAE belongs, and where this one comes from."""
    sae, manifest, parent = about.sae, about.manifest, about.parent
    is_ours = sae["release"] is None
    metadata: dict[str, object] = {
        "model_name": sae["model_id"],
        "hook_name": about.hook_name,
        "hook_head_index": None,
        "model_from_pretrained_kwargs": {},
        "prepend_bos": None,
        "context_size": None,
        "dataset_path": None,
        "neuronpedia_id": sae["neuronpedia_id"],
        # a config without it, or with one below 6, is read by other rules
        "sae_lens_version": importlib.metadata.version("sae-lens"),
        "sae_lens_training_version": manifest.library_versions.get("sae-lens") if is_ours else None,
        "run": manifest.run,
        "content_hash": manifest.content_hash,
        "sae_id": sae["sae_id"],
        "trained_as": sae["architecture"],
        "decoder_sha256": sae["decoder_sha256"],
        "reads": sae["hook_name"],
        "weights": precision,
    }
    with suppress(ConfigError):  # a run without a model of its own
        model = model_section(manifest.config)
        metadata |= {"prepend_bos": model.prepend_bos, "context_size": model.context_size}
        if model.centred:
            metadata["model_from_pretrained_kwargs"] = {"center_writing_weights": True}
    if parent is not None:
        metadata |= {
            "parent": parent["sae_id"],
            "parent_decoder_sha256": parent["decoder_sha256"],
            "reads": f"decoder rows of {parent['sae_id']}, each of unit length",
        }
    return metadata


def _densities(about: RunSae) -> np.ndarray:
    """float32 [n_latents]: share of the tokens, or decoder rows, on which each latent fires."""
    path, n = about.run / "latents.parquet", about.sae["n_latents"]
    here = [("sae_id", "==", about.sae_id)]
    rows = pq.read_table(path, columns=["count", "tokens_seen"], filters=here)
    if rows.num_rows != n:
        found = f"{path} has {rows.num_rows} latents of {about.sae_id} instead of {n}"
        raise RunError(f"{found}. Make the run again")
    seen = np.maximum(rows["tokens_seen"].to_numpy(), 1)
    return (rows["count"].to_numpy() / seen).astype(np.float32)
