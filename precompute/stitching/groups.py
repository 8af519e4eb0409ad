"""Which latents of two SAEs must be swapped together.

A reconstruction latent replaces its counterparts: adding it beside them would count twice. The
latents of both SAEs are joined by an edge where their decoder cosine reaches `min_cosine`, and a
connected component is one swap group. A component of more than `giant` latents would be one
step of the interpolation that changes everything, so it is split into stars: each latent of the
larger SAE stays with its nearest latent of the smaller one only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from precompute.geometry import COARSE_ERROR, TILE_KEYS
from precompute.room import Room
from precompute.sparse import entry_dots

ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class SwapGroups:
    """Every latent of both SAEs in one group; groups are numbered by falling mean cosine.

    `small`, `large` int32: the group of each latent. `mean_cosine` float64 [n_groups]: over the
    edges inside the group, NaN for a latent without a counterpart. `is_split` bool [n_groups]: the
    group is a star cut from a giant component. `giants`: latents of each giant component.
    """

    small: np.ndarray
    large: np.ndarray
    mean_cosine: np.ndarray
    is_split: np.ndarray
    giants: tuple[int, ...]

    @property
    def n_groups(self) -> int:
        return len(self.mean_cosine)


@dataclass(frozen=True)
class Edges:
    """Pairs of latents whose decoder rows have a cosine of at least some minimum."""

    small: np.ndarray  # int64 [n_edges]
    large: np.ndarray  # int64 [n_edges]
    cosine: np.ndarray  # float32 [n_edges]


def similar_pairs(small: torch.Tensor, large: torch.Tensor, min_cosine: float) -> Edges:
    """All pairs of unit rows, `small` [n_small, d] and `large` [n_large, d], at that cosine.

    A product in bfloat16 leaves the pairs that can be similar; float32 decides.

    Returns:
        Ordered by latent of `large`, then of `small`.
    """
    coarse = small.bfloat16()
    least = coarse.new_tensor(min_cosine - COARSE_ERROR)
    below = torch.nextafter(least, torch.full_like(least, -torch.inf))
    room = Room(coarse, ROWS_AT_ONCE * min(TILE_KEYS, len(small)))
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for start in range(0, len(large), ROWS_AT_ONCE):
        rows = large[start : start + ROWS_AT_ONCE]
        rounded = rows.bfloat16()
        near = []
        for first in range(0, len(small), TILE_KEYS):
            product = room.product(rounded, coarse[first : first + TILE_KEYS].t())
            row, column = np.divmod(room.found(product, below), product.shape[1])
            near.append((row, column + first))
        row, column = map(np.concatenate, zip(*near, strict=True))
        order = np.lexsort((column, row))
        row, column = row[order], column[order]
        cosine = entry_dots(rows, small, torch.from_numpy(row), torch.from_numpy(column)).numpy()
        good = cosine >= min_cosine
        found.append((column[good], row[good] + start, cosine[good]))
    return Edges(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def swap_groups(edges: Edges, n_small: int, n_large: int, giant: int) -> SwapGroups:
    """The groups of all latents, giant components split; see the module docstring."""
    component = _components(edges.small, edges.large, n_small, n_large)
    size = np.bincount(component)
    is_giant = (size > giant)[component[n_small + edges.large]]
    # edges in order of cosine: the last one written for a latent is its best
    order = np.argsort(edges.cosine, kind="stable")
    best = np.full(n_large, -1, np.int64)
    best[edges.large[order]] = order
    is_best = np.zeros(len(edges.cosine), bool)
    is_best[best[best >= 0]] = True
    kept = ~is_giant | is_best
    group = _components(edges.small[kept], edges.large[kept], n_small, n_large)
    n_groups = int(group.max(initial=-1)) + 1
    of_edge = group[n_small + edges.large[kept]]
    n_edges = np.bincount(of_edge, minlength=n_groups)
    total = np.bincount(of_edge, edges.cosine[kept], minlength=n_groups)
    mean = np.where(n_edges > 0, total / np.maximum(n_edges, 1), np.nan)
    is_split = np.zeros(n_groups, bool)
    is_split[group] = (size > giant)[component]
    rank = np.empty(n_groups, np.int32)
    rank[np.argsort(-mean, kind="stable")] = np.arange(n_groups)  # NaN sorts last
    numbered = rank[group]
    by_rank = np.argsort(rank)
    return SwapGroups(
        small=numbered[:n_small],
        large=numbered[n_small:],
        mean_cosine=mean[by_rank],
        is_split=is_split[by_rank],
        giants=tuple(sorted((int(n) for n in size[size > giant]), reverse=True)),
    )


def _components(small: np.ndarray, large: np.ndarray, n_small: int, n_large: int) -> np.ndarray:
    """Component number of every node; the larger SAE's latents come after the smaller one's."""
    n = n_small + n_large
    graph = coo_matrix((np.ones(len(small), np.int8), (small, n_small + large)), shape=(n, n))
    return connected_components(graph, directed=False)[1]
