"""How near the directions of one dictionary come to those of another (figure of the post).

Every pair is beside its control: as many random directions, searched in the same dictionary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from precompute.decomposition import random_directions
from precompute.geometry import nearest

BIN_WIDTH = 0.02
RANDOM = "random"


def cosine_histograms(
    directions: dict[str, torch.Tensor],
    pairs: Sequence[tuple[str, str]],
    similar_cosine: float,
    seed: int,
) -> list[dict[str, Any]]:
    """Rows of `cosine_histograms`.

    Args:
        directions: unit rows of each dictionary by id.
        pairs: (from, to); equal ids leave each direction itself out. Each adds the control of as
            many random directions as `from` has: searched in `to`, or, for equal ids, among
            themselves.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for from_id, to_id in pairs:
        queries = directions[from_id]
        random_id = f"{RANDOM}-{len(queries)}"
        random = random_directions(*queries.shape, seed=seed)
        for name, rows, target in (
            (from_id, queries, to_id),
            (random_id, random, random_id if from_id == to_id else to_id),
        ):
            if (name, target) not in found:
                keys = random if target == random_id else directions[target]
                row = _histogram(rows, keys, name == target, similar_cosine)
                found[name, target] = {"from_id": name, "to_id": target, **row}
    return list(found.values())


def _histogram(
    queries: torch.Tensor, keys: torch.Tensor, same: bool, similar_cosine: float
) -> dict[str, Any]:
    if len(keys) < 1 + same:
        return {"edges": [], "counts": [], "n": 0, "mean": 0.0, "similar_share": 0.0}
    _, cosine = nearest(queries, keys, 1, same)
    best = np.clip(cosine[:, 0], -1.0, 1.0)
    first = np.floor(best.min() / BIN_WIDTH)
    last = max(np.floor(best.max() / BIN_WIDTH) + 1, first + 1)
    edges = np.arange(first, last + 1) * BIN_WIDTH
    counts, _ = np.histogram(best, np.append(edges[:-1], np.inf))
    return {
        "edges": edges.astype(np.float32).tolist(),
        "counts": counts.tolist(),
        "n": len(best),
        "mean": float(best.mean()),
        "similar_share": float((best >= similar_cosine).mean()),
    }
