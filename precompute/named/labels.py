"""Labels of named directions: the given names, and those of the meta-SAE that splits them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from string import punctuation
from typing import Any

from precompute.config import RunConfig
from precompute.names.files import is_complete, load_names, save_names
from precompute.names.latent_names import LatentNames
from precompute.terms import Label

Terms = list[list[dict[str, Any]]]


def searched(name: str) -> str:
    """A name as the words of the text are written."""
    return name.lower()


def with_given_names(names: LatentNames, given: list[str], words: list[str]) -> LatentNames:
    """Labels as they were given, and only those that are a word of the text said to be one."""
    known = set(words)
    labels = [
        replace(label, text=name, kind="word" if searched(name) in known else "meaning")
        for label, name in zip(names.labels, given, strict=True)
    ]
    return replace(names, labels=labels)


def given_terms(given: list[str]) -> Terms:
    """For each direction the words of its name, of equal weight: what its meta-latents share."""
    split = [[word.strip(punctuation) for word in searched(name).split()] for name in given]
    return [[{"term": word, "score": 1.0} for word in dict.fromkeys(own) if word] for own in split]


def copy_meta_labels(config: RunConfig, folder: Path) -> None:
    """Give the run's meta-SAE the labels it has, where it stands for named directions once more.

    Their test is left out: it was made on the latents that the labels are from.
    """
    main = config.meta_ids[config.decomposed_sae_id]
    for name in config.applied_ids:
        meta_id = config.meta_ids[name]
        if is_complete(folder, meta_id):
            continue
        rows = load_names(folder, main).to_pylist()
        labels = [
            Label(row["label"], row["label_source"], row["label_score"], row["label_kind"])
            for row in rows
        ]
        save_names(folder, meta_id, labels, [])
