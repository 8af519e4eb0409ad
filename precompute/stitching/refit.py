"""The best decoder for a given set of latents, by least squares.

Stitched latents keep decoder rows that were trained beside other latents, so some of the input is
explained twice. With the activations F fixed, the decoder that minimises |x - b - F W|^2 is found
by conjugate gradients from the rows as they are, on training tokens; held-out tokens judge it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from precompute.activations import Firings
from precompute.sparse import sparse_matrix
from precompute.stitching.curve import squared_sum

ENTRIES_AT_ONCE = 1 << 27  # of the decoder: 512 MB, held seven times
RIDGE = 1e-4  # pull to the rows as they are, as a share of the mean squared column of F


@dataclass(frozen=True)
class ActiveMatrix:
    """Activations F as a sparse matrix [n_rows, n_latents] and its transpose."""

    by_row: torch.Tensor
    by_latent: torch.Tensor
    square: torch.Tensor  # [n_latents], squared columns

    @staticmethod
    def of(firing: Firings, n_rows: int, n_latents: int) -> ActiveMatrix:
        """From entries in any order."""
        row, latent, acts = map(torch.from_numpy, (firing.rows, firing.latents, firing.activations))
        by_row, by_latent = row.argsort(stable=True), latent.argsort(stable=True)
        return ActiveMatrix(
            sparse_matrix(row[by_row], latent[by_row], acts[by_row], (n_rows, n_latents)),
            sparse_matrix(latent[by_latent], row[by_latent], acts[by_latent], (n_latents, n_rows)),
            torch.zeros(n_latents).index_add_(0, latent, acts.pow(2)),
        )


@torch.no_grad()
def refit_decoder(
    active: ActiveMatrix, x: torch.Tensor, decoder: torch.Tensor, bias: torch.Tensor, steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Decoder [n_latents, d] and bias [d] after `steps` steps of conjugate gradients.

    Columns of x have problems of their own, so a wide decoder is fitted a few columns at a time.

    Args:
        active: activations of the stitched SAE's latents on the rows x float32 [n_rows, d].
        decoder, bias: where to start.

    The problem is |x - F W - b|^2 + ridge |W - W_start|^2, one for each column of x, all with the
    same matrix, preconditioned by its diagonal.
    """
    at_once = max(1, ENTRIES_AT_ONCE // (len(decoder) + 1))
    parts = [
        _refit_columns(
            active,
            x[:, start : start + at_once].contiguous(),
            decoder[:, start : start + at_once],
            bias[start : start + at_once],
            steps,
        )
        for start in range(0, x.shape[1], at_once)
    ]
    weights, biases = zip(*parts, strict=True)
    return torch.cat(weights, dim=1), torch.cat(biases)


def _refit_columns(
    active: ActiveMatrix, x: torch.Tensor, decoder: torch.Tensor, bias: torch.Tensor, steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """`refit_decoder` for some columns of x, decoder and bias."""
    ridge = RIDGE * float(active.square.mean())
    diagonal = torch.cat([active.square + ridge, torch.tensor([float(len(x))])]).unsqueeze(1)

    def fitted(weights: torch.Tensor) -> torch.Tensor:
        return active.by_row @ weights[:-1] + weights[-1]

    def back(rows: torch.Tensor) -> torch.Tensor:
        return torch.cat([active.by_latent @ rows, rows.sum(0, keepdim=True)])

    start = torch.cat([decoder, bias.unsqueeze(0)])
    gradient = back(x - fitted(start))
    change = torch.zeros_like(start)
    direction = gradient / diagonal
    product = (gradient * direction).sum(0)
    for _ in range(steps):
        image = back(fitted(direction))
        image[:-1] += ridge * direction[:-1]
        length = product / (direction * image).sum(0).clamp_min(1e-30)
        change += length * direction
        gradient -= length * image
        scaled = gradient / diagonal
        next_product = (gradient * scaled).sum(0)
        direction = scaled + next_product / product.clamp_min(1e-30) * direction
        product = next_product
    solution = start + change
    return solution[:-1], solution[-1]


@torch.no_grad()
def squared_error(
    active: ActiveMatrix, x: torch.Tensor, decoder: torch.Tensor, bias: torch.Tensor
) -> float:
    """Sum of squared errors of bias + F W on rows x [n_rows, d]."""
    return squared_sum(x - active.by_row @ decoder - bias)
