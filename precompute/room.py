"""Room for the scores of one block of a product after another, and for which are above a cut.

Each block leaves a few entries that stay. With room of its own it would leave them between holes
that the allocator does not fill: at a million latents they came to 22 GB.
"""

from __future__ import annotations

import numpy as np
import torch


class Room:
    """Scores and marks of one block, overwritten by the next."""

    def __init__(self, like: torch.Tensor, entries: int) -> None:
        """
        Args:
            like: of the device and dtype of the scores.
            entries: of the largest block.
        """
        self._scores = like.new_empty(entries)
        self._above = like.new_empty(entries, dtype=torch.bool)

    def product(
        self, inputs: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor | None = None
    ) -> torch.Tensor:
        """`inputs @ weights + bias`, [n_rows, n_latents]."""
        shape = (len(inputs), weights.shape[1])
        scores = self._scores[: shape[0] * shape[1]].view(shape)
        if bias is None:
            return torch.mm(inputs, weights, out=scores)
        return torch.addmm(bias, inputs, weights, out=scores)

    def above(self, scores: torch.Tensor, cut: float | torch.Tensor) -> torch.Tensor:
        """Whether each score of the block is above `cut`, which can be spread over it.

        Args:
            cut: a number, which is rounded to the precision of the scores as in any comparison
                with one; or a tensor of their precision.
        """
        above = self._above[: scores.numel()].view(scores.shape)
        bits = _bits_of(cut, scores)
        if bits is None:
            return torch.gt(scores, cut, out=above)
        np.greater(scores.view(torch.int16).numpy(), bits, out=above.numpy())
        return above


def _bits_of(cut: float | torch.Tensor, scores: torch.Tensor) -> np.ndarray | None:
    """Cuts as the whole numbers that their bits are, where these are in the order of the values.

    In bfloat16 they are from 0 on, and every negative value has a negative number: eight times as
    fast to compare. A score that is no number may count as above.
    """
    if scores.dtype != torch.bfloat16 or scores.device.type != "cpu":
        return None
    near = torch.as_tensor(cut, dtype=scores.dtype) + 0.0  # -0 has the bits of a negative number
    if (near < 0).any():
        return None
    return near.view(torch.int16).numpy()
