"""The evidence stage: each described SAE reads the sample once, then its rows are made.

A part of the text leaves its counts when it is done, so a killed stage goes on with the next part.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from backend.tables.evidence import TERMS
from precompute.activations import firings
from precompute.config import RunConfig
from precompute.dictionary import Dictionary
from precompute.evidence import files
from precompute.evidence.cofiring import FiringRecord, cofiring_table
from precompute.evidence.counts import PartCounts, added, count_part
from precompute.evidence.phrase_scores import phrase_scores
from precompute.evidence.phrases import Phrases, choose_phrases
from precompute.evidence.pieces import piece_names
from precompute.evidence.sample import PARTS, Sample, sample_of
from precompute.sources import load_language_model
from precompute.stages import Stages
from precompute.terms import index_rows, score_pairs
from precompute.text import TokenisedText
from precompute.textcache import stored_text
from precompute.workers import run_tasks


@dataclass(frozen=True)
class EvidenceTask:
    """The evidence of one SAE, for one process."""

    config: RunConfig
    sae_id: str
    stages: Stages
    device: str


def gather_evidence(config: RunConfig, stages: Stages, device: str, workers: int) -> None:
    """Everything that is not there yet, the largest SAE first."""
    waiting = [i for i in config.described_ids if not files.is_complete(stages.evidence, i)]
    if not waiting:
        return
    if files.load_phrases(stages.evidence) is None:
        text = stored_text(stages.text)
        samples = list(samples_of(config, text).values())
        phrases = choose_phrases(samples, text.words, config.evidence)
        files.save_phrases(stages.evidence, phrases)
        del text, samples  # or workers' memory would come on top
    waiting.sort(key=lambda sae_id: -int(sae_id.rpartition("-")[2]))
    run_tasks(describe_firings, [EvidenceTask(config, i, stages, device) for i in waiting], workers)


def samples_of(config: RunConfig, text: TokenisedText) -> dict[str, Sample]:
    """The parts `choose` and `test` of the text."""
    most = {"choose": config.evidence.sample_tokens, "test": config.evidence.test_tokens}
    return {part: sample_of(text, part, most[part]) for part in PARTS}


def describe_firings(task: EvidenceTask) -> None:
    """Count the parts, write `cofiring`, then phrases and pieces of `terms`."""
    config, sae_id, folder = task.config, task.sae_id, task.stages.evidence
    text = stored_text(task.stages.text)
    phrases = files.load_phrases(folder)
    if phrases is None:
        raise RuntimeError(f"{folder} has no phrases although its SAEs are being described")
    names = piece_names(load_language_model(config.model).tokenizer, text.words)
    is_piece = np.array([bool(name) for name in names])
    for part, sample in samples_of(config, text).items():
        if not files.counts_path(folder, sae_id, part).exists():
            _count(task, part, sample, phrases, is_piece)
    counts = added([files.load_part(folder, sae_id, part) for part in PARTS])
    rows = term_rows(config, sae_id, counts, phrases, text.words, names)
    files.save_table(folder, sae_id, "terms", rows)


def term_rows(
    config: RunConfig,
    sae_id: str,
    counts: PartCounts,
    phrases: Phrases,
    words: list[str],
    pieces: list[str],
) -> pa.Table:
    """Rows of `terms` with index `phrases` and `pieces`."""
    by_phrase = phrase_scores(
        phrases, counts.phrases, counts.words, config.evidence.min_phrase_count
    )
    total = counts.pieces.word_total
    by_piece, _ = score_pairs(
        counts.pieces,
        counts.pieces.pair_count,
        total,
        int(total.sum()),
        config.latents.min_term_count,
    )
    rows = index_rows(
        sae_id,
        "phrases",
        by_phrase,
        phrases.names(words),
        counts.phrases.total,
        config.evidence.latents_per_phrase,
    )
    rows += index_rows(sae_id, "pieces", by_piece, pieces, total, config.latents.latents_per_term)
    return pa.Table.from_pylist(rows, schema=TERMS.arrow)


def _count(
    task: EvidenceTask, part: str, sample: Sample, phrases: Phrases, is_piece: np.ndarray
) -> None:
    config, sae_id, folder = task.config, task.sae_id, task.stages.evidence
    sae = Dictionary.load(task.stages.saes / sae_id).to(torch.device(task.device))
    path: Path = task.stages.activations / f"{PARTS[part]}.npy"
    rows = np.load(path, mmap_mode="r")[: sample.n_rows]
    blocks = firings(sae, rows, bfloat16=True, title=f"{sae_id} {part}")
    if part == "choose":
        record = FiringRecord(config.evidence.cofiring_tokens)
        counts = count_part(record.watch(blocks), sample, phrases, is_piece, sae.n_latents)
        cofiring = cofiring_table(
            sae_id, record.matrix(sae.n_latents), config.evidence.cofiring_latents
        )
        files.save_table(folder, sae_id, "cofiring", cofiring)
    else:
        counts = count_part(blocks, sample, phrases, is_piece, sae.n_latents)
    files.save_part(folder, sae_id, part, counts)
