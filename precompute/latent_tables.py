"""From trained dictionaries to rows: latents, examples, terms, neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from backend.tables.evidence import NEIGHBOURS, TERMS
from backend.tables.saes import LATENTS
from precompute.activations import all_firings, firings
from precompute.config import LatentConfig
from precompute.counting import Counts, count_firings, histogram_of
from precompute.dictionary import Dictionary
from precompute.examples import example_rows
from precompute.geometry import map_positions, nearest, promoted_tokens
from precompute.sources import LanguageModel
from precompute.terms import Label, fires_index, label_of, promotes_index, score_terms, top_terms
from precompute.text import TokenisedText

COUNTED_SPLITS = ("train", "heldout")
MOST_ACROSS = 3  # nearest latents kept in each other SAE: what a page shows
JUDGED = ("label_kind", "label_accuracy", "label_auc", "label_tests")
# what an SAE's own stage knows of `latents`; the names stage adds the rest
DESCRIBED = pa.schema([field for field in LATENTS.arrow if field.name not in JUDGED])


@dataclass(frozen=True)
class Corpus:
    """The text and its activations by split: float16 [n_rows, d_model]."""

    text: TokenisedText
    rows: dict[str, np.ndarray]


@dataclass(frozen=True)
class SaeTables:
    """What one SAE contributes to a run."""

    latents: pa.Table
    examples: pa.Table
    terms: pa.Table
    dead_fraction: float


def sae_tables(
    sae_id: str,
    sae: Dictionary,
    corpus: Corpus,
    language_model: LanguageModel,
    config: LatentConfig,
    seed: int,
) -> SaeTables:
    """Everything about one SAE's latents but their decomposition, which comes later."""
    counts = _count(sae_id, sae, corpus, config)
    firing = all_firings(sae, corpus.rows["shown"], f"{sae_id} examples")
    # counted in bfloat16, shown in float32: a top example must not exceed the maximum
    fires = counts.count[firing.latents] > 0
    np.maximum.at(counts.max_activation, firing.latents[fires], firing.activations[fires])
    scores = score_terms(counts.words, config.min_term_count)
    terms = top_terms(scores, corpus.text.words, sae.n_latents, config.top_terms)
    histograms = [histogram_of(counts, i, config.histogram_bins) for i in range(sae.n_latents)]
    labels = [label_of(latent_terms) for latent_terms in terms]
    columns = described(sae_id, sae, labels, terms, histograms, language_model, config, seed)
    latents = as_table(
        DESCRIBED,
        {
            **columns,
            "count": counts.count,
            "tokens_seen": np.full(sae.n_latents, counts.tokens_seen),
            "mean_activation": counts.activation_sum / np.maximum(counts.count, 1),
            "max_activation": counts.max_activation,
        },
    )
    text = corpus.text
    lengths = np.diff(text.starts)[text.splits["shown"]]
    row_starts = np.concatenate([[0], np.cumsum(lengths)])
    examples = example_rows(sae_id, firing, row_starts, sae.n_latents, sae.threshold, config)
    index = fires_index(sae_id, scores, text.words, counts.words.word_total, config)
    index += promotes_index(sae_id, columns["promoted"], config)
    return SaeTables(
        latents=latents,
        examples=examples,
        terms=pa.Table.from_pylist(index, schema=TERMS.arrow),
        dead_fraction=float((counts.count == 0).mean()),
    )


def described(
    sae_id: str,
    sae: Dictionary,
    labels: list[Label],
    terms: list[list[dict[str, Any]]],
    histograms: list[tuple[list[float], list[int]]],
    language_model: LanguageModel,
    config: LatentConfig,
    seed: int,
) -> dict[str, Any]:
    """The columns of `latents` that latents and meta-latents fill alike."""
    promoted, suppressed = promoted_tokens(sae.W_dec, language_model, config.promoted_tokens)
    positions = map_positions(sae.W_dec, seed)
    return {
        "sae_id": [sae_id] * sae.n_latents,
        "latent": np.arange(sae.n_latents),
        "label": [label.text for label in labels],
        "label_source": [label.source for label in labels],
        "label_score": [label.score for label in labels],
        "histogram_edges": [edges for edges, _ in histograms],
        "histogram_counts": [bins for _, bins in histograms],
        "top_terms": terms,
        "promoted": promoted,
        "suppressed": suppressed,
        "x": positions[:, 0],
        "y": positions[:, 1],
    }


def neighbour_table(directions: dict[str, torch.Tensor], config: LatentConfig) -> pa.Table:
    """Nearest latents within each SAE and in every other one, by decoder cosine."""
    parts = []
    for sae_id, queries in directions.items():
        for other_id, keys in directions.items():
            same = sae_id == other_id
            across = min(config.neighbours_across, MOST_ACROSS)
            k = config.neighbours_within if same else across
            indices, cosines = nearest(queries, keys, k, same)
            n, width = indices.shape
            parts.append(
                as_table(
                    NEIGHBOURS.arrow,
                    {
                        "sae_id": [sae_id] * (n * width),
                        "latent": np.repeat(np.arange(n), width),
                        "other_sae_id": [other_id] * (n * width),
                        "rank": np.tile(np.arange(width), n),
                        "other_latent": indices.ravel(),
                        "cosine": cosines.ravel(),
                    },
                )
            )
    return pa.concat_tables(parts)


def _count(sae_id: str, sae: Dictionary, corpus: Corpus, config: LatentConfig) -> Counts:
    """One pass over the counted text, all of it unless the config says less."""
    pieces = []
    for split in COUNTED_SPLITS:
        tokens = corpus.text.row_tokens(split)
        limit = len(tokens)
        if config.counted_share < 1:
            limit = max(1, round(limit * config.counted_share))
        pieces.append((corpus.rows[split][:limit], tokens[:limit]))
    row_tokens = np.concatenate([tokens for _, tokens in pieces])
    blocks = (
        block
        for rows, _ in pieces
        for block in firings(sae, rows, bfloat16=True, title=f"{sae_id} counts")
    )
    return count_firings(blocks, corpus.text, row_tokens, sae.n_latents, sae.threshold)


def as_table(schema: pa.Schema, columns: dict[str, Any]) -> pa.Table:
    """Columns in schema order; the ones not given are null until a later stage fills them."""
    n = len(next(iter(columns.values())))
    arrays = []
    for field in schema:
        values = columns.get(field.name)
        if values is None:
            arrays.append(pa.nulls(n, field.type))
        elif isinstance(values, np.ndarray):
            arrays.append(pa.array(values).cast(field.type, safe=False))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)
