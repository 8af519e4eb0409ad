"""Which latents fire on a row: the encoder of an SAE, and its rule of what counts as firing."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from precompute.sparse import candidates, strongest


@dataclass(frozen=True)
class Encoder:
    """score = x @ weights + bias; a latent fires where its score exceeds its threshold.

    Shapes: weights [d_in, n_latents], bias [n_latents], of any dtype; `threshold` one number for
    all latents (ReLU: 0, BatchTopK) or float32 [n_latents] (JumpReLU, and gated SAEs, see
    `precompute.published`); `k`, if given, keeps the k highest scores of a row that do (TopK).
    """

    weights: torch.Tensor
    bias: torch.Tensor
    threshold: float | torch.Tensor = 0.0
    k: int | None = None

    @property
    def n_latents(self) -> int:
        return len(self.bias)

    def active(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What fires on `rows` [n_rows, d_in], given in the dtype of the weights.

        Returns:
            Positions int64 [n] as row * n_latents + latent, ascending, and scores [n].
        """
        if self.k is not None:
            return strongest(rows, self.weights, self.bias, self.k, self.threshold)
        return candidates(rows, self.weights, self.bias, self.threshold)

    def to(self, dtype: torch.dtype) -> Encoder:
        """The same rule with weights of another precision; thresholds keep theirs."""
        return Encoder(self.weights.to(dtype), self.bias.to(dtype), self.threshold, self.k)


def lowest(threshold: float | torch.Tensor) -> float:
    """The lowest threshold of all latents: where histograms and intervals begin."""
    return float(threshold.min()) if isinstance(threshold, torch.Tensor) else threshold
