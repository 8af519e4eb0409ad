"""The ordered stages: text -> activations -> SAEs -> meta-SAEs -> tables -> manifest.

Each stage keeps its result in the work folder under a name made from the config that leads to it,
so a killed run goes on where it stopped with the same result, and a changed config never meets
stale files. The run's folder is built aside and renamed into place when it is complete.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from backend.manifest import CorpusRecord, Manifest, RunError, read_manifest
from backend.schema import SCHEMA_VERSION, TABLES
from precompute import latent_tables, measurements
from precompute.config import ConfigError, RunConfig
from precompute.decomposition import Decomposition, decompose, matched_meta_latents, stability
from precompute.dictionary import Dictionary
from precompute.entities import entity_rows, judge_entities
from precompute.harvest import SPLITS, TokenisedText, harvest, tokenise
from precompute.initialisation import row_statistics
from precompute.meta_suite import train_meta_suite
from precompute.sources import LanguageModel, corpus_fingerprint, load_language_model
from precompute.suite import SaeTask, train_suite
from precompute.textcache import load_text, save_text
from precompute.workers import run_tasks
from precompute.writer import sha256_of, write_atomically, write_manifest, write_table

log = logging.getLogger(__name__)

VERSIONED_LIBRARIES = ("duckdb", "numpy", "pyarrow", "sae-lens", "torch", "transformers")
PART_TABLES = ("latents", "examples", "terms")
PARTS_DONE = "dead.json"
BYTES_FREE_SHARE = 1.1  # ask for a tenth more disk than the activations need


@dataclass(frozen=True)
class Places:
    """Where a run reads and writes, and what it computes on."""

    out: Path
    work: Path
    text_folder: Path
    device: torch.device
    workers: int


@dataclass(frozen=True)
class Stages:
    """Folders of the work folder, each named after everything its content depends on."""

    text: Path
    activations: Path
    saes: Path
    meta: Path
    tables: Path


@dataclass(frozen=True)
class PartsTask:
    """The tables of one SAE, for one process."""

    config: RunConfig
    sae_id: str
    stages: Stages


def run(config: RunConfig, config_text: str, places: Places, force: bool = False) -> Manifest:
    """Make the run, or resume it, and return its manifest.

    Raises:
        ConfigError: the config asks for something that is not there.
    """
    final = places.out / config.name
    if not force and (finished := _finished(final, config_text)):
        log.info("%s is complete (content hash %s)", final, finished.short_hash)
        return finished
    language_model = load_language_model(config.model)
    stages = _stages(config, language_model, places)
    if force:
        for folder in (stages.saes, stages.meta, stages.tables):
            shutil.rmtree(folder, ignore_errors=True)
    text = load_text(stages.text)
    if text is None:
        text = tokenise(config, language_model, places.text_folder)
        save_text(text, stages.text)
    _train_saes(config, language_model, text, stages, places)
    parent = Dictionary.load(stages.saes / config.widest_sae_id)
    train_meta_suite(
        stages.saes / config.widest_sae_id,
        stages.meta,
        config.meta_width,
        config.meta,
        config.seed,
        str(places.device),
        places.workers,
    )
    tasks = [PartsTask(config, sae_id, stages) for sae_id in reversed(config.sae_ids)]
    waiting = [task for task in tasks if not (stages.tables / task.sae_id / PARTS_DONE).exists()]
    run_tasks(compute_parts, waiting, places.workers)
    tables = _tables(config, parent, language_model, text, stages)
    return _publish(config, config_text, tables, language_model, text, final)


def _stages(config: RunConfig, language_model: LanguageModel, places: Places) -> Stages:
    weights = language_model.weight_sha256
    corpora = corpus_fingerprint(config.corpora, places.text_folder, config.seed)
    split = json.dumps([config.saes.heldout_share, config.seed])
    text = config.model.fingerprint(weights, corpora, split)
    saes = config.saes.fingerprint(text)
    meta = config.meta.fingerprint(saes)
    tables = config.latents.fingerprint(meta)
    folder = places.work
    return Stages(
        text=folder / f"text-{text}",
        activations=folder / f"activations-{text}",
        saes=folder / f"saes-{saes}",
        meta=folder / f"meta-{meta}",
        tables=folder / f"tables-{tables}",
    )


def _train_saes(
    config: RunConfig,
    language_model: LanguageModel,
    text: TokenisedText,
    stages: Stages,
    places: Places,
) -> None:
    _check_disk(text, language_model, stages.activations)
    for split in SPLITS:
        harvest(config.model, language_model, text, split, stages.activations, places.device)
    if all((stages.saes / i / "figures.json").exists() for i in config.sae_ids):
        return
    train = np.load(stages.activations / "train.npy", mmap_mode="r")
    if len(train) < config.saes.batch_size:
        raise ConfigError(
            f"saes.batch_size = {config.saes.batch_size}, but the text has {len(train)} training "
            "tokens. Add text or lower the batch size"
        )
    statistics = row_statistics(train, text.token_ids[text.row_tokens("train")])
    tasks = [
        SaeTask(
            sae_id=sae_id,
            n_latents=width,
            config=config.saes,
            seed=config.seed,
            activations=stages.activations,
            statistics=statistics,
            folder=stages.saes / sae_id,
            device=str(places.device),
        )
        for sae_id, width in zip(config.sae_ids, config.saes.widths, strict=True)
    ]
    train_suite(tasks, places.workers)


def compute_parts(task: PartsTask) -> None:
    """Compute one SAE's own tables; the dead share comes last and marks them complete."""
    config, stages = task.config, task.stages
    folder = stages.tables / task.sae_id
    text = load_text(stages.text)
    if text is None:
        raise RuntimeError(f"{stages.text} is incomplete although a later stage needs it")
    rows = {name: np.load(stages.activations / f"{name}.npy", mmap_mode="r") for name in SPLITS}
    parts = latent_tables.sae_tables(
        task.sae_id,
        Dictionary.load(stages.saes / task.sae_id),
        latent_tables.Corpus(text, rows),
        load_language_model(config.model),
        config.latents,
        config.seed,
    )
    for name in PART_TABLES:
        _save_part(folder / f"{name}.parquet", getattr(parts, name))
    note = json.dumps({"dead_fraction": parts.dead_fraction})
    write_atomically(folder / PARTS_DONE, lambda temporary: temporary.write_text(note))


