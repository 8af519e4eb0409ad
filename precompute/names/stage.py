"""The names stage: every latent and meta-latent gets a name and a test of it.

Words are embedded once, then one task an SAE names its latents and its meta-SAE's; a task leaves
the figures of each last, so a killed stage goes on with what is missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from precompute.config import RunConfig
from precompute.decomposition import decompose
from precompute.dictionary import Dictionary
from precompute.evidence.files import load_words
from precompute.named.labels import copy_meta_labels, given_terms, searched, with_given_names
from precompute.named.tables import directions_of
from precompute.names.choosing import Members
from precompute.names.embedding import embed
from precompute.names.files import is_complete, save_names
from precompute.names.latent_names import name_latents
from precompute.names.latent_test import judge_latents
from precompute.names.measured import label_rows, tested
from precompute.names.meta_names import name_meta_latents
from precompute.names.meta_test import judge_meta_latents
from precompute.names.patterns import spelling_patterns
from precompute.names.profiles import Lexicon, Terms, meanings, profiles_of, word_statistics
from precompute.names.section import NamesConfig
from precompute.stages import Stages
from precompute.textcache import stored_text
from precompute.words import NAMES_NAME
from precompute.workers import run_tasks


@dataclass(frozen=True)
class NamesTask:
    """The names of one SAE's latents and of its meta-latents, for one process."""

    config: RunConfig
    names: NamesConfig
    sae_id: str
    stages: Stages
    folder: Path


def give_names(
    config: RunConfig, names: NamesConfig, stages: Stages, folder: Path, workers: int
) -> None:
    """Name everything that has no name yet, the largest SAE first; needs tables and evidence."""
    waiting = [
        NamesTask(config, names, sae_id, stages, folder)
        for sae_id in stages.largest_first(config.described_ids)
        if not all(is_complete(folder, one) for one in named_ids(config, sae_id))
    ]
    if waiting:
        _lexicon(waiting[0])  # the embeddings are kept before the tasks share them
    run_tasks(name_sae, waiting, workers)
    copy_meta_labels(config, folder)


def named_ids(config: RunConfig, sae_id: str) -> list[str]:
    """An SAE, and its meta-SAE if it has one of its own."""
    meta = None if sae_id in config.applied_ids else config.meta_ids.get(sae_id)
    return [sae_id] if meta is None else [sae_id, meta]


def name_sae(task: NamesTask) -> None:
    """Name and test the latents of one SAE, and its meta-latents."""
    config, sae_id = task.config, task.sae_id
    lexicon = _lexicon(task)
    rows = pq.read_table(
        task.stages.tables / sae_id / "latents.parquet", columns=["latent", "top_terms"]
    )
    terms: Terms = rows.sort_by("latent")["top_terms"]
    known: list[str] | None = None
    if sae_id == config.words_id or directions_of(config, sae_id) is not None:
        known = json.loads((task.stages.saes / sae_id / NAMES_NAME).read_text(encoding="utf-8"))
    if not is_complete(task.folder, sae_id):
        _name_latents(task, lexicon, terms, known)
    if not all(is_complete(task.folder, one) for one in named_ids(config, sae_id)):
        if known is not None:  # a word stands for itself, whatever else it fires on
            terms = given_terms(known)
        _name_meta_latents(task, lexicon, terms)


def _name_latents(task: NamesTask, lexicon: Lexicon, terms: Terms, known: list[str] | None) -> None:
    settings, seed = task.names, task.config.seed
    choose, test = (
        load_words(task.stages.evidence, task.sae_id, part) for part in ("choose", "test")
    )
    patterns = spelling_patterns(lexicon.words, lexicon.pieces)
    spelt = None if known is None else [searched(name) for name in known]
    names = name_latents(choose, lexicon.words, patterns, terms, spelt)
    if known is not None and task.sae_id != task.config.words_id:
        names = with_given_names(names, known, lexicon.words)
    result = judge_latents(names, test, lexicon, settings.min_tests, settings.shuffles, seed)
    labels = tested(names.labels, result)
    figures = label_rows(task.sae_id, labels, result, settings.resamples, seed)
    save_names(task.folder, task.sae_id, labels, figures)


def _name_meta_latents(task: NamesTask, lexicon: Lexicon, terms: Terms) -> None:
    config, settings = task.config, task.names
    meta_id = config.meta_ids[task.sae_id]
    meta = Dictionary.load(task.stages.meta_of(task.sae_id, config) / "seed-0")  # the one shown
    shown = decompose(meta, Dictionary.load(task.stages.saes / task.sae_id).W_dec)
    members = Members(shown.latent, shown.meta_latent, shown.activation, len(terms), meta.n_latents)
    profiles = profiles_of(terms, config.seed)
    names, listed = name_meta_latents(members, profiles, lexicon, settings)
    own = meanings(profiles, lexicon.of(profiles.words)[1])
    result, beside = (
        judge_meta_latents(one, members, profiles, own, settings.min_tests)
        for one in (names, listed)
    )
    labels = tested([name.label for name in names], result)
    figures = label_rows(meta_id, labels, result, settings.resamples, config.seed, beside)
    save_names(task.folder, meta_id, labels, figures)


def _lexicon(task: NamesTask) -> Lexicon:
    """The words of the text, with embeddings of those that are frequent enough."""
    text = stored_text(task.stages.text)
    counts, pieces = word_statistics(text)
    rows = np.full(len(text.words), -1)
    frequent = np.flatnonzero(counts >= task.names.min_word_count)
    rows[frequent] = np.arange(len(frequent))
    vectors = embed([text.words[i] for i in frequent], task.names.embedding, task.folder)
    lexicon = Lexicon(text.words, counts, pieces, vectors, rows)
    return lexicon if vectors is not None else replace(lexicon, rows=np.full_like(rows, -1))
