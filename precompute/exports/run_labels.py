"""The labels that pages show: a person's before a model's before those of the run."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.edited_labels import labels_path, read_labels
from precompute.exports.run_sae import RunSae

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShownLabel:
    """A label; `source` is `person`, `model`, or the rule of `latents.label_source`."""

    text: str
    source: str
    is_of_run: bool
    """Whether it is the run's own, so that the run's scores speak of it."""


class RunLabels:
    """Labels of one SAE, those of the label file beside the run among them."""

    def __init__(self, about: RunSae) -> None:
        found = read_labels(labels_path(about.run), about.saes)
        for problem in found.problems:
            log.warning("%s: %s", found.path.name, problem)
        self._edited = {one.latent: one for one in found.labels if one.sae_id == about.sae_id}

    def of(self, row: Mapping[str, Any]) -> ShownLabel | None:
        """The label of a latent, by its row of `latents`; None when it has none."""
        edited = self._edited.get(row["latent"])
        if edited is not None:
            return ShownLabel(edited.label, edited.source, is_of_run=False)
        if not row["label"]:
            return None
        return ShownLabel(row["label"], row["label_source"], is_of_run=True)
