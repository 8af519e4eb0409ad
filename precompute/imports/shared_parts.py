"""Two decompositions of the same latents: how many components of a latent they have in common.

The Jaccard index of two sets is the size of what they share by the size of what either has. It is
given again with the latents of one side mixed, which says what chance gives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy.optimize import linear_sum_assignment

from precompute.imports.comparison import LEAST_LATENTS, Agreement

MOST_CELLS = 64_000_000  # of the table of overlaps: 8,000 meta-latents on each side
Decomposition = dict[int, set[int]]
"""The components, meta-latents by index, of each latent that has any."""


def decomposition(pairs: Iterable[tuple[int, int]]) -> Decomposition:
    """From pairs of (latent, meta-latent)."""
    found: Decomposition = defaultdict(set)
    for latent, part in pairs:
        found[latent].add(part)
    return dict(found)


def own_decomposition(run: Path, meta_sae_id: str) -> Decomposition:
    """What a meta-SAE of the run made of its parent's latents."""
    table = pq.read_table(
        run / "components.parquet",
        columns=["latent", "meta_latent"],
        filters=[("meta_sae_id", "=", meta_sae_id)],
    )
    return decomposition(
        zip(table["latent"].to_pylist(), table["meta_latent"].to_pylist(), strict=True)
    )


def same_parts(ours: Decomposition, theirs: Decomposition) -> Agreement | None:
    """Mean Jaccard index of the components of a latent, by the index of the meta-latents.

    None when fewer than `LEAST_LATENTS` latents are decomposed on both sides.
    """
    return _agreement(ours, theirs, lambda _ours, theirs: theirs)


def matched_parts(ours: Decomposition, theirs: Decomposition) -> Agreement | None:
    """The same for two meta-SAEs that have nothing in common but the latents they split.

    Each of their meta-latents is first taken for one of ours, so that as many components as
    possible fall together. None also when the dictionaries are too large for that.
    """
    sizes = [1 + max(map(max, side.values()), default=-1) for side in (ours, theirs)]
    if sizes[0] * sizes[1] > MOST_CELLS:
        return None
    return _agreement(ours, theirs, _renamed)


def _agreement(
    ours: Decomposition,
    theirs: Decomposition,
    rename: Callable[[list[set[int]], list[set[int]]], list[set[int]]],
) -> Agreement | None:
    both = sorted(ours.keys() & theirs.keys())
    if len(both) < LEAST_LATENTS:
        return None
    here, there = [ours[latent] for latent in both], [theirs[latent] for latent in both]
    mixed = [there[at] for at in np.random.default_rng(0).permutation(len(both))]
    value, chance = (_jaccard(here, rename(here, side)) for side in (there, mixed))
    return Agreement(value, chance, len(both))


def _renamed(ours: list[set[int]], theirs: list[set[int]]) -> list[set[int]]:
    """`theirs` with our indices; a meta-latent that matches none of ours gets a negative one."""
    sizes = [1 + max(map(max, side)) for side in (theirs, ours)]
    overlaps = np.zeros(sizes, np.int32)
    for there, here in zip(theirs, ours, strict=True):
        overlaps[np.ix_(sorted(there), sorted(here))] += 1
    names = -1 - np.arange(sizes[0])
    rows, columns = linear_sum_assignment(overlaps, maximize=True)
    matched = overlaps[rows, columns] > 0  # else the assignment only filled up
    names[rows[matched]] = columns[matched]
    return [{int(names[part]) for part in parts} for parts in theirs]


def _jaccard(ours: list[set[int]], theirs: list[set[int]]) -> float:
    shares = [len(a & b) / len(a | b) for a, b in zip(ours, theirs, strict=True)]
    return float(np.mean(shares))
