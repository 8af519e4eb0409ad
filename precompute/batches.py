"""The order in which a training reads its rows: the same at every call, from any step on.

Activations are read from disk in blocks, decoder rows once an epoch, or drawn by weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch

SHUFFLE_BLOCK_ROWS = 1 << 18  # rows read and shuffled together: 200 MB at d = 384


class Batches(Protocol):
    """Rows [batch, d_in] float32 from a given step on, for ever, the same at every call."""

    def __call__(self, start_step: int) -> Iterator[torch.Tensor]: ...


def activation_batches(rows: np.ndarray, scale: float, batch_size: int, seed: int) -> Batches:
    """Batches from rows on disk: blocks in random order, rows shuffled within a block."""
    block_rows = max(batch_size, SHUFFLE_BLOCK_ROWS // batch_size * batch_size)
    starts = list(range(0, len(rows) - batch_size + 1, block_rows))

    def generate(start_step: int) -> Iterator[torch.Tensor]:
        step, epoch = 0, 0
        while True:
            rng = np.random.default_rng([seed, epoch])
            for number in rng.permutation(len(starts)):
                begin = starts[number]
                size = min(block_rows, len(rows) - begin)
                n_batches = size // batch_size
                order = rng.permutation(size)[: n_batches * batch_size]
                if step + n_batches <= start_step:
                    step += n_batches
                    continue
                block = torch.from_numpy(np.array(rows[begin : begin + size]))
                for batch in torch.from_numpy(order).view(n_batches, batch_size):
                    if step >= start_step:
                        yield block[batch].float() * scale
                    step += 1
            epoch += 1

    return generate


def matrix_batches(rows: torch.Tensor, batch_size: int, seed: int) -> Batches:
    """Batches from a matrix in memory: a fresh permutation each epoch, a batch may span two."""

    def generate(start_step: int) -> Iterator[torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        waiting = torch.empty(0, dtype=torch.int64)
        step = 0
        while True:
            while len(waiting) < batch_size:
                waiting = torch.cat([waiting, torch.randperm(len(rows), generator=generator)])
            batch, waiting = waiting[:batch_size], waiting[batch_size:]
            if step >= start_step:
                yield rows[batch]
            step += 1

    return generate


def drawn_batches(rows: torch.Tensor, weights: torch.Tensor, batch_size: int, seed: int) -> Batches:
    """Batches drawn with replacement, each row in proportion to its weight [n_rows]."""

    def generate(start_step: int) -> Iterator[torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        step = 0
        while True:
            batch = torch.multinomial(weights, batch_size, replacement=True, generator=generator)
            if step >= start_step:
                yield rows[batch]
            step += 1

    return generate
