"""SAEs that others trained: sae-lens releases from the hub, or folders in the same layout.

Everything is brought to one form: unit decoder rows, encoder bias with b_dec folded in, activations
in the model's own units. What cannot be brought there exactly is refused with the reason.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sae_lens import SAE

from precompute.config import ConfigError, PublishedConfig, PublishedSae
from precompute.dictionary import Dictionary, fidelity

log = logging.getLogger(__name__)

FIDELITY_ROWS = 200_000
READABLE = ("standard", "jumprelu")


def load_published(config: PublishedConfig, published: PublishedSae) -> tuple[Dictionary, str]:
    """One SAE and its architecture's name, from `config.folder` if given, else from the hub.

    Raises:
        ConfigError: it is not there, has another width, or cannot be expressed as a `Dictionary`.
    """
    try:
        if config.folder is not None:
            place = str(Path(config.folder) / published.id)
            sae: Any = SAE.load_from_disk(place)
        else:
            place = f"release {config.release}, SAE {published.id}"
            sae = SAE.from_pretrained(config.release, published.id)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(
            f"published SAE {published.id!r} could not be loaded ({error}). It needs the "
            "Hugging Face hub or, with published.folder, "
            f"<folder>/{published.id}/cfg.json and sae_weights.safetensors"
        ) from error
    if sae.cfg.d_sae != published.width:
        raise ConfigError(f"{place} has {sae.cfg.d_sae} latents, the config says {published.width}")
    return as_dictionary(sae, place), sae.cfg.architecture()


@torch.no_grad()
def as_dictionary(sae: Any, place: str) -> Dictionary:
    """A sae-lens SAE in our form; its reconstruction is unchanged."""
    architecture = sae.cfg.architecture()
    if architecture not in READABLE:
        raise ConfigError(f"{place}: architecture {architecture} is not one of {READABLE}")
    if sae.cfg.normalize_activations != "none":
        raise ConfigError(
            f"{place}: it expects activations normalised by {sae.cfg.normalize_activations}, which "
            "a decoder row alone cannot undo"
        )
    sae.fold_W_dec_norm()
    threshold = 0.0
    if architecture == "jumprelu":
        thresholds = sae.threshold.float()
        threshold = float(thresholds[0])
        if not torch.allclose(thresholds, thresholds[0].expand_as(thresholds)):
            raise ConfigError(f"{place}: a threshold for each latent is not supported yet")
    weights, bias = sae.W_enc.float(), sae.b_enc.float()
    if sae.cfg.apply_b_dec_to_input:
        bias = bias - sae.b_dec.float() @ weights
    return Dictionary(
        W_enc=weights.clone(),
        b_enc=bias.clone(),
        W_dec=sae.W_dec.float().clone(),
        b_dec=sae.b_dec.float().clone(),
        threshold=threshold,
    )


def import_published(
    config: PublishedConfig, published: PublishedSae, activations: Path, folder: Path
) -> None:
    """Save a published SAE beside the trained ones, measured on the same rows."""
    if (folder / "figures.json").exists():
        return
    sae, architecture = load_published(config, published)
    figures: dict[str, Any] = {"architecture": architecture}
    for split in ("train", "heldout"):
        rows = np.load(activations / f"{split}.npy", mmap_mode="r")
        measured = fidelity(sae, rows[:FIDELITY_ROWS])
        figures[split] = {
            "variance_explained": measured.variance_explained,
            "l0": measured.l0,
            "n": measured.n_rows,
        }
    sae.save(folder, {"release": config.release, "sae_id": published.id})
    temporary = folder / "figures.tmp"
    temporary.write_text(json.dumps(figures, indent=2, sort_keys=True))
    temporary.replace(folder / "figures.json")
    log.info("%s: %s", published.id, figures["heldout"])