def _tables(
    config: RunConfig,
    parent: Dictionary,
    language_model: LanguageModel,
    text: TokenisedText,
    stages: Stages,
) -> dict[str, Any]:
    """All tables of the run by name."""
    parts = {
        name: [pq.read_table(stages.tables / i / f"{name}.parquet") for i in config.sae_ids]
        for name in PART_TABLES
    }
    metas = [Dictionary.load(stages.meta / f"seed-{i}") for i in range(config.meta.seeds)]
    decompositions = [decompose(meta, parent.W_dec) for meta in metas]
    shown, meta = decompositions[0], metas[0]
    others = [
        (other, matched_meta_latents(meta, metas[i], config.meta.match_cosine))
        for i, other in enumerate(decompositions[1:], start=1)
    ]
    stable = stability(shown, others, meta.n_latents)
    parts["latents"][-1] = latent_tables.with_decomposition(parts["latents"][-1], shown)
    meta_latents = latent_tables.meta_tables(
        config.meta_sae_id,
        meta,
        shown,
        parts["latents"][-1],
        language_model,
        config.latents,
        config.seed,
    )
    components = latent_tables.component_table(config.meta_sae_id, shown, stable)
    directions = {i: Dictionary.load(stages.saes / i).W_dec for i in config.sae_ids}
    directions[config.meta_sae_id] = meta.W_dec
    figures = measurements.suite_rows(config.sae_ids, stages.saes)
    figures += measurements.meta_rows(config.meta_sae_id, stages.meta, config.meta.seeds)
    figures += measurements.decomposition_rows(config.meta_sae_id, shown, stable)
    latents = pa.concat_tables([*parts["latents"], meta_latents])
    terms = pa.concat_tables(parts["terms"])
    judged = judge_entities(latents, terms, components, config.widest_sae_id)
    figures += entity_rows(config.meta_sae_id, judged)
    return {
        "saes": _sae_rows(config, language_model, stages, shown),
        "latents": latents,
        "components": components,
        "members": components,
        "contexts": _context_rows(text),
        "examples": pa.concat_tables(parts["examples"]),
        "terms": terms,
        "neighbours": latent_tables.neighbour_table(directions, config.latents),
        "measurements": measurements.as_columns(figures),
    }


