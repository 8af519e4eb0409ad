"""The way from a smaller SAE to a larger one, latent by latent (Leask et al. 2025, section 3).

1. insert: the novel latents join, by rising maximum cosine, so the least familiar come first;
2. swap: group after group, by falling mean cosine, the smaller SAE's latents leave and the
   reconstruction latents of the larger one take their place;
3. rest: latents without a counterpart leave or join;
4. bias: the larger SAE's decoder bias replaces the smaller one's, which is used until then.

The first point is the smaller SAE, the last one the larger SAE, exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from precompute.activations import Firings
from precompute.dictionary import Dictionary
from precompute.sparse import sparse_matrix
from precompute.stitching.groups import SwapGroups

ACTIONS = ("start", "insert", "swap", "rest", "bias")
ROWS_AT_ONCE = 1 << 14


@dataclass(frozen=True)
class Schedule:
    """At which step each latent moves: `small` int64 [n_small] leaves, `large` [n_large] joins.

    `actions`: what each step does; step 0 is the start and moves nothing.
    """

    small: np.ndarray
    large: np.ndarray
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """The stitched SAE after one step. `error` float32 [n_rows, d] is x - xhat, not a copy."""

    step: int
    action: str
    n_small: int
    n_large: int
    l0: float
    mse: float
    variance_explained: float
    error: torch.Tensor


def schedule(
    is_novel: np.ndarray,
    max_cosine: np.ndarray,
    groups: SwapGroups,
    insert_points: int,
    swap_points: int,
) -> Schedule:
    """Spread the moves over about `insert_points` + `swap_points` steps of equally many latents.

    Args:
        is_novel: bool [n_large]; these are inserted, all others are swapped with their group.
        max_cosine: float [n_large], with the nearest latent of the smaller SAE.
    """
    large = np.zeros(len(is_novel), np.int64)
    novel = np.flatnonzero(is_novel)
    by_cosine = novel[np.argsort(max_cosine[novel], kind="stable")]
    actions = ["start"]
    for part in np.array_split(by_cosine, max(1, min(insert_points, len(novel)))):
        if len(part) == 0:
            break
        large[part] = len(actions)
        actions.append("insert")
    n_paired = int(np.isfinite(groups.mean_cosine).sum())
    sizes = np.bincount(groups.small, minlength=groups.n_groups)
    sizes += np.bincount(groups.large[~is_novel], minlength=groups.n_groups)
    moved = np.cumsum(sizes[:n_paired])
    step_of_group = np.empty(groups.n_groups, np.int64)
    if n_paired:
        n_steps = min(swap_points, n_paired)
        # equal numbers of latents a step; maximum, because the first group may move none
        part = np.maximum(moved - 1, 0) * n_steps // max(int(moved[-1]), 1)
        used, part = np.unique(part, return_inverse=True)
        step_of_group[:n_paired] = len(actions) + part
        actions += ["swap"] * len(used)
    if n_paired < groups.n_groups:
        step_of_group[n_paired:] = len(actions)
        actions.append("rest")
    large[~is_novel] = step_of_group[groups.large[~is_novel]]
    return Schedule(step_of_group[groups.small], large, (*actions, "bias"))


@torch.no_grad()
def interpolation(
    x: torch.Tensor,
    small: Dictionary,
    large: Dictionary,
    firings: tuple[Firings, Firings],
    plan: Schedule,
) -> Iterator[Point]:
    """Walk the schedule and measure the stitched SAE at each step, on rows x float32 [n_rows, d].

    Args:
        firings: every firing of the smaller and of the larger SAE on these rows, by row.
    """
    total = squared_sum(x, x.mean(0, dtype=torch.float64))
    error = x - small.b_dec
    add_to_error(error, small, firings[0], np.ones(len(firings[0].rows), bool), -1.0)
    n_active = len(firings[0].rows)
    leaving, joining = plan.small[firings[0].latents], plan.large[firings[1].latents]
    for step, action in enumerate(plan.actions):
        if step:
            leave, join = leaving == step, joining == step
            add_to_error(error, small, firings[0], leave, 1.0)
            add_to_error(error, large, firings[1], join, -1.0)
            n_active += int(join.sum()) - int(leave.sum())
        if action == "bias":
            error += small.b_dec - large.b_dec
        squared = squared_sum(error)
        yield Point(
            step=step,
            action=action,
            n_small=int((plan.small > step).sum()),
            n_large=int((plan.large <= step).sum()),
            l0=n_active / len(x),
            mse=squared / error.numel(),
            variance_explained=1.0 - squared / total,
            error=error,
        )


def squared_sum(rows: torch.Tensor, mean: torch.Tensor | None = None) -> float:
    """Sum of squares of rows [n, d], less their mean [d] if given, in float64 block by block."""
    blocks = (block.double() for block in rows.split(ROWS_AT_ONCE))
    return float(sum((b if mean is None else b - mean).pow(2).sum() for b in blocks))


def add_to_error(
    error: torch.Tensor, sae: Dictionary, firing: Firings, chosen: np.ndarray, sign: float
) -> None:
    """Add sign x activation x decoder row of each chosen firing to `error`, in place."""
    row, latent = firing.rows[chosen], firing.latents[chosen]
    acts = firing.activations[chosen] * np.float32(sign)
    ends = np.searchsorted(row, np.arange(0, len(error) + ROWS_AT_ONCE, ROWS_AT_ONCE))
    for number, (first, last) in enumerate(pairwise(ends)):
        begin = number * ROWS_AT_ONCE
        block = error[begin : begin + ROWS_AT_ONCE]
        if first < last:
            active = sparse_matrix(
                torch.from_numpy(row[first:last] - begin),
                torch.from_numpy(latent[first:last]),
                torch.from_numpy(acts[first:last]),
                (len(block), sae.n_latents),
            )
            block += active @ sae.W_dec
