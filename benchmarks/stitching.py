"""What stitching a pair of SAEs costs beside encoding the same tokens with both.

    python -m benchmarks.stitching [--small 12288] [--large 24576] [--tokens 200000] [--d-in 384]

Baseline: encode the tokens with both SAEs, twice, in float32 and all entries above the threshold.
Stitching is the pass over the tokens (both encodes, residuals, dMSE of every latent, joint
firing), the bootstrap, the nearest latents and the swap groups. The curve is not part of it: it is
many stitched SAEs, not one comparison. Rows are synthetic, 20 latents fire on a token. Both
take turns; the ratio is of medians, with an interval over rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time

import numpy as np
import torch

from benchmarks.topk import DISTINCT_BLOCKS, synthetic
from benchmarks.turns import machine, ratio, take_turns
from precompute.activations import firings
from precompute.dictionary import Dictionary, exact_threshold
from precompute.stitching.delta import delta_mse, pass_sums
from precompute.stitching.groups import similar_pairs, swap_groups
from precompute.stitching.splitting import parents

N_ACTIVE = 20
BLOCKS = 128
RESAMPLES = 1000
ROWS_MADE = 4096


def encode_seconds(suite: dict[str, Dictionary], rows: np.ndarray) -> float:
    """Seconds to encode all rows once with every SAE."""
    started = time.perf_counter()
    for sae in suite.values():
        for _ in firings(sae, rows, bfloat16=False, title=""):
            pass
    return time.perf_counter() - started


def stitch_seconds(suite: dict[str, Dictionary], rows: np.ndarray) -> float:
    """Seconds to compare the pair from nothing."""
    started = time.perf_counter()
    small, large = suite["small"], suite["large"]
    blocks = np.linspace(0, len(rows), BLOCKS + 1).round().astype(np.int64)
    pair = ("small", "large")
    nearest, _ = parents(large.W_dec, small.W_dec)
    sums = pass_sums(suite, {pair: nearest}, rows, blocks, "")
    delta_mse(sums, pair, rows.shape[1], RESAMPLES, 0)
    edges = similar_pairs(small.W_dec, large.W_dec, 0.7)
    swap_groups(edges, small.n_latents, large.n_latents, 64)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=12288)
    parser.add_argument("--large", type=int, default=24576)
    parser.add_argument("--tokens", type=int, default=200_000)
    parser.add_argument("--d-in", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    large, made = synthetic(options.large, options.d_in, DISTINCT_BLOCKS * ROWS_MADE)
    large = large.with_threshold(exact_threshold(large, made[:ROWS_MADE], N_ACTIVE))
    # the smaller SAE knows every other latent of the larger one
    small = Dictionary(
        large.W_enc[:, :: options.large // options.small].contiguous(),
        large.b_enc[:: options.large // options.small],
        large.W_dec[:: options.large // options.small].contiguous(),
        large.b_dec,
        0.0,
    )
    small = small.with_threshold(exact_threshold(small, made[:ROWS_MADE], N_ACTIVE))
    repeats = -(-options.tokens // len(made))
    rows = made.repeat(repeats, 1)[: options.tokens].numpy()
    suite = {"small": small, "large": large}
    torch.set_grad_enabled(False)
    with contextlib.redirect_stderr(io.StringIO()):  # no progress bars
        took = take_turns(
            {
                "encode": lambda _: 2 * encode_seconds(suite, rows),
                "stitch": lambda _: stitch_seconds(suite, rows),
            },
            options.rounds,
        )
    encode, stitch = took["encode"], took["stitch"]
    print(f"{machine()}; {options.rounds} rounds")
    print("small  large  tokens  encode both twice s  stitch s  stitch / baseline [95 %]")
    print(
        f"{options.small:5d}  {options.large:5d}  {options.tokens:6d}  {np.median(encode):19.1f}"
        f"  {np.median(stitch):8.1f}  {ratio(stitch, encode)}"
    )


if __name__ == "__main__":
    main()
