"""Named directions beside the suite: their dictionaries, and the run's meta-SAE on their rows.

Work folders are named after the suite and the settings, and hold one folder for each SAE. So that
other directions do not mean another suite, what is made of directions carries a stamp beside it,
`<name>.stamp`, and goes when the file, the share or the way of decomposing has changed.
"""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import torch

from precompute.config import RunConfig
from precompute.dictionary import fidelity
from precompute.named.applied import applied_path, apply_meta_sae
from precompute.named.dictionary import directions_dictionary
from precompute.named.finding import read_found
from precompute.named.section import DirectionsConfig
from precompute.stages import Stages
from precompute.suite import FIDELITY_ROWS
from precompute.words import NAMES_NAME
from precompute.writer import write_atomically

log = logging.getLogger(__name__)

SPLITS = ("train", "heldout")


def make_directions(config: RunConfig, stages: Stages, device: torch.device) -> None:
    """A dictionary in `stages.saes` for each section whose figures are not there.

    Raises:
        ConfigError: a file changed, or next to nothing would fire.
    """
    for section in config.directions:
        drop_outdated(config, section, stages)
        folder = stages.saes / section.name
        if (folder / "figures.json").exists():
            continue
        read = read_found(section)
        rows = {name: np.load(stages.activations / f"{name}.npy", mmap_mode="r") for name in SPLITS}
        sae = directions_dictionary(
            read.rows, rows["train"], section.firing_share, section.name, device
        )
        figures = {}
        for split in SPLITS:
            measured = fidelity(sae.to(device), rows[split][:FIDELITY_ROWS])
            figures[split] = {
                "variance_explained": measured.variance_explained,
                "l0": measured.l0,
                "n": measured.n_rows,
            }
        sae.save(folder, {"sae_id": section.name})
        names = json.dumps(read.names, ensure_ascii=False)
        _write(folder / NAMES_NAME, names)
        _write(folder / "figures.json", json.dumps(figures, indent=2, sort_keys=True))
        log.info("%s: %d directions, %s", section.name, len(read.names), figures["heldout"])


def split_directions(config: RunConfig, stages: Stages) -> None:
    """Measure the run's meta-SAE on the directions that it splits, once it is trained."""
    for section in config.directions:
        path = applied_path(stages, section.name)
        if section.decomposed_by == "run" and not path.exists():
            figures = apply_meta_sae(config, stages, section.name)
            _write(path, json.dumps(figures, indent=2))


def drop_outdated(config: RunConfig, section: DirectionsConfig, stages: Stages) -> None:
    """Remove what was made of other directions of this name, in each stage's folder."""
    name, meta_id = section.name, config.meta_ids[section.name]
    labels = [f"{one}.{ending}" for one in (name, meta_id) for ending in ("parquet", "json")]
    made: dict[Path, list[Path]] = {
        stages.saes: [stages.saes / name],
        stages.meta: [stages.directions_meta(name)],
        stages.tables: [stages.tables / name],
        stages.evidence: [stages.evidence / name],
        stages.names: [stages.names / label for label in labels],
    }
    for folder, paths in made.items():
        stamp = folder / f"{name}.stamp"
        if stamp.exists() and stamp.read_text() == section.stamp:
            continue
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
        _write(stamp, section.stamp)


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
