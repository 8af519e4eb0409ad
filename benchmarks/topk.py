"""What the exact streaming top-k costs: beside the encode it follows, and against other exact ways.

    python -m benchmarks.topk [--latents 6144 24576] [--blocks 100] [--d-in 384] [--device cpu]

Every way gets the same entries, block by block and in turn, and must end with the same values:

- encode: one product and all entries above the threshold, which the examples and counts of a run
  need anyway. The goal is a streaming top-k of at most 0.25 of it;
- loop: for each latent that fired in the block, join its best so far with the new ones and keep the
  k best (numpy, no work for the others);
- dense: join the k best of all latents with the whole [rows, latents] block, one `torch.topk`. The
  dense block is made outside the clock: this way would have it from the encode;
- full sort: keep every entry, sort once at the end. Fast while all entries fit in memory, which is
  what the last column is for: it grows with the tokens, that of the other ways does not.

Rows are synthetic with the sparsity of a trained SAE: latents differ in how often they fire, 16 a
token on average. Intervals are over blocks; there is one final sort, so it has none.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from benchmarks.topk_ways import K_EXAMPLES, DenseTopK, LatentLoop, full_sort
from benchmarks.turns import machine, ratio
from precompute import activations
from precompute.activations import Firings, firings
from precompute.dictionary import Dictionary, exact_threshold
from precompute.topk import StreamingTopK

ACTIVE_A_TOKEN = 16
ATOMS_A_ROW = 8
DISTINCT_BLOCKS = 4  # each is seen again with other strengths; making rows costs more than encoding
COMMONEST_TO_RAREST = 3.0  # exponent of the latents' frequencies: a few are a thousand times rarer
MOST_DENSE_BYTES = 4 << 30  # a dense block and its copy for the join


@dataclass
class Seconds:
    """Of each block; `final` is what the full sort takes at the end. Entries over all blocks,
    bytes held at the end by what has to wait for it."""

    encode: list[float] = field(default_factory=list)
    streaming: list[float] = field(default_factory=list)
    loop: list[float] = field(default_factory=list)
    dense: list[float] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)
    final: float = 0.0
    entries: int = 0
    bytes_streaming: int = 0
    bytes_sort: int = 0


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
) -> Seconds:
    """Stream `n_blocks` blocks through the encode and every way, timing each apart.

    Raises:
        AssertionError: two ways ended with different values, so their times mean nothing.
    """
    activations.BLOCK_ROWS = block_rows
    n, device = dictionary.n_latents, dictionary.W_dec.device
    streaming, loop = StreamingTopK(n, K_EXAMPLES), LatentLoop(n)
    is_small = 8 * block_rows * n <= MOST_DENSE_BYTES
    dense = DenseTopK(n, device) if is_small else None
    kept: list[Firings] = []
    rng = np.random.default_rng(0)
    seconds = Seconds()
    for number in range(n_blocks):
        begin = number % DISTINCT_BLOCKS * block_rows
        strength = rng.uniform(0.95, 1.05, (block_rows, 1)).astype(np.float32)
        block = rows[begin : begin + block_rows].numpy() * strength
        started = time.perf_counter()
        ((_, found),) = firings(dictionary, block, bfloat16, title="")
        seconds.encode.append(time.perf_counter() - started)
        seconds.entries += len(found.latents)
        items = found.rows + number * block_rows

        def stream(found: Firings = found, items: np.ndarray = items) -> None:
            streaming.update(found.latents, found.activations, items)

        turns = [
            (seconds.streaming, stream),
            (seconds.loop, lambda found=found: loop.update(found)),
            (seconds.kept, lambda found=found: kept.append(found)),
        ]
        if dense is not None:
            acts = torch.zeros(block_rows, n)
            acts[torch.from_numpy(found.rows), torch.from_numpy(found.latents)] = torch.from_numpy(
                found.activations
            )
            acts = acts.to(device)
            turns.append((seconds.dense, lambda acts=acts: dense.update(acts)))
        for own, update in turns if number % 2 == 0 else reversed(turns):
            own.append(_timed(update, device))
    started = time.perf_counter()
    latents = np.concatenate([part.latents for part in kept])
    sorted_values = full_sort(latents, np.concatenate([part.activations for part in kept]), n)
    seconds.final = time.perf_counter() - started
    seconds.bytes_sort = sum(sum(array.nbytes for array in part) for part in kept)
    groups, ranks, priorities, items = streaming.result()
    seconds.bytes_streaming = sum(array.nbytes for array in (groups, priorities, items))
    streamed = np.zeros((n, K_EXAMPLES), np.float32)
    streamed[groups, ranks] = priorities
    np.testing.assert_array_equal(streamed, sorted_values, "streaming and full sort differ")
    np.testing.assert_array_equal(loop.values(), sorted_values, "loop and full sort differ")
    if dense is not None:
        np.testing.assert_array_equal(dense.values(), sorted_values, "dense and full sort differ")
    return seconds


def _timed(update: Callable[[], None], device: torch.device) -> float:
    started = time.perf_counter()
    update()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latents", type=int, nargs="+", default=[6144, 24576])
    parser.add_argument("--d-in", type=int, default=384)
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--block-rows", type=int, default=4096)
    parser.add_argument("--bfloat16", action="store_true", help="encode as the counts do")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        print("no CUDA on this machine")
        return
    print(f"{machine()}; {options.device}, k = {K_EXAMPLES}, {options.blocks} blocks")
    print("latents  tokens   active/token  way              s  streaming / it [95 %]   MB held")
    for n_latents in options.latents:
        n_rows = DISTINCT_BLOCKS * options.block_rows
        dictionary, rows = synthetic(n_latents, options.d_in, n_rows)
        dictionary = dictionary.to(torch.device(options.device))
        with contextlib.redirect_stderr(io.StringIO()):  # no progress bar a block
            times = measure(dictionary, rows, options.blocks, options.block_rows, options.bfloat16)
        tokens = options.blocks * options.block_rows
        _report(f"{n_latents:7d}  {tokens:7d}  {times.entries / tokens:12.1f}", times)
    print("all ways ended with exactly the same values")


def _report(head: str, times: Seconds) -> None:
    own = np.asarray(times.streaming)
    print(f"{head}  streaming {own.sum():8.2f}  {'':21} {times.bytes_streaming / 1e6:9.1f}")
    for name, seconds in (("encode", times.encode), ("loop", times.loop), ("dense", times.dense)):
        if not seconds:
            print(f"{head}  {name:9}  too large for memory")
            continue
        share = ratio(own, np.asarray(seconds), statistic=lambda values: float(values.sum()))
        print(f"{head}  {name:9} {sum(seconds):8.2f}  {share}")
    whole = sum(times.kept) + times.final
    share = f"{own.sum() / whole:.3g}"
    print(f"{head}  full sort {whole:8.2f}  {share:21} {times.bytes_sort / 1e6:9.1f}", flush=True)


if __name__ == "__main__":
    main()
