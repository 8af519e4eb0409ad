"""Where a run reads and writes, and one work folder for each stage.

A stage's folder is named after everything its content depends on, so a killed run finds what it
had, and a changed config never meets stale files.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from precompute.config import ConfigError, RunConfig
from precompute.dictionary import WEIGHTS_NAME
from precompute.memory import memory_limit
from precompute.sources import LanguageModel, corpus_fingerprint
from precompute.text import SPLITS, TokenisedText

FREE_BYTES_FACTOR = 1.1  # ask for a tenth more disk than the activations need
ACTIVATION_BYTES = 2  # float16
PARTS_DONE = "dead.json"  # the last file of an SAE's tables, with its dead share


@dataclass(frozen=True)
class Places:
    """Where a run reads and writes, and what it computes on."""

    out: Path
    work: Path
    text_folder: Path
    device: torch.device
    workers: int
    engine: str = "local"
    """What makes the shards of the activation pass, one of `precompute.engines.ENGINES`."""
    max_memory: int = field(default_factory=memory_limit)
    """Bytes that the processes of the activation pass may hold together."""


@dataclass(frozen=True)
class Stages:
    """Folders of the work folder."""

    text: Path
    activations: Path
    saes: Path
    meta: Path
    tables: Path
    evidence: Path
    names: Path
    stitching: Path
    trust: Path
    experiments: Path

    def meta_of(self, sae_id: str, config: RunConfig) -> Path:
        """Folder of the meta-SAEs of one SAE: of the widest, of the words, or of directions."""
        if sae_id in (config.decomposed_sae_id, *config.applied_ids):
            return self.meta
        is_trained = sae_id in config.trained_ids
        return self.meta / sae_id if is_trained else self.directions_meta(sae_id)

    def directions_meta(self, name: str) -> Path:
        """What splits named directions; no other folder in there begins like theirs."""
        return self.meta / f"on-{name}"

    def largest_first(self, sae_ids: Iterable[str]) -> list[str]:
        """SAEs by the size of their weights, so that the longest task starts first."""
        return sorted(sae_ids, key=lambda i: -(self.saes / i / WEIGHTS_NAME).stat().st_size)


def stage_folders(config: RunConfig, language_model: LanguageModel, places: Places) -> Stages:
    """The folders of a config; nothing is made."""
    corpora = corpus_fingerprint(config.corpora, places.text_folder, config.seed)
    split = json.dumps([config.heldout_share, config.seed])
    text = config.model.fingerprint(language_model.weight_sha256, corpora, split)
    saes = config.saes.fingerprint(text)
    meta = config.meta.fingerprint(saes, config.decomposed_sae_id)
    tables = config.latents.fingerprint(saes)
    rows = json.dumps([config.latents.latents_per_term, config.latents.min_term_count])
    evidence = config.evidence.fingerprint(saes, rows)
    names = config.names.fingerprint(evidence, meta, tables)
    trust = config.trust.fingerprint(meta, tables) if config.trust is not None else "none"
    return Stages(
        text=places.work / f"text-{text}",
        activations=places.work / f"activations-{text}",
        saes=places.work / f"saes-{saes}",
        meta=places.work / f"meta-{meta}",
        tables=places.work / f"tables-{tables}",
        evidence=places.work / f"evidence-{evidence}",
        names=places.work / f"names-{names}",
        stitching=places.work / f"stitching-{config.stitching.fingerprint(saes)}",
        trust=places.work / f"trust-{trust}",
        experiments=places.work / f"experiments-{meta}",
    )


def check_disk(text: TokenisedText, d_in: int, activations: Path) -> None:
    """Refuse to start a harvest that cannot end.

    Raises:
        ConfigError: the activations do not fit on the disk of the work folder.
    """
    missing = [split for split in SPLITS if not (activations / f"{split}.npy").exists()]
    needed = sum(len(text.row_tokens(split)) for split in missing) * d_in * ACTIVATION_BYTES
    place = activations.parent
    place.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(place).free
    if needed * FREE_BYTES_FACTOR > free:
        raise ConfigError(
            f"the activations need {needed / 1e9:.1f} GB, {place} has {free / 1e9:.1f} GB free. "
            "Free some space or give another folder with --work"
        )
