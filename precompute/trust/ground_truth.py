"""Decompositions against facts: which methods separate latents by what their entities are.

Sparse codes are compared with sparse ones, and dense scores, which rank every latent, with dense
ones: names that end in `EVERY` score every part of a dictionary, the others the few parts that
the method gave a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from precompute.config import RunConfig
from precompute.decomposition import decompose
from precompute.dictionary import Dictionary, exact_threshold
from precompute.meta_suite import CONTROLS
from precompute.stages import Stages
from precompute.trust.attributes import (
    ALL,
    attribute_probes,
    attribute_recovery,
    attribute_rows,
    mean_over_values,
)
from precompute.trust.entity_latents import EntityLatents, best_words, entity_latents
from precompute.trust.explained import explained_components, explained_rows
from precompute.trust.methods import Method

META = "meta-SAE"
EVERY = ", every part"
NULL_NAMES = dict(zip(CONTROLS, ("isotropic null", "covariance null"), strict=True))
STRICT_PRECISION = 0.5
STRICT = f"{ALL}, precision {STRICT_PRECISION:g}"


def ground_truth(
    config: RunConfig, stages: Stages, rows: torch.Tensor, methods: list[Method]
) -> list[dict[str, Any]]:
    """Rows of `measurements`: attribute recovery and explained components.

    Args:
        rows: decoder rows [n, d] of the decomposed SAE.
        methods: other methods than the meta-SAE, scored like it.
    """
    sae_id = config.decomposed_sae_id
    columns = ["sae_id", "latent", "top_terms"]
    latents = pq.read_table(stages.tables / sae_id / "latents.parquet", columns=columns)
    shown = Dictionary.load(stages.meta / "seed-0")
    entities = entity_latents(latents, sae_id)
    probes = attribute_probes(entities, config.seed)
    own = rows[torch.from_numpy(entities.latent)]
    scores = _scores(config, stages, rows, own, shown, methods)
    results = {name: attribute_recovery(score, probes) for name, score in scores.items()}
    dealt = attribute_probes(entities.shuffled(config.seed), config.seed)
    figures = attribute_rows(results, META, attribute_recovery(scores[META], dealt))
    figures += _strict(config, latents, rows, stages, shown, methods)
    decomposition, words = decompose(shown, rows), best_words(latents, sae_id)
    found, shuffled = (
        explained_components(decomposition, shown.n_latents, words, one)
        for one in (entities, entities.shuffled(config.seed))
    )
    figures += explained_rows(config.meta_sae_id, found, shuffled)
    return [figure for figure in figures if figure["n"]]  # a small text has few known words


def _strict(
    config: RunConfig,
    latents: Any,
    rows: torch.Tensor,
    stages: Stages,
    shown: Dictionary,
    methods: list[Method],
) -> list[dict[str, Any]]:
    """The same for latents that fire on their entity more often than on all other words.

    Far fewer: firings however weak count in a precision, and a name's latent fires weakly on
    other names.
    """
    entities: EntityLatents = entity_latents(
        latents, config.decomposed_sae_id, min_score=0.0, min_precision=STRICT_PRECISION
    )
    probes = attribute_probes(entities, config.seed)
    own = rows[torch.from_numpy(entities.latent)]
    found = []
    for name, score in _scores(config, stages, rows, own, shown, methods).items():
        mean = mean_over_values(attribute_recovery(score, probes).auroc)
        low, high = mean.interval or (None, None)
        found.append(
            {
                "experiment": "attributes",
                "subject": name,
                "setting": STRICT,
                "metric": "auroc",
                "value": mean.value,
                "ci_low": low,
                "ci_high": high,
                "n": mean.n,
            }
        )
    return found


@torch.no_grad()
def _scores(
    config: RunConfig,
    stages: Stages,
    rows: torch.Tensor,
    own: torch.Tensor,
    shown: Dictionary,
    methods: list[Method],
) -> dict[str, np.ndarray]:
    """float32 [n_entities, n_parts] of every method; `own` are the entities' decoder rows."""
    scores = {META: shown.encode(own).numpy()}
    for name, title in NULL_NAMES.items():
        null = Dictionary.load(stages.meta / name)
        null = null.with_threshold(exact_threshold(null, rows, config.meta.k))
        scores[title] = null.encode(own).numpy()
    for method in methods:
        code = method.code(own)
        dense = torch.zeros(len(own), len(method.directions))
        dense[code.row, code.part] = code.weight
        scores[method.name] = dense.numpy()
    scores[META + EVERY] = shown.scores(own).numpy()
    for method in methods:
        if method.k:  # the unit directions of a pursuit; a cluster is one or it is not
            scores[method.name.removeprefix("pursuit on ") + EVERY] = (
                (own - method.bias) @ method.directions.t()
            ).numpy()
    return scores
