"""`add`: further experiments for a finished run, without the work folder it was made in.

Experiments that train SAEs of their own need the run's model and text alone. So a run whose work
folder is gone, or that somebody else made, can be given them: the result is the run that the longer
config makes, byte for byte.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from backend.manifest import Manifest
from backend.schema import TABLES
from backend.verify import verify_run
from precompute.config import ConfigError, RunConfig
from precompute.experiments.findings import load_measurements, load_tables
from precompute.experiments.section import ExperimentsConfig
from precompute.experiments.stage import ONCE, ExperimentTask, make_waiting, planned
from precompute.named.finding import with_found_directions
from precompute.pipeline import make_activations
from precompute.published.finding import with_found_saes
from precompute.run_model import run_model
from precompute.sources import LanguageModel, load_language_model
from precompute.stages import Places, Stages, stage_folders
from precompute.text import TokenisedText
from precompute.textcache import made_text
from precompute.writer import swap_into_place, write_manifest, write_table

log = logging.getLogger(__name__)

READ_ACTIVATIONS = frozenset({"resistance", "dead_latents"})
"""Of `ONCE`, those that train on the run's own activations."""


def add_experiments(config: RunConfig, config_text: str, places: Places) -> Manifest:
    """Make what the config has beyond its run, and write it into the run.

    A killed one goes on with what is missing; until everything is there the run stays as it was.

    Args:
        config_text: what the config was read from.
        places: the run lies in `places.out`, under the config's name.

    Raises:
        RunError: there is no such run, or it is damaged.
        ConfigError: the config, the model or the text is not the run's, or an experiment needs its
            SAEs.
    """
    final = places.out / config.name
    manifest = verify_run(final)
    wanted = _wanted(config_text, manifest)
    if not wanted:
        log.info("%s has all of it (content hash %s)", final, manifest.short_hash)
        return manifest
    config = config.model_copy(update={"model": run_model(final, manifest.config)})
    config = with_found_directions(with_found_saes(config))
    language_model = _same_model(config, manifest)
    stages = stage_folders(config, language_model, places)
    text = _same_text(config, manifest, language_model, stages, places)
    if wanted & READ_ACTIVATIONS:
        make_activations(config, language_model, text, stages, places)
    device = str(places.device)
    tasks = [task for task in planned(config, stages, device) if task.name in wanted]
    make_waiting(tasks, places.workers)
    _tell_of_versions(manifest)
    return _write(tasks, replace(manifest, config=config_text), final)


def _wanted(config_text: str, manifest: Manifest) -> set[str]:
    """Sections of experiments that are new or changed.

    Raises:
        ConfigError: the configs differ in more than experiments that can be added.
    """
    before, now = (tomllib.loads(text) for text in (manifest.config, config_text))
    try:
        was, wanted = (
            ExperimentsConfig(**body.pop("experiments", {})).model_dump() for body in (before, now)
        )
    except ValidationError as error:
        raise ConfigError(f"the run's own [experiments] are of another version: {error}") from error
    other = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if other:
        raise ConfigError(
            f"the run was made with another {', '.join(other)}. Only [experiments] may differ; "
            "to change the rest, make the run again with `python -m precompute run`"
        )
    changed = {name for name in wanted if wanted[name] != was[name]}
    refused = sorted(name for name in changed if name not in ONCE or wanted[name] is None)
    if refused:
        raise ConfigError(
            f"[experiments.{refused[0]}] differs from the run's, and it can only be made or taken "
            "away with the whole run: `python -m precompute run`. What can be added to a finished "
            f"run: {', '.join(ONCE)}"
        )
    return changed


def _same_model(config: RunConfig, manifest: Manifest) -> LanguageModel:
    language_model = load_language_model(config.model)
    if language_model.weight_sha256 != manifest.model_sha256:
        raise ConfigError(
            f"{config.model.source} has other weights than the run's model (SHA-256 "
            f"{language_model.weight_sha256[:12]}, not {manifest.model_sha256[:12]}). Nothing was "
            "changed; install or download the version that the run was made with"
        )
    return language_model


def _same_text(
    config: RunConfig,
    manifest: Manifest,
    language_model: LanguageModel,
    stages: Stages,
    places: Places,
) -> TokenisedText:
    text = made_text(config, language_model, stages.text, places.text_folder)
    for corpus in manifest.corpora:
        n = text.corpus_tokens.get(corpus.name)
        if n != corpus.tokens:
            raise ConfigError(
                f"the text is not the run's: {corpus.name} has {n or 0:,} tokens here and "
                f"{corpus.tokens:,} there. Give the folder of the run's text with --text"
            )
    return text


def _tell_of_versions(manifest: Manifest) -> None:
    for name, version in manifest.library_versions.items():
        here = importlib.metadata.version(name)
        if here != version:
            log.warning("the run was made with %s %s, this is from %s", name, version, here)


def _write(tasks: list[ExperimentTask], manifest: Manifest, final: Path) -> Manifest:
    """The run with these figures in place of those of the same experiments."""
    fresh = final.with_name(f".{final.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(final, fresh, copy_function=_linked)
    folders = [task.folder for task in tasks]
    figures = load_measurements(folders)
    names = {row["experiment"] for row in figures}
    as_table = pa.Table.from_pylist(figures, TABLES["measurements"].arrow)
    files = dict(manifest.files)
    for name, rows in {"measurements": as_table, **load_tables(folders)}.items():
        if "experiment" not in rows.column_names:
            continue  # of edits alone, which need the run's SAEs
        old = pq.read_table(final / files[name].path)
        is_kept = [one not in names for one in old["experiment"].to_pylist()]
        kept = old.filter(pa.array(is_kept, pa.bool_()))
        if rows.num_rows or kept.num_rows < old.num_rows:
            files[name] = write_table(fresh, name, pa.concat_tables([kept, rows]))
    manifest = write_manifest(fresh, replace(manifest, files=files))
    swap_into_place(fresh, final)
    log.info("%s is complete (content hash %s)", final, manifest.short_hash)
    return manifest


def _linked(source: str, target: str) -> None:
    """A second name of a file that stays as it is, where the disk allows that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
