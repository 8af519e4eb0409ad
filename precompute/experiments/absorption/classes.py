"""Classes of words, from the tables of facts: what a name names, and its kind within that."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from precompute.corpus.tables import FACTS_FOLDER, read_table
from precompute.experiments.absorption.section import AbsorptionConfig
from precompute.experiments.absorption.words import (
    WordActivations,
    placed,
    read_at,
    split_alike,
)
from precompute.experiments.bench import Bench

TABLES: Mapping[str, tuple[str, str, str]] = {
    "animal": ("animals", "name", "group"),
    "city": ("cities", "name", "continent"),
    "country": ("countries", "name", "continent"),
    "element": ("elements", "name", "group"),
    "food": ("foods", "name", "kind"),
    "instrument": ("instruments", "name", "family"),
    "language": ("languages", "name", "family"),
    "occupation": ("occupations", "name", "industry"),
    "sport": ("sports", "name", "kind"),
    "tool": ("tools", "name", "trade"),
    "verb": ("verbs", "base", "form"),
}
"""Each class with its table, the column of names, and that of sub-classes. People are left out:
their names tell what they are by their form."""


@dataclass(frozen=True)
class Classed:
    """Words with their classes, read at each word's last token."""

    held: WordActivations
    sub_classes: np.ndarray
    """Of each word, within its class."""


def names_by_class(most: int, seed: int) -> list[tuple[str, str, str]]:
    """Names with class and sub-class, up to `most` of a class; those in two classes are left out.

    Raises:
        CorpusError: a table breaks its format.
    """
    found = []
    for label, (table, name, sub) in TABLES.items():
        rows = read_table(FACTS_FOLDER / f"{table}.tsv")
        found.append([(str(row[name]), label, str(row[sub])) for row in rows])
    count = Counter(name.lower() for rows in found for name, _, _ in rows)
    chosen = []
    for rows in found:
        clear = [row for row in rows if count[row[0].lower()] == 1]
        chosen += random.Random(seed).sample(clear, min(most, len(clear)))
    return chosen


def classed(bench: Bench, settings: AbsorptionConfig) -> Classed:
    """Activations at the words of all classes. Words of several tokens are read at the last one.

    Only there has a causal model seen the whole word; an encoder sees it everywhere.
    """
    seed, tokenizer = bench.config.seed, bench.language_model.tokenizer
    words, labels, subs = [], [], []
    for name, label, sub in names_by_class(settings.words_per_class, seed):
        word = placed(tokenizer, settings.class_prompt, name)
        if word is not None:
            words.append(word)
            labels.append(label)
            subs.append(sub)
    model = bench.spliced([word.ids for word in words])
    positions = np.array([word.position for word in words], np.int64)
    x = read_at(model, model.rows(), positions, np.arange(len(words)))
    given = np.array(labels)
    is_test = split_alike(given, settings.test_share, seed)
    return Classed(WordActivations(tuple(words), positions, x, given, is_test), np.array(subs))
