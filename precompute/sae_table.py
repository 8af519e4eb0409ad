"""Rows of `saes`: every SAE of the run, then every meta-SAE."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from backend.schema import TABLES
from precompute.config import RunConfig
from precompute.decomposition import Decomposition
from precompute.dictionary import Dictionary
from precompute.directions import decoder_sha256
from precompute.named.tables import applied_row, directions_columns, directions_of
from precompute.sources import LanguageModel
from precompute.stages import PARTS_DONE, Stages

WORDS_ARCHITECTURE = "batchtopk, decoder kept at word directions"


def saes_table(
    config: RunConfig,
    language_model: LanguageModel,
    stages: Stages,
    shown: dict[str, Decomposition],
) -> pa.Table:
    """The table; `shown` has the decomposition of each decomposed SAE."""
    place = language_model.place(config.model)
    through = language_model.logits_through
    if place.projection is not None:
        through = f"linear map {place.module_name} and the {through}"
    common = {
        "model_id": language_model.model_id,
        "hook_name": config.model.place,
        "d_in": place.d_in,
        "logits_through": through,
        "release": None,
        "release_sae_id": None,
        "neuronpedia_id": None,
    }
    rows = [common | _sae(config, stages, sae_id) for sae_id in config.described_ids]
    rows += [common | _meta(config, stages, sae_id, shown[sae_id]) for sae_id in config.meta_widths]
    return pa.Table.from_pylist(rows, schema=TABLES["saes"].arrow)


def _sae(config: RunConfig, stages: Stages, sae_id: str) -> dict[str, Any]:
    figures = json.loads((stages.saes / sae_id / "figures.json").read_text())
    dead = json.loads((stages.tables / sae_id / PARTS_DONE).read_text())
    sae = Dictionary.load(stages.saes / sae_id)
    row: dict[str, Any] = {
        "sae_id": sae_id,
        "kind": "sae",
        "parent_sae_id": None,
        "n_latents": sae.n_latents,
        "threshold": sae.lowest_threshold,
        "l0": figures["heldout"]["l0"],
        "variance_explained": figures["train"]["variance_explained"],
        "variance_explained_heldout": figures["heldout"]["variance_explained"],
        "dead_fraction": dead["dead_fraction"],
        "decoder_sha256": decoder_sha256(sae),
        "decoder_bias": sae.b_dec.tolist(),
    }
    section = directions_of(config, sae_id)
    if section is not None:
        return row | directions_columns(section, sae.n_latents)
    if config.published is not None:
        published = config.published.found[config.sae_ids.index(sae_id)]
        return row | {
            "architecture": figures.get("architecture", "batchtopk"),
            "k": sae.k,
            "seed": None,
            "release": published.release,
            "release_sae_id": published.id,
            "neuronpedia_id": published.neuronpedia_id,
        }
    return row | {
        "architecture": WORDS_ARCHITECTURE if sae_id == config.words_id else "batchtopk",
        "k": config.trained.k if config.trained else None,
        "seed": config.seed,
    }


def _meta(config: RunConfig, stages: Stages, sae_id: str, shown: Decomposition) -> dict[str, Any]:
    if sae_id in config.applied_ids:
        return applied_row(config, stages, sae_id, shown)
    folder = stages.meta_of(sae_id, config)
    seen = json.loads((folder / "seed-0" / "figures.json").read_text())["seen"]
    meta = Dictionary.load(folder / "seed-0")
    unseen = json.loads((folder / "heldout" / "figures.json").read_text())["unseen"]
    return {
        "sae_id": config.meta_ids[sae_id],
        "kind": "meta",
        "parent_sae_id": sae_id,
        "hook_name": f"decoder rows of {sae_id}",
        "architecture": "batchtopk",
        "n_latents": config.meta_widths[sae_id],
        "k": config.meta.k,
        "seed": config.seed,
        "threshold": meta.lowest_threshold,
        "l0": float(shown.n_components.mean()),
        "variance_explained": seen["variance_explained"],
        "variance_explained_heldout": unseen["variance_explained"],
        "dead_fraction": seen["dead_fraction"],
        "decoder_sha256": decoder_sha256(meta),
        "decoder_bias": meta.b_dec.tolist(),
    }
