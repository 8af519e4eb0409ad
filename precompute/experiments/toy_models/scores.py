"""How well a decoder finds known directions again.

Mean max cosine: for each true direction the highest cosine with a decoder row, averaged (Sharkey
et al. 2022); recovered: the share of true directions for which that is at least 0.9.
"""

from __future__ import annotations

import torch

RECOVERED_FROM = 0.9


def best_cosines(truth: torch.Tensor, decoder: torch.Tensor) -> torch.Tensor:
    """Highest cosine [n] of each row of `truth` [n, d] with a row of `decoder` [m, d]."""
    return (_unit(truth) @ _unit(decoder).t()).amax(1)


def scores(truth: torch.Tensor, decoder: torch.Tensor) -> dict[str, float]:
    """Both scores by metric."""
    best = best_cosines(truth, decoder)
    return {
        "mean max cosine": float(best.mean()),
        "recovered": float((best >= RECOVERED_FROM).float().mean()),
    }


def _unit(rows: torch.Tensor) -> torch.Tensor:
    return rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-12)
