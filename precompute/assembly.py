"""All tables of a run, put together from what the stages left in the work folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from backend.schema import TABLES
from precompute import latent_tables, measurements, meta_tables
from precompute.config import RunConfig
from precompute.decomposition import Decomposition, decompose, matched_meta_latents, stability
from precompute.dictionary import Dictionary
from precompute.directions import FINEST, direction_table
from precompute.entities import entity_rows, judge_entities
from precompute.evidence import files as evidence
from precompute.named.tables import applied_figures, without_copies
from precompute.names import files as names
from precompute.sae_table import saes_table
from precompute.sources import LanguageModel
from precompute.stages import PARTS_DONE, Stages
from precompute.stitching import tables as stitching
from precompute.text import TokenisedText
from precompute.trust import tables as trust
from precompute.writer import write_atomically

PART_TABLES = ("latents", "examples", "terms")


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


@dataclass(frozen=True)
class Decomposed:
    """One SAE's latents with their decomposition, and the meta-SAE that made it."""

    meta_sae_id: str
    meta: Dictionary
    shown: Decomposition
    stability: np.ndarray
    latents: pa.Table
    meta_latents: pa.Table
    components: pa.Table


def run_tables(
    config: RunConfig, language_model: LanguageModel, text: TokenisedText, stages: Stages
) -> dict[str, Any]:
    """Every table of the contract by name, unsorted."""
    parts = {
        name: {i: _read_part(stages.tables / i / f"{name}.parquet") for i in config.described_ids}
        for name in PART_TABLES
    }
    saes = {i: Dictionary.load(stages.saes / i) for i in config.described_ids}
    directions = {i: sae.W_dec for i, sae in saes.items()}
    decomposed = {
        i: _decomposed(config, language_model, stages, i, directions[i], parts["latents"][i])
        for i in config.meta_widths
    }
    parts["latents"] |= {i: one.latents for i, one in decomposed.items()}
    main = decomposed[config.decomposed_sae_id]
    latents = pa.concat_tables(
        [*parts["latents"].values(), *(one.meta_latents for one in decomposed.values())]
    )
    components = pa.concat_tables([one.components for one in decomposed.values()])
    latents = names.named(latents, stages.names)
    found = [evidence.load_table(stages.evidence, i, "terms") for i in config.described_ids]
    terms = pa.concat_tables([*parts["terms"].values(), *found])
    cofiring = [evidence.load_table(stages.evidence, i, "cofiring") for i in config.described_ids]
    judged = judge_entities(latents, terms, main.components, config.decomposed_sae_id)
    results = stitching.load_results(config, stages.stitching)
    figures = [
        *measurements.suite_rows(config.described_ids, stages.saes),
        *_meta_figures(config, stages, decomposed),
        *entity_rows(config.meta_sae_id, judged),
        *stitching.pair_measurements(results),
        *stitching.merged_measurements(stages.stitching),
        *stitching.splitting_measurements(config, results, directions, main.meta, main.shown),
        *trust.trust_measurements(config, stages),
        *names.load_figures(stages.names, [*config.described_ids, *config.meta_ids.values()]),
    ]
    meta_directions = {one.meta_sae_id: one.meta.W_dec for one in decomposed.values()}
    return {
        "saes": saes_table(
            config, language_model, stages, {i: one.shown for i, one in decomposed.items()}
        ),
        "latents": latents,
        "components": components,
        "members": components,
        "contexts": _context_rows(text),
        "examples": pa.concat_tables(parts["examples"].values()),
        "terms": terms,
        "neighbours": without_copies(
            latent_tables.neighbour_table(directions | meta_directions, config.latents), config
        ),
        "cofiring": pa.concat_tables(cofiring),
        "directions": _direction_rows(saes, decomposed),
        **stitching.stitching_tables(config, results),
        **trust.trust_tables(config, stages, latents),
        "measurements": measurements.as_columns(figures),
    }


def _read_part(path: Path) -> pa.Table:
    """One table of an SAE; a column that is newer than the file is null."""
    table = pq.read_table(path)
    for field in latent_tables.DESCRIBED if path.stem == "latents" else ():
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    return table.select(latent_tables.DESCRIBED.names) if path.stem == "latents" else table


def _decomposed(
    config: RunConfig,
    language_model: LanguageModel,
    stages: Stages,
    sae_id: str,
    rows: torch.Tensor,
    latents: pa.Table,
) -> Decomposed:
    """The decomposition by the first seed, with its stability in the others."""
    folder = stages.meta_of(sae_id, config)
    meta_sae_id = config.meta_ids[sae_id]
    metas = [Dictionary.load(folder / f"seed-{i}") for i in range(config.meta.seeds)]
    meta, decompositions = metas[0], [decompose(one, rows) for one in metas]
    shown = decompositions[0]
    others = [
        (decomposition, matched_meta_latents(meta, other, config.meta.match_cosine))
        for other, decomposition in zip(metas[1:], decompositions[1:], strict=True)
    ]
    stable = stability(shown, others, meta.n_latents)
    latents = meta_tables.with_decomposition(latents, shown)
    meta_latents = meta_tables.meta_latent_table(
        meta_sae_id, meta, shown, latents, language_model, config.latents, config.seed
    )
    components = meta_tables.component_table(meta_sae_id, shown, stable)
    return Decomposed(meta_sae_id, meta, shown, stable, latents, meta_latents, components)


def _meta_figures(
    config: RunConfig, stages: Stages, decomposed: dict[str, Decomposed]
) -> list[dict[str, Any]]:
    found = []
    for sae_id, one in decomposed.items():
        if sae_id in config.applied_ids:
            found += applied_figures(stages, sae_id)
        else:
            folder = stages.meta_of(sae_id, config)
            found += measurements.meta_rows(one.meta_sae_id, folder, config.meta.seeds)
        found += measurements.decomposition_rows(one.meta_sae_id, one.shown, one.stability)
    return found


def _direction_rows(saes: dict[str, Dictionary], decomposed: dict[str, Decomposed]) -> pa.Table:
    """Weights of every decomposed SAE and of its meta-SAE."""
    tables = [direction_table(i, saes[i]) for i in decomposed]
    tables += [
        direction_table(one.meta_sae_id, one.meta, encoder_steps=FINEST)
        for one in decomposed.values()
    ]
    return pa.concat_tables(tables)


def _context_rows(text: TokenisedText) -> pa.Table:
    columns = ("source", "title", "text", "token_starts", "token_ends")
    data = {name: [getattr(context, name) for context in text.shown] for name in columns}
    ids = range(len(text.shown))
    return pa.Table.from_pydict({"context_id": ids, **data}, schema=TABLES["contexts"].arrow)
