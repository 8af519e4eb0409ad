"""The rows that controls train a meta-SAE on, beside the decoder rows themselves."""

from __future__ import annotations

import torch

from precompute.decomposition import NULL_STREAM, covariance_matched_rows, isotropic_rows

DECODER = "decoder rows"
ISOTROPIC = "isotropic Gaussian rows"
COVARIANCE = "covariance-matched Gaussian rows"
SHUFFLED = "shuffled coordinates"
WORDS = "word directions"


def control_rows(kind: str, rows: torch.Tensor, seed: int) -> torch.Tensor:
    """Unit rows of one kind, of the shape of `rows` [n, d].

    `isotropic` is also what a frozen random decoder is: its rows never learn, so they are Gaussian
    unit rows by construction. `shuffled` keeps the values of every coordinate and nothing of what
    goes together.

    Raises:
        ValueError: the kind is none of this module's that come from other rows.
    """
    if kind == DECODER:
        return rows
    if kind == ISOTROPIC:
        return isotropic_rows(rows, seed)
    if kind == COVARIANCE:
        return covariance_matched_rows(rows, seed)
    if kind == SHUFFLED:
        return shuffled_coordinates(rows, seed)
    raise ValueError(f"no rows of kind {kind!r}")


def shuffled_coordinates(rows: torch.Tensor, seed: int) -> torch.Tensor:
    """Every coordinate of `rows` [n, d] in an order of its own, rows of unit length again."""
    generator = torch.Generator().manual_seed(NULL_STREAM + seed)
    order = torch.rand(rows.shape, generator=generator).argsort(dim=0)
    shuffled = rows.gather(0, order)
    return shuffled / shuffled.norm(dim=1, keepdim=True)
