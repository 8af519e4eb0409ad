"""Histograms of every latent's activations as two list columns, from counts in fine bins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from precompute.counting import FINE_BINS, Scale
from precompute.passes.sums import Rows


class Histograms(NamedTuple):
    """One list a latent: edges (float32, one more than counts) and counts (int32)."""

    edges: pa.ListArray
    counts: pa.ListArray

    @staticmethod
    def of(lists: Iterable[tuple[list[float], list[int]]]) -> Histograms:
        """From edges and counts of each latent."""
        edges, counts = zip(*lists, strict=True)
        return Histograms(
            pa.array(edges, pa.list_(pa.float32())), pa.array(counts, pa.list_(pa.int32()))
        )


def histograms(
    scale: Scale, fine: Rows, latents: range, max_activation: np.ndarray, n_bins: int
) -> Histograms:
    """Edges from the threshold to each latent's maximum and counts, at most `n_bins` bins.

    Bins are whole numbers of fine bins, so the counts are exact; the last edge is the maximum. A
    latent that never fires has empty lists.

    Args:
        fine: keys latent * FINE_BINS + bin, and tokens in the bin, of `latents` only.
        max_activation: float32 [n_all_latents].
    """
    keys, tokens = fine
    owner, fine_bin = np.divmod(keys, FINE_BINS)
    owner = owner - latents.start
    used = np.zeros(len(latents), np.int64)
    used[owner] = fine_bin + 1  # keys ascend: the last one of a latent stays
    width = np.maximum(-(-used // n_bins), 1)
    n_coarse = -(-used // width)
    starts = np.concatenate([[0], np.cumsum(n_coarse)])
    counts = np.zeros(starts[-1], np.int64)
    np.add.at(counts, starts[owner] + fine_bin // width[owner], tokens)

    fires = used > 0
    edge_starts = starts + np.concatenate([[0], np.cumsum(fires)])
    of_bin = np.repeat(np.arange(len(latents)), n_coarse)
    within = np.arange(len(of_bin)) - starts[of_bin]
    begins = scale.edges[within * width[of_bin]]
    edges = np.zeros(edge_starts[-1], np.float32)
    edges[edge_starts[of_bin] + within] = begins
    last = starts[1:][fires] - 1
    # float32 rounding must not turn the last bin inside out
    edges[edge_starts[1:][fires] - 1] = np.maximum(
        max_activation[latents.start : latents.stop][fires],
        np.nextafter(begins[last], np.float32(np.inf)),
    )
    return Histograms(
        pa.ListArray.from_arrays(pa.array(edge_starts, pa.int32()), pa.array(edges)),
        pa.ListArray.from_arrays(pa.array(starts, pa.int32()), pa.array(counts, pa.int32())),
    )
