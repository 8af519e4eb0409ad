"""A published SAE beside the trained ones: in our form, measured on the run's own rows."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np

from precompute.config import PublishedConfig
from precompute.dictionary import fidelity
from precompute.published.conversion import load_published
from precompute.published.refusals import check_rows, check_sparse
from precompute.published.section import PublishedSae

log = logging.getLogger(__name__)

FIDELITY_ROWS = 200_000
SPARSITY_ROWS = 64  # what fires on these fits in memory, however dense it is
SPLITS = ("train", "heldout")
UNLIKELY_VARIANCE = 0.0  # worse than the mean row: these are not the activations it was trained on


def import_published(
    config: PublishedConfig, published: PublishedSae, activations: Path, folder: Path
) -> None:
    """Save one published SAE in `folder`, with its figures on both splits.

    Raises:
        ConfigError: it reads rows of another length.
    """
    if (folder / "figures.json").exists():
        return
    splits = {name: np.load(activations / f"{name}.npy", mmap_mode="r") for name in SPLITS}
    d_in = splits["train"].shape[1]
    check_rows(published.place, published.d_in, d_in)
    sae = load_published(config, published)
    check_sparse(published.place, sae, splits["train"][:SPARSITY_ROWS])
    figures: dict[str, Any] = {"architecture": published.architecture}
    for split, rows in splits.items():
        measured = fidelity(sae, rows[:FIDELITY_ROWS])
        figures[split] = {
            "variance_explained": measured.variance_explained,
            "l0": measured.l0,
            "n": measured.n_rows,
        }
    sae.save(folder, {"release": published.release, "sae_id": published.id})
    temporary = folder / "figures.tmp"
    temporary.write_text(json.dumps(figures, indent=2, sort_keys=True))
    temporary.replace(folder / "figures.json")
    found = figures["heldout"]
    log.info("%s: %s", published.id, found)
    if found["variance_explained"] < UNLIKELY_VARIANCE:
        log.warning(
            "%s explains %.2f of the variance, less than nothing: compare with the figures that "
            "its authors give. Often model.centred, model.prepend_bos or the place is not theirs",
            published.place,
            found["variance_explained"],
        )
