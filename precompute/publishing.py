"""From tables to a run that the app can see: files, manifest, and a swap of folders."""

from __future__ import annotations

import importlib.metadata
import logging
import shutil
from pathlib import Path
from typing import Any

from backend.manifest import CorpusRecord, Manifest, RunError, read_manifest
from backend.schema import SCHEMA_VERSION
from precompute.config import ConfigError, RunConfig
from precompute.run_model import keep_model, run_model
from precompute.sources import LanguageModel
from precompute.text import TokenisedText
from precompute.writer import sha256_of, swap_into_place, write_manifest, write_table

log = logging.getLogger(__name__)

VERSIONED_LIBRARIES = ("numpy", "pyarrow", "sae-lens", "scikit-learn", "torch", "transformers")


def publish(
    config: RunConfig,
    config_text: str,
    tables: dict[str, Any],
    language_model: LanguageModel,
    text: TokenisedText,
    final: Path,
) -> Manifest:
    """Write all tables and the manifest beside `final`, then swap the folders.

    A model that was trained with the run lies in it too (`run_model.py`).
    """
    fresh = final.with_name(f".{final.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    files = {name: write_table(fresh, name, rows) for name, rows in tables.items()}
    if config.atlas is not None:
        keep_model(Path(config.model.source), fresh)
    corpora = tuple(
        CorpusRecord(
            name=corpus.name,
            licence=corpus.licence,
            documents=text.corpus_documents[corpus.name],
            tokens=text.corpus_tokens[corpus.name],
            shown=corpus.shown,
        )
        for corpus in config.corpora
    )
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        run=config.name,
        title=config.title,
        config=config_text,
        model_id=language_model.model_id,
        model_sha256=language_model.weight_sha256,
        corpora=corpora,
        seeds={"run": config.seed, "meta_saes": config.meta.seeds},
        library_versions={name: importlib.metadata.version(name) for name in VERSIONED_LIBRARIES},
        files=files,
    )
    manifest = write_manifest(fresh, manifest)
    swap_into_place(fresh, final)
    log.info("%s is complete (content hash %s)", final, manifest.short_hash)
    return manifest


def finished_run(final: Path, config_text: str) -> Manifest | None:
    """The manifest of an intact run made from the same config, or None."""
    try:
        manifest = read_manifest(final)
    except RunError:
        return None
    intact = all(
        (final / record.path).is_file() and sha256_of(final / record.path) == record.sha256
        for record in manifest.files.values()
    )
    if not intact or manifest.config != config_text:
        return None
    try:
        run_model(final, config_text)
    except ConfigError:
        return None
    return manifest
