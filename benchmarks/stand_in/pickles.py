"""The data of a run as pickles: what the stand-in dashboard loads whole.

| file | holds |
|---|---|
| `dataset.pth` | int32 [n_contexts, longest]: token ids of every context, padded with 0 |
| `feature_stats.pth` | one dict, a Python list or dict of each latent inside; keys below |
| `feature_descriptions.json` | labels of latents and of meta-latents |
| `tokenizer.json` | ids to text, decoded when a page is shown |

The keys are those such dashboards use: highly_activating_indices {latent: [(context, position,
activation)]}, feature_to_clusters {latent: [(meta-latent, activation)]}, cluster_to_features the
other way round, feature_token_count and feature_word_count {latent: {word: count}},
top_boosted_logits and meta_feature_top_boosted_logits {latent: [(token, logit)]}.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import torch
from tokenizers import Tokenizer, models

PADDING = "[PAD]"
DATASET, STATISTICS = "dataset.pth", "feature_stats.pth"
LABELS, TOKENIZER = "feature_descriptions.json", "tokenizer.json"


def write_pickles(run: Path, folder: Path, compact: bool = False) -> tuple[str, list[int]]:
    """Write the widest decomposed SAE of a run.

    Args:
        compact: examples as one float32 tensor [n_latents, most, 3], which is kinder than the lists
            of tuples that such dashboards hold; rows beyond a latent's examples have context -1.

    Returns:
        The SAE's id and its latents that have meta-latents.
    """
    connection = duckdb.connect()
    for table in ("saes", "latents", "components", "examples", "contexts"):
        connection.execute(f"create view {table} as from read_parquet('{run / table}.parquet')")

    def rows(sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return connection.execute(sql, parameters).fetchall()

    meta, sae, n = rows(
        """
        select m.sae_id, p.sae_id, p.n_latents from saes m join saes p on p.sae_id = m.parent_sae_id
        order by p.n_latents desc limit 1
        """
    )[0]
    examples = dict(
        rows(
            """
            select latent, list(row(context_id, position, activation) order by activation desc)
            from examples where sae_id = $sae group by latent
            """,
            sae=sae,
        )
    )
    weights = rows(
        "select latent, meta_latent, activation from components where meta_sae_id = $sae", sae=meta
    )
    words = {
        latent: {term["term"]: term["count"] for term in terms}
        for latent, terms in rows("select latent, top_terms from latents where sae_id = $s", s=sae)
    }
    statistics = {
        "n_features": n,
        "highly_activating_indices": _tensor(examples, n) if compact else examples,
        "feature_to_clusters": _by_weight(weights, of=0, to=1),
        "cluster_to_features": _by_weight(weights, of=1, to=0),
        "feature_token_count": words,
        "feature_word_count": {latent: dict(counts) for latent, counts in words.items()},
        "top_boosted_logits": _promoted(rows, sae),
        "meta_feature_top_boosted_logits": _promoted(rows, meta),
    }
    torch.save(statistics, folder / STATISTICS)
    labels = {
        kind: dict(rows("select latent, label from latents where sae_id = $s", s=sae_id))
        for kind, sae_id in (("features", sae), ("meta_features", meta))
    }
    (folder / LABELS).write_text(json.dumps(labels), encoding="utf-8")
    contexts = rows("select text, token_starts, token_ends from contexts order by context_id")
    _write_dataset(contexts, folder)
    connection.close()
    return sae, sorted(statistics["feature_to_clusters"])


def _tensor(examples: dict[int, list[tuple[int, int, float]]], n: int) -> torch.Tensor:
    most = max(map(len, examples.values()))
    table = torch.full((n, most, 3), -1.0)
    for latent, own in examples.items():
        table[latent, : len(own)] = torch.tensor(own)
    return table


def _by_weight(
    weights: list[tuple[int, int, float]], of: int, to: int
) -> dict[int, list[tuple[int, float]]]:
    found: dict[int, list[tuple[int, float]]] = {}
    for row in sorted(weights, key=lambda row: -row[2]):
        found.setdefault(int(row[of]), []).append((int(row[to]), row[2]))
    return found


def _promoted(rows: Any, sae_id: str) -> dict[int, list[tuple[str, float]]]:
    return {
        latent: [(token["token"], token["logit"]) for token in promoted]
        for latent, promoted in rows(
            "select latent, promoted from latents where sae_id = $sae", sae=sae_id
        )
    }


def _write_dataset(contexts: list[tuple[str, list[int], list[int]]], folder: Path) -> None:
    vocabulary = {PADDING: 0}
    tokens = np.zeros((len(contexts), max(len(starts) for _, starts, _ in contexts)), np.int32)
    for number, (text, starts, ends) in enumerate(contexts):
        for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
            tokens[number, place] = vocabulary.setdefault(text[start:end], len(vocabulary))
    torch.save(torch.from_numpy(tokens), folder / DATASET)
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=PADDING))
    tokenizer.save(str(folder / TOKENIZER))
