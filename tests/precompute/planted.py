"""Rows whose dictionary is known, and rows that have none."""

from __future__ import annotations

import torch

D_IN, N_ATOMS, ATOMS_A_ROW = 48, 64, 4


def planted_rows(n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit rows [n, 48], each a weighted sum of 4 of 64 unit atoms, and the atoms [64, 48].

    The weights differ, as otherwise (atoms + c, bias - 4c) would explain the rows just as well.
    """
    generator = torch.Generator().manual_seed(seed)
    atoms = torch.nn.functional.normalize(torch.randn(N_ATOMS, D_IN, generator=generator), dim=1)
    scores = torch.rand(n, N_ATOMS, generator=generator)
    chosen = scores.topk(ATOMS_A_ROW, dim=1).indices
    weights = torch.rand(n, ATOMS_A_ROW, 1, generator=generator) + 0.5
    return torch.nn.functional.normalize((weights * atoms[chosen]).sum(1), dim=1), atoms


def gaussian_rows(n: int, seed: int = 0) -> torch.Tensor:
    """Unit rows [n, 48] without any structure."""
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(n, D_IN, generator=generator), dim=1)
