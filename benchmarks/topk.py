"""What the streaming top-k costs beside the encode that it follows.

    python benchmarks/topk.py [--latents 6144 24576] [--blocks 100] [--d-in 384] [--device cpu]

Baseline: the encode of the same block (one product, all entries above the threshold), as the
examples and counts of a run need it anyway. The top-k then updates each latent's 12 strongest
tokens. Rows are synthetic with the sparsity of a trained SAE: latents differ in how often they
fire, 16 a token on average. The goal is a ratio of at most 0.25.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from dataclasses import dataclass

import numpy as np
import torch

from precompute import activations
from precompute.activations import firings
from precompute.dictionary import Dictionary, exact_threshold
from precompute.topk import StreamingTopK

K_EXAMPLES = 12
ACTIVE_A_TOKEN = 16
ATOMS_A_ROW = 8
DISTINCT_BLOCKS = 4  # each is seen again with other strengths; making rows costs more than encoding
COMMONEST_TO_RAREST = 3.0  # exponent of the latents' frequencies: a few are a thousand times rarer


@dataclass(frozen=True)
class Times:
    """Seconds over all blocks, and how many entries the encode found."""

    encode: float
    top_k: float
    entries: int


def synthetic(n_latents: int, d_in: int, n_rows: int) -> tuple[Dictionary, torch.Tensor]:
    """A dictionary of random directions, and rows that are sums of a few of them plus noise."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.nn.functional.normalize(
        torch.randn(n_latents, d_in, generator=generator), dim=1
    )
    rank = torch.rand(n_rows, ATOMS_A_ROW, generator=generator) ** COMMONEST_TO_RAREST
    chosen = (rank * n_latents).long()
    weights = torch.rand(n_rows, ATOMS_A_ROW, 1, generator=generator) + 0.5
    rows = torch.stack(
        [(weights[i] * directions[chosen[i]]).sum(0) for i in range(n_rows)]
    ) + 0.02 * torch.randn(n_rows, d_in, generator=generator)
    dictionary = Dictionary(
        directions.t().contiguous(),
        torch.zeros(n_latents),
        directions,
        torch.zeros(d_in),
        threshold=0.0,
    )
    threshold = exact_threshold(dictionary, rows[:4096], ACTIVE_A_TOKEN)
    return dictionary.with_threshold(threshold), rows


def measure(
    dictionary: Dictionary, rows: torch.Tensor, n_blocks: int, block_rows: int, bfloat16: bool
) -> Times:
    """Stream `n_blocks` blocks through encode and top-k, timing each apart."""
    activations.BLOCK_ROWS = block_rows
    keeper = StreamingTopK(dictionary.n_latents, K_EXAMPLES)
    rng = np.random.default_rng(0)
    encode = top_k = 0.0
    entries = 0
    for number in range(n_blocks):
        begin = number % DISTINCT_BLOCKS * block_rows
        strength = rng.uniform(0.95, 1.05, (block_rows, 1)).astype(np.float32)
        block = rows[begin : begin + block_rows].numpy() * strength
        started = time.perf_counter()
        ((_, found),) = firings(dictionary, block, bfloat16, title="")
        encoded = time.perf_counter()
        keeper.update(found.latents, found.activations, found.rows + number * block_rows)
        top_k += time.perf_counter() - encoded
        encode += encoded - started
        entries += len(found.latents)
    return Times(encode, top_k, entries)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latents", type=int, nargs="+", default=[6144, 24576])
    parser.add_argument("--d-in", type=int, default=384)
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--block-rows", type=int, default=4096)
    parser.add_argument("--bfloat16", action="store_true", help="encode as the counts do")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    print("latents  tokens   active/token  encode s  top-k s  top-k / encode")
    for n_latents in options.latents:
        n_rows = DISTINCT_BLOCKS * options.block_rows
        dictionary, rows = synthetic(n_latents, options.d_in, n_rows)
        dictionary = dictionary.to(torch.device(options.device))
        with contextlib.redirect_stderr(io.StringIO()):  # no progress bar a block
            times = measure(dictionary, rows, options.blocks, options.block_rows, options.bfloat16)
        tokens = options.blocks * options.block_rows
        print(
            f"{n_latents:7d}  {tokens:7d}  {times.entries / tokens:12.1f}  {times.encode:8.2f}"
            f"  {times.top_k:7.2f}  {times.top_k / times.encode:14.3f}"
        )


if __name__ == "__main__":
    main()
