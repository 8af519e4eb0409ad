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
        if scores.device.type != "cpu":
            return torch.gt(scores, cut, out=above)
        near = torch.as_tensor(cut, dtype=scores.dtype)
        if scores.dtype != torch.bfloat16:  # numpy compares several times as fast as torch
            np.greater(scores.numpy(), near.numpy(), out=above.numpy())
        elif (near < 0).any():
            torch.gt(scores, near, out=above)
        else:
            np.greater(_bits(scores), _bits(near + 0.0), out=above.numpy())
        return above

    def found(self, scores: torch.Tensor, cut: float | torch.Tensor) -> np.ndarray:
        """Flat positions int64 of the scores `above` the cut, ascending."""
        # numpy's `nonzero` is ten times as fast as torch's
        return self.above(scores, cut).flatten().numpy().nonzero()[0]


def _bits(values: torch.Tensor) -> np.ndarray:
    """The bits of bfloat16 as whole numbers, which are in the order of the values from 0 on.

    Every negative value has a negative number, -0 too. One that is no number can be above all.
    """
    return values.view(torch.int16).numpy()
