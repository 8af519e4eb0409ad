"""The stages: text, activations, SAEs, meta-SAEs, latents, evidence, names, stitching, trust,
experiments.

Each stage keeps its result in the work folder (`stages.py`), so a killed run goes on where it
stopped with the same result; the run's own folder appears when everything is complete.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backend.manifest import Manifest
from precompute import assembly, latent_tables, sae_parts, words
from precompute.atlas.stage import with_trained_atlas
from precompute.config import ConfigError, RunConfig
from precompute.dictionary import Dictionary
from precompute.evidence.stage import gather_evidence
from precompute.experiments.stage import make_experiments
from precompute.harvest import harvest
from precompute.initialisation import row_statistics
from precompute.meta_suite import train_meta_suite
from precompute.named.finding import are_as_made, check_place, with_found_directions
from precompute.named.stage import make_directions, split_directions
from precompute.names.stage import give_names
from precompute.passes.stage import counted_rows, drop_shards, make_shards, merged, sae_pass
from precompute.published.finding import with_found_saes
from precompute.published.refusals import check_rows
from precompute.published.stage import import_published
from precompute.publishing import finished_run, publish
from precompute.sources import LanguageModel, load_language_model
from precompute.stages import Places, Stages, check_disk, stage_folders
from precompute.stitching.stage import StitchTask, stitch
from precompute.suite import SaeTask, train_suite
from precompute.text import SPLITS, TokenisedText
from precompute.textcache import made_text, stored_text
from precompute.trust.stage import measure_trust
from precompute.workers import run_tasks

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PartsTask:
    """The tables of one SAE, for one process."""

    config: RunConfig
    sae_id: str
    stages: Stages
    memory: int
    """Bytes it may hold beside the SAE."""


def run(config: RunConfig, config_text: str, places: Places, force: bool = False) -> Manifest:
    """Make the run, or resume it, and return its manifest.

    Raises:
        ConfigError: the config asks for something that is not there.
    """
    final = places.out / config.name
    finished = None if force else finished_run(final, config_text)
    if finished and are_as_made(config, final):
        log.info("%s is complete (content hash %s)", final, finished.short_hash)
        return finished
    config = with_found_directions(with_found_saes(with_trained_atlas(config, places)))
    language_model = load_language_model(config.model)
    check_place(config, language_model.place(config.model).d_in)
    stages = stage_folders(config, language_model, places)
    if force:
        results = (stages.evidence, stages.names, stages.stitching, stages.trust)
        results += (stages.experiments,)
        for folder in (stages.saes, stages.meta, stages.tables, *results):
            shutil.rmtree(folder, ignore_errors=True)
    text = made_text(config, language_model, stages.text, places.text_folder)
    make_saes(config, language_model, text, stages, places)
    make_directions(config, stages, places.device)
    for sae_id, width in config.meta_widths.items():
        if sae_id in config.applied_ids:
            continue  # split by the meta-SAE of the suite, below
        train_meta_suite(
            stages.saes / sae_id,
            stages.meta_of(sae_id, config),
            width,
            config.meta,
            config.seed,
            str(places.device),
            places.workers,
        )
    split_directions(config, stages)
    make_parts(config, stages, places)
    gather_evidence(config, stages, str(places.device), places.workers)
    give_names(config, config.names, stages, stages.names, places.workers)
    stitch(StitchTask(config, stages, str(places.device)), text, places.workers)
    measure_trust(config, stages, str(places.device), places.workers)
    make_experiments(config, stages, str(places.device), places.workers)
    tables = assembly.run_tables(config, language_model, text, stages)
    return publish(config, config_text, tables, language_model, text, final)


def make_activations(
    config: RunConfig,
    language_model: LanguageModel,
    text: TokenisedText,
    stages: Stages,
    places: Places,
) -> None:
    """Harvest all splits.

    Raises:
        ConfigError: nothing is held out, or the disk is too small.
    """
    if len(text.splits["heldout"]) == 0:
        raise ConfigError(
            f"heldout_share = {config.heldout_share}, but every document is longer than that share "
            "of the tokens. Add documents, cut them shorter, or raise the share"
        )
    check_disk(text, language_model.place(config.model).d_in, stages.activations)
    for split in SPLITS:
        harvest(config.model, language_model, text, split, stages.activations, places.device)


def make_saes(
    config: RunConfig,
    language_model: LanguageModel,
    text: TokenisedText,
    stages: Stages,
    places: Places,
) -> None:
    """Harvest the activations, then train the suite or load the published SAEs.

    Raises:
        ConfigError: a published SAE reads rows of another length; nothing was harvested for it.
    """
    d_in = language_model.place(config.model).d_in
    for one in config.published.found if config.published is not None else ():
        check_rows(one.place, one.d_in, d_in)
    make_activations(config, language_model, text, stages, places)
    if config.published is not None:
        for published, sae_id in zip(config.published.found, config.sae_ids, strict=True):
            folder = stages.saes / sae_id
            import_published(config.published, published, stages.activations, folder)
    else:
        _train_saes(config, language_model, text, stages, places)


def make_parts(config: RunConfig, stages: Stages, places: Places) -> None:
    """Read the text with every SAE, in shards, then make the tables that concern one SAE alone."""
    waiting = []
    for sae_id in reversed(config.described_ids):
        if sae_parts.has_parts(stages, sae_id):
            drop_shards(stages, sae_id)  # a kill may have come before
        else:
            waiting.append(sae_id)
    share = make_shards(waiting, stages, config.latents, places)
    tasks = [PartsTask(config, sae_id, stages, share.memory) for sae_id in waiting]
    run_tasks(compute_parts, tasks, share.workers)


def compute_parts(task: PartsTask) -> None:
    """Compute the tables that concern one SAE alone."""
    config, stages = task.config, task.stages
    rows = counted_rows(stages.activations, config.latents)
    parts = latent_tables.sae_tables(
        task.sae_id,
        Dictionary.load(stages.saes / task.sae_id),
        merged(sae_pass(stages, task.sae_id, rows, "cpu", task.memory)),
        stored_text(stages.text),
        load_language_model(config.model),
        config.latents,
        config.seed,
    )
    if task.sae_id == config.words_id:
        parts = replace(parts, latents=words.with_names(parts.latents, stages.saes / task.sae_id))
    sae_parts.save_parts(stages, task.sae_id, parts)
    drop_shards(stages, task.sae_id)


def _train_saes(
    config: RunConfig,
    language_model: LanguageModel,
    text: TokenisedText,
    stages: Stages,
    places: Places,
) -> None:
    suite = config.trained
    missing = [i for i in config.trained_ids if not (stages.saes / i / "figures.json").exists()]
    if suite is None or not missing:
        return
    train = np.load(stages.activations / "train.npy", mmap_mode="r")
    if len(train) < suite.batch_size:
        raise ConfigError(
            f"saes.batch_size = {suite.batch_size}, but the text has {len(train)} training "
            "tokens. Add text or lower the batch size"
        )
    statistics = row_statistics(train, text.token_ids[text.row_tokens("train")])
    tasks = [
        SaeTask(
            sae_id=sae_id,
            n_latents=width,
            config=suite,
            seed=config.seed,
            activations=stages.activations,
            statistics=statistics,
            folder=Path(stages.saes / sae_id),
            device=str(places.device),
        )
        for sae_id, width in zip(config.sae_ids, suite.widths, strict=True)
    ]
    if config.words_id is not None:
        tasks.append(words.word_task(tasks[0], config.words_id, language_model))
    train_suite(tasks, places.workers)
