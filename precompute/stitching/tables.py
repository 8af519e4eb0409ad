"""From the results of the stitching stage to rows: stitching, swap groups, curves, measurements."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from backend.tables.stitching import STITCH_CURVE, STITCHING, SWAP_GROUPS
from precompute.config import RunConfig
from precompute.decomposition import Decomposition
from precompute.dictionary import Dictionary
from precompute.latent_tables import as_table
from precompute.measurements import INTERVAL, row
from precompute.stitching.files import PairResult, load_nearest, load_pair
from precompute.stitching.splitting import ancestors, recovery
from precompute.stitching.stage import MERGED_NAME

Measurements = list[dict[str, Any]]


def load_results(config: RunConfig, folder: Path) -> list[PairResult]:
    """Every pair's result, in the order of `config.pairs`."""
    nearest = load_nearest(folder, config.pairs) or {}
    return [load_pair(folder, pair, nearest[pair]) for pair in config.pairs]


def stitching_tables(config: RunConfig, results: list[PairResult]) -> dict[str, pa.Table]:
    """The three tables of the contract, unsorted."""
    with_curve = [result for result in results if result.pair in config.curve_pairs]
    curves = [
        {"small_sae_id": result.pair[0], "large_sae_id": result.pair[1], **point}
        for result in with_curve
        for point in result.summary["curve"]
    ]
    return {
        "stitching": _concatenated(STITCHING.arrow, [_latent_rows(r) for r in results]),
        "swap_groups": _concatenated(SWAP_GROUPS.arrow, [_group_rows(r) for r in with_curve]),
        "stitch_curve": pa.Table.from_pylist(curves, schema=STITCH_CURVE.arrow),
    }


def pair_measurements(results: list[PairResult]) -> Measurements:
    """Share of novel latents, the decoder as a predictor, giant groups, what splices do at most."""
    rows: Measurements = []
    for result in results:
        subject = f"{result.pair[0]} to {result.pair[1]}"
        seen = result.delta.fired > 0
        n, novel = int(seen.sum()), result.delta.is_novel[seen]
        share = float(novel.mean()) if n else 0.0
        half = INTERVAL * float(np.sqrt(share * (1 - share) / max(n, 1)))
        clear = (result.delta.ci_low > 0) | (result.delta.ci_high < 0)
        clear_share = float(clear[seen].mean()) if n else 0.0
        tokens = result.summary["tokens"]
        rows += [
            row("stitching", subject, "latents that fired", "novel_share", share, n, half),
            row("stitching", subject, "latents that fired", "sign_clear", clear_share, n),
            row("stitching", subject, "all latents", "silent_share", 1 - seen.mean(), len(seen)),
            row("stitching", subject, "held-out", "tokens", tokens, tokens),
        ]
        found = result.summary["predictor"]
        if found is not None:
            auc, width = found["auc"], found["auc_half_width"]
            setting = "max cosine as predictor"
            rows.append(row("stitching", subject, setting, "auc", auc, n, width))
            for metric in ("accuracy", "best_accuracy", "best_cut", "majority"):
                rows.append(row("stitching", subject, setting, metric, found[metric], n))
        giants = result.groups.giants
        rows.append(
            row("stitching", subject, "swap groups", "giant_latents", sum(giants), len(giants))
        )
        for name in ("effect_own", "effect_mean"):
            if name in result.summary:
                effect = result.summary[name]
                half = (effect["ci_high"] - effect["ci_low"]) / 2
                rows.append(
                    row("stitching", subject, name, "effect", effect["value"], effect["n"], half)
                )
    return rows


def merged_measurements(folder: Path) -> Measurements:
    """The SAE merged upward, after each size."""
    rows: Measurements = []
    for step in json.loads((folder / MERGED_NAME).read_text()):
        n = step["n_latents"]
        for metric in ("n_latents", "n_joined", "l0", "variance_explained"):
            rows.append(row("merged", step["sae_id"], "held-out", metric, step[metric], n))
    return rows


def splitting_measurements(
    config: RunConfig,
    results: list[PairResult],
    directions: Callable[[str], torch.Tensor],
    meta: Dictionary,
    shown: Decomposition,
) -> Measurements:
    """How often an ancestor of a decomposed latent is among its components, and by chance.

    Args:
        directions: from an SAE's id to its decoder rows.
    """
    by_pair = {result.pair: result for result in results}
    ids = [i for i in config.sae_ids if _at_most(config, i)]
    chain = [by_pair[pair].nearest for pair in reversed(list(pairwise(ids)))]
    found = ancestors([(n.index, n.cosine) for n in chain], config.stitching.similar_cosine)
    rows: Measurements = []
    for sae_id, ancestor in zip(reversed(ids[:-1]), found, strict=True):
        linked = recovery(ancestor, directions(sae_id), meta.W_dec, shown, config.seed)
        n = len(ancestor)
        rows += [
            row("splitting", sae_id, "has an ancestor", "share", linked.n / n, n),
            row(
                "splitting", sae_id, "ancestor is a component", "share",
                linked.share, linked.n, linked.half_width,
            ),
            row("splitting", sae_id, "ancestor is a component", "chance", linked.chance, linked.n),
        ]  # fmt: skip
    return rows


def _at_most(config: RunConfig, sae_id: str) -> bool:
    return config.sae_ids.index(sae_id) <= config.sae_ids.index(config.decomposed_sae_id)


def _latent_rows(result: PairResult) -> pa.Table:
    delta, n = result.delta, len(result.delta.value)
    kind = np.where(delta.fired == 0, "silent", np.where(delta.is_novel, "novel", "reconstruction"))
    group = result.groups.large
    paired = np.isfinite(result.groups.mean_cosine)[group]
    return as_table(
        STITCHING.arrow,
        {
            "small_sae_id": pa.repeat(result.pair[0], n),
            "large_sae_id": pa.repeat(result.pair[1], n),
            "latent": np.arange(n),
            "delta_mse": delta.value,
            "ci_low": delta.ci_low,
            "ci_high": delta.ci_high,
            "fired": delta.fired,
            "kind": kind,
            "nearest_latent": result.nearest.index,
            "max_cosine": result.nearest.cosine,
            "together": result.together,
            "group": pa.array(group, mask=~paired),
        },
    )


def _group_rows(result: PairResult) -> pa.Table:
    groups = result.groups
    n = int(np.isfinite(groups.mean_cosine).sum())  # those without a counterpart come last
    members = {}
    for name, numbers in (("small_latents", groups.small), ("large_latents", groups.large)):
        order = np.argsort(numbers, kind="stable")
        ends = np.searchsorted(numbers[order], np.arange(n + 1))
        members[name] = pa.ListArray.from_arrays(
            pa.array(ends, pa.int32()), pa.array(order[: ends[-1]], pa.int32())
        )
    return as_table(
        SWAP_GROUPS.arrow,
        {
            "small_sae_id": pa.repeat(result.pair[0], n),
            "large_sae_id": pa.repeat(result.pair[1], n),
            "group": np.arange(n),
            "mean_cosine": groups.mean_cosine[:n],
            "is_split": groups.is_split[:n],
            **members,
        },
    )


def _concatenated(schema: pa.Schema, parts: list[pa.Table]) -> pa.Table:
    return pa.concat_tables([schema.empty_table(), *parts])
