"""Exact examples of each latent over the shown contexts: top, intervals and random.

At most one example a context in each group, at the token where the latent fires most strongly.
Intervals are equal widths between the threshold and the latent's maximum over the shown text,
interval 1 the highest; inside an interval, and for `random`, contexts are drawn by a fixed hash of
(latent, context), so a draw does not depend on the order of the text.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from backend.schema import EXAMPLE_GROUPS
from precompute.activations import Firings
from precompute.config import LatentConfig
from precompute.topk import StreamingTopK, rank_within

N_INTERVALS = 3
FIRINGS_AT_ONCE = 1 << 22  # about 1 GB while their examples are chosen
HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: spreads neighbouring keys


def context_maxima(firing: Firings, context_of_row: np.ndarray) -> Firings:
    """The strongest firing of each (context, latent); `rows` keeps the row, ties to the first."""
    context = context_of_row[firing.rows]
    order = np.lexsort((firing.rows, -firing.activations, firing.latents, context))
    context, latents = context[order], firing.latents[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (context[1:] != context[:-1]) | (latents[1:] != latents[:-1])
    chosen = order[is_first]
    return Firings(firing.rows[chosen], firing.latents[chosen], firing.activations[chosen])


def example_rows(
    sae_id: str,
    firing: Firings,
    row_starts: np.ndarray,
    n_latents: int,
    threshold: float,
    config: LatentConfig,
) -> pa.Table:
    """The `examples` table of one SAE.

    No latent's examples depend on another's, so they are made for some latents at a time: only the
    firings themselves and the table grow with the text.

    Args:
        firing: every firing over the shown contexts, in row order.
        row_starts: int64 [n_contexts + 1], first row of each shown context.
    """
    context_of_row = np.repeat(np.arange(len(row_starts) - 1), np.diff(row_starts))
    parts = []
    for latents in _latents_at_once(firing, n_latents):
        own = np.flatnonzero((firing.latents >= latents.start) & (firing.latents < latents.stop))
        chosen = Firings(*(column[own] for column in firing))
        parts.append(_examples_of(chosen, latents, context_of_row, row_starts, threshold, config))
    table = pa.concat_tables(parts)
    return table.add_column(0, "sae_id", pa.repeat(sae_id, table.num_rows))


def _latents_at_once(firing: Firings, n_latents: int) -> Iterator[range]:
    """Ranges of latents with `FIRINGS_AT_ONCE` firings, give or take a latent's."""
    ends = np.cumsum(np.bincount(firing.latents, minlength=n_latents))
    start = done = 0
    while start < n_latents:
        stop = max(start + 1, int(np.searchsorted(ends, done + FIRINGS_AT_ONCE, "right")))
        yield range(start, stop)
        start, done = stop, int(ends[stop - 1])


def _examples_of(
    firing: Firings,
    latents: range,
    context_of_row: np.ndarray,
    row_starts: np.ndarray,
    threshold: float,
    config: LatentConfig,
) -> pa.Table:
    """Examples of the `latents` that all of `firing` belong to."""
    best = context_maxima(firing, context_of_row)
    own, n_own, n_contexts = best.latents - latents.start, len(latents), len(row_starts) - 1
    lottery = _lottery(best.latents * n_contexts + context_of_row[best.rows])
    maximum = np.zeros(n_own, np.float32)
    np.maximum.at(maximum, own, best.activations)
    spread = np.maximum(maximum[own] - threshold, 1e-12)
    height = np.clip((best.activations - threshold) / spread, 0, 1)
    interval = np.clip(N_INTERVALS - np.ceil(height * N_INTERVALS).astype(int), 0, N_INTERVALS - 1)
    picks = [
        (0, own, best.activations, config.top_examples, n_own),
        (
            1,
            own * N_INTERVALS + interval,
            lottery,
            config.interval_examples,
            n_own * N_INTERVALS,
        ),
        (1 + N_INTERVALS, own, lottery, config.random_examples, n_own),
    ]
    groups, chosen = [], []
    for first_group, keys, priorities, k, n_keys in picks:
        keeper = StreamingTopK(n_keys, k)
        keeper.update(keys, priorities, np.arange(len(keys)))
        kept_keys, _, _, items = keeper.result()
        within = kept_keys % N_INTERVALS if n_keys > n_own else 0
        groups.append(np.full(len(items), first_group) + within)
        chosen.append(items)
    group, item = np.concatenate(groups), np.concatenate(chosen)
    order = np.lexsort((best.rows[item], -best.activations[item], group, best.latents[item]))
    group, item = group[order], item[order]
    latent = best.latents[item]
    rank = rank_within(latent * len(EXAMPLE_GROUPS) + group)
    context = context_of_row[best.rows[item]]
    positions, activations = _firings_in_context(
        firing, context_of_row, latents.stop, latent, context, row_starts
    )
    return pa.table(
        {
            "latent": pa.array(latent, pa.int32()),
            "group": pa.array(EXAMPLE_GROUPS, pa.string()).take(pa.array(group)),
            "rank": pa.array(rank, pa.int32()),
            "context_id": pa.array(context, pa.int32()),
            "position": pa.array(best.rows[item] - row_starts[context], pa.int16()),
            "activation": pa.array(best.activations[item], pa.float32()),
            "positions": positions,
            "activations": activations,
        }
    )


def _firings_in_context(
    firing: Firings,
    context_of_row: np.ndarray,
    n_latents: int,
    latent: np.ndarray,
    context: np.ndarray,
    row_starts: np.ndarray,
) -> tuple[pa.Array, pa.Array]:
    """For each (latent, context): all positions where the latent fires, and how strongly."""
    keys = context_of_row[firing.rows] * n_latents + firing.latents
    order = np.argsort(keys, kind="stable")
    keys, wanted = keys[order], context * n_latents + latent
    begin = np.searchsorted(keys, wanted, "left")
    lengths = np.searchsorted(keys, wanted, "right") - begin
    ends = np.cumsum(lengths)
    flat = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    entry = order[np.repeat(begin, lengths) + flat]
    positions = firing.rows[entry] - row_starts[context_of_row[firing.rows[entry]]]
    offsets = pa.array(np.concatenate([[0], ends]), pa.int32())
    # activations are shown with three digits: float16 steps (0.05 %) halve the file
    acts = firing.activations[entry].astype(np.float16).astype(np.float32)
    return (
        pa.ListArray.from_arrays(offsets, pa.array(positions, pa.int16())),
        pa.ListArray.from_arrays(offsets, pa.array(acts, pa.float32())),
    )


def _lottery(keys: np.ndarray) -> np.ndarray:
    """A fixed pseudo-random number in [0, 1) for each key."""
    mixed = keys.astype(np.uint64) * HASH_FACTOR
    mixed = (mixed ^ (mixed >> np.uint64(29))) * HASH_FACTOR
    return ((mixed >> np.uint64(40)).astype(np.float64) / (1 << 24)).astype(np.float32)
