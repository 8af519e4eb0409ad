"""All tables of a run, put together from what the stages left in the work folder."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.schema import TABLES
from precompute import latent_tables, measurements, meta_tables
from precompute.config import RunConfig
from precompute.decomposition import Decomposition, decompose, matched_meta_latents, stability
from precompute.dictionary import Dictionary
from precompute.entities import entity_rows, judge_entities
from precompute.sources import LanguageModel
from precompute.stages import Stages
from precompute.stitching import tables as stitching
from precompute.text import TokenisedText
from precompute.writer import write_atomically

PART_TABLES = ("latents", "examples", "terms")
PARTS_DONE = "dead.json"


def save_parts(stages: Stages, sae_id: str, parts: latent_tables.SaeTables) -> None:
    """Keep one SAE's tables; the dead share comes last and marks them complete."""
    folder = stages.tables / sae_id
    for name in PART_TABLES:
        table = getattr(parts, name)
        path = folder / f"{name}.parquet"
        write_atomically(path, lambda temporary, table=table: pq.write_table(table, temporary))
    note = json.dumps({"dead_fraction": parts.dead_fraction})
    write_atomically(folder / PARTS_DONE, lambda temporary: temporary.write_text(note))


def has_parts(stages: Stages, sae_id: str) -> bool:
    """Whether `save_parts` finished for this SAE."""
    return (stages.tables / sae_id / PARTS_DONE).exists()


def run_tables(
    config: RunConfig, language_model: LanguageModel, text: TokenisedText, stages: Stages
) -> dict[str, Any]:
    """Every table of the contract by name, unsorted."""
    parts = {
        name: {i: pq.read_table(stages.tables / i / f"{name}.parquet") for i in config.sae_ids}
        for name in PART_TABLES
    }
    directions = {i: Dictionary.load(stages.saes / i).W_dec for i in config.sae_ids}
    rows = directions[config.decomposed_sae_id]
    metas = [Dictionary.load(stages.meta / f"seed-{i}") for i in range(config.meta.seeds)]
    meta, decompositions = metas[0], [decompose(one, rows) for one in metas]
    shown = decompositions[0]
    others = [
        (decomposition, matched_meta_latents(meta, other, config.meta.match_cosine))
        for other, decomposition in zip(metas[1:], decompositions[1:], strict=True)
    ]
    stable = stability(shown, others, meta.n_latents)
    parent = parts["latents"][config.decomposed_sae_id]
    parent = meta_tables.with_decomposition(parent, shown)
    parts["latents"][config.decomposed_sae_id] = parent
    meta_latents = meta_tables.meta_latent_table(
        config.meta_sae_id, meta, shown, parent, language_model, config.latents, config.seed
    )
    components = meta_tables.component_table(config.meta_sae_id, shown, stable)
    latents = pa.concat_tables([*parts["latents"].values(), meta_latents])
    terms = pa.concat_tables(parts["terms"].values())
    judged = judge_entities(latents, terms, components, config.decomposed_sae_id)
    results = stitching.load_results(config, stages.stitching)
    figures = [
        *measurements.suite_rows(config.sae_ids, stages.saes),
        *measurements.meta_rows(config.meta_sae_id, stages.meta, config.meta.seeds),
        *measurements.decomposition_rows(config.meta_sae_id, shown, stable),
        *entity_rows(config.meta_sae_id, judged),
        *stitching.pair_measurements(results),
        *stitching.merged_measurements(stages.stitching),
        *stitching.splitting_measurements(config, results, directions, meta, shown),
    ]
    return {
        "saes": _sae_rows(config, language_model, stages, shown),
        "latents": latents,
        "components": components,
        "members": components,
        "contexts": _context_rows(text),
        "examples": pa.concat_tables(parts["examples"].values()),
        "terms": terms,
        "neighbours": latent_tables.neighbour_table(
            directions | {config.meta_sae_id: meta.W_dec}, config.latents
        ),
        **stitching.stitching_tables(config, results),
        "measurements": measurements.as_columns(figures),
    }


def _sae_rows(
    config: RunConfig, language_model: LanguageModel, stages: Stages, shown: Decomposition
) -> pa.Table:
    common = {
        "model_id": language_model.model_id,
        "hook_name": f"hidden_states[{config.model.layer}]",
        "d_in": language_model.token_directions.shape[1],
        "logits_through": language_model.logits_through,
        "release": None,
        "release_sae_id": None,
        "neuronpedia_id": None,
    }
    rows = []
    for position, (sae_id, width) in enumerate(zip(config.sae_ids, config.widths, strict=True)):
        figures = json.loads((stages.saes / sae_id / "figures.json").read_text())
        dead = json.loads((stages.tables / sae_id / PARTS_DONE).read_text())
        published = config.published.saes[position] if config.published else None
        origin = {
            "architecture": figures.get("architecture", "batchtopk"),
            "k": config.saes.k if config.saes else None,
            "seed": config.seed if config.saes else None,
            "release": config.published.release if config.published else None,
            "release_sae_id": published.id if published else None,
            "neuronpedia_id": published.neuronpedia_id if published else None,
        }
        rows.append(
            common
            | origin
            | {
                "sae_id": sae_id,
                "kind": "sae",
                "parent_sae_id": None,
                "n_latents": width,
                "threshold": Dictionary.load(stages.saes / sae_id).threshold,
                "l0": figures["heldout"]["l0"],
                "variance_explained": figures["train"]["variance_explained"],
                "variance_explained_heldout": figures["heldout"]["variance_explained"],
                "dead_fraction": dead["dead_fraction"],
            }
        )
    seen = json.loads((stages.meta / "seed-0" / "figures.json").read_text())["seen"]
    unseen = json.loads((stages.meta / "heldout" / "figures.json").read_text())["unseen"]
    rows.append(
        common
        | {
            "sae_id": config.meta_sae_id,
            "kind": "meta",
            "parent_sae_id": config.decomposed_sae_id,
            "hook_name": f"decoder rows of {config.decomposed_sae_id}",
            "architecture": "batchtopk",
            "n_latents": config.meta_width,
            "k": config.meta.k,
            "seed": config.seed,
            "threshold": Dictionary.load(stages.meta / "seed-0").threshold,
            "l0": float(shown.n_components.mean()),
            "variance_explained": seen["variance_explained"],
            "variance_explained_heldout": unseen["variance_explained"],
            "dead_fraction": seen["dead_fraction"],
        }
    )
    return pa.Table.from_pylist(rows, schema=TABLES["saes"].arrow)


def _context_rows(text: TokenisedText) -> pa.Table:
    columns = ("source", "title", "text", "token_starts", "token_ends")
    data = {name: [getattr(context, name) for context in text.shown] for name in columns}
    ids = range(len(text.shown))
    return pa.Table.from_pydict({"context_id": ids, **data}, schema=TABLES["contexts"].arrow)