def _sae_rows(
    config: RunConfig, language_model: LanguageModel, stages: Stages, shown: Decomposition
) -> pa.Table:
    rows = []
    common = {
        "model_id": language_model.model_id,
        "hook_name": f"hidden_states[{config.model.layer}]",
        "architecture": "batchtopk",
        "d_in": language_model.token_directions.shape[1],
        "seed": config.seed,
        "logits_through": language_model.logits_through,
        "release": None,
        "release_sae_id": None,
        "neuronpedia_id": None,
    }
    for sae_id, width in zip(config.sae_ids, config.saes.widths, strict=True):
        figures = json.loads((stages.saes / sae_id / "figures.json").read_text())
        dead = json.loads((stages.tables / sae_id / PARTS_DONE).read_text())
        rows.append(
            common
            | {
                "sae_id": sae_id,
                "kind": "sae",
                "parent_sae_id": None,
                "n_latents": width,
                "k": config.saes.k,
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
            "parent_sae_id": config.widest_sae_id,
            "hook_name": f"decoder rows of {config.widest_sae_id}",
            "n_latents": config.meta_width,
            "k": config.meta.k,
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
    return pa.Table.from_pydict(
        {"context_id": range(len(text.shown)), **data}, schema=TABLES["contexts"].arrow
    )


def _publish(
    config: RunConfig,
    config_text: str,
    tables: dict[str, Any],
    language_model: LanguageModel,
    text: TokenisedText,
    final: Path,
) -> Manifest:
    """Write all tables and the manifest beside `final`, then swap the folders."""
    fresh = final.with_name(f".{final.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    files = {name: write_table(fresh, name, rows) for name, rows in tables.items()}
    manifest = write_manifest(
        fresh,
        Manifest(
            schema_version=SCHEMA_VERSION,
            run=config.name,
            title=config.title,
            config=config_text,
            model_id=language_model.model_id,
            model_sha256=language_model.weight_sha256,
            corpora=tuple(
                CorpusRecord(
                    name=corpus.name,
                    licence=corpus.licence,
                    documents=text.corpus_documents[corpus.name],
                    tokens=text.corpus_tokens[corpus.name],
                    shown=corpus.shown,
                )
                for corpus in config.corpora
            ),
            seeds={"saes": config.seed, "meta": config.seed, "meta_seeds": config.meta.seeds},
            library_versions={
                name: importlib.metadata.version(name) for name in VERSIONED_LIBRARIES
            },
            files=files,
        ),
    )
    swap_into_place(fresh, final)
    log.info("%s is complete (content hash %s)", final, manifest.short_hash)
    return manifest


def swap_into_place(fresh: Path, final: Path) -> None:
    """Replace the folder `final` by `fresh`; at every moment one of the two is complete."""
    old = final.with_name(f".{final.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    fresh.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def _finished(final: Path, config_text: str) -> Manifest | None:
    """The manifest of a complete run made from the same config, if its files are all there."""
    try:
        manifest = read_manifest(final)
    except RunError:
        return None
    intact = all(
        (final / record.path).is_file() and sha256_of(final / record.path) == record.sha256
        for record in manifest.files.values()
    )
    return manifest if intact and manifest.config == config_text else None


def _check_disk(text: TokenisedText, language_model: LanguageModel, folder: Path) -> None:
    d_model = language_model.token_directions.shape[1]
    needed = 0
    for split in SPLITS:
        if not (folder / f"{split}.npy").exists():
            needed += len(text.row_tokens(split)) * d_model * 2
    place = folder.parent
    place.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(place).free
    if needed * BYTES_FREE_SHARE > free:
        raise ConfigError(
            f"the activations need {needed / 1e9:.1f} GB, {place} has {free / 1e9:.1f} GB free. "
            "Free some space or give another folder with --work"
        )


def _save_part(path: Path, table: pa.Table) -> None:
    write_atomically(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))
