"""What the nearest latents of every latent cost: exact ways over the bare products of the cosines.

    python -m benchmarks.cosines [--keys 24576 262144] [--d-in 64 768] [--queries 4096] [--rounds 5]

Every way takes its turn on the same unit rows, which are shaped like decoders: sums of a few of
many directions and some noise.

- products: all cosines in bfloat16, tile by tile, and nobody looks at them;
- nearest: the 10 nearest keys of each query (`precompute/geometry.py`);
- similar: all pairs at a cosine of 0.7 or more (`precompute/stitching/groups.py`);
- full: all cosines in float32, and `torch.topk` of whole rows, as one would write it first.

`nearest` and `full` must end with the same cosines, to a millionth.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import normalize

from benchmarks.turns import machine, ratio, take_turns
from precompute.geometry import QUERY_ROWS, TILE_KEYS, nearest
from precompute.room import Room
from precompute.stitching.groups import similar_pairs

K, SIMILAR = 10, 0.7
PARTS_A_ROW, ROWS_A_PART = 3, 20
FULL_ROWS = 256  # of queries at once: a quarter of a gigabyte with 262,144 keys


def rows_like_decoders(n: int, d_in: int) -> torch.Tensor:
    """Unit rows float32 [n, d_in]."""
    generator = torch.Generator().manual_seed(0)
    parts = normalize(torch.randn(max(PARTS_A_ROW, n // ROWS_A_PART), d_in, generator=generator))
    chosen = torch.randint(len(parts), (PARTS_A_ROW, n), generator=generator)
    rows = torch.randn(n, d_in, generator=generator) * 0.3 / d_in**0.5
    for number in range(PARTS_A_ROW):
        weight = 0.3 + torch.rand(n, 1, generator=generator)
        rows += weight * parts[chosen[number]]
    return normalize(rows)


def products(queries: torch.Tensor, keys: torch.Tensor) -> None:
    """All cosines in bfloat16, by the tiles that `nearest` uses once it has a cut."""
    rounded, coarse = queries.bfloat16(), keys.bfloat16()
    room = Room(coarse, QUERY_ROWS * TILE_KEYS)
    for block in rounded.split(QUERY_ROWS):
        for tile in coarse.split(TILE_KEYS):
            room.product(block, tile.t())


def full(queries: torch.Tensor, keys: torch.Tensor) -> np.ndarray:
    """float32 [n_queries, K]: the cosines of the nearest keys."""
    return torch.cat([(q @ keys.t()).topk(K).values for q in queries.split(FULL_ROWS)]).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, nargs="+", default=[24_576, 262_144])
    parser.add_argument("--d-in", type=int, nargs="+", default=[64, 768])
    parser.add_argument("--queries", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{machine()}; {options.queries:,} queries, {options.rounds} rounds")
    print("   keys  d_in  way            s   over the bare products [95 %]")
    for d_in in options.d_in:
        for n_keys in options.keys:
            _measure(rows_like_decoders(n_keys, d_in), options.queries, options.rounds)
    print("nearest and full ended with the same cosines")


def _measure(keys: torch.Tensor, n_queries: int, rounds: int) -> None:
    queries = keys[:n_queries]
    found = nearest(queries, keys, K, same=False)[1]
    np.testing.assert_allclose(found, full(queries, keys), atol=1e-6)
    ways: dict[str, Callable[[], object]] = {
        "products": lambda: products(queries, keys),
        "nearest": lambda: nearest(queries, keys, K, same=False),
        "similar": lambda: similar_pairs(keys, queries, SIMILAR),
        "full": lambda: full(queries, keys),
    }
    times = take_turns({name: _timed(way) for name, way in ways.items()}, rounds)
    for name, seconds in times.items():
        share = "" if name == "products" else ratio(seconds, times["products"])
        head = f"{len(keys):7d}  {keys.shape[1]:4d}  {name:9}"
        print(f"{head} {np.median(seconds):7.2f}   {share}", flush=True)


def _timed(way: Callable[[], object]) -> Callable[[int], float]:
    def call(_round: int) -> float:
        started = time.perf_counter()
        way()
        return time.perf_counter() - started

    return call


if __name__ == "__main__":
    main()
