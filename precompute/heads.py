"""How a direction that is read from attention's heads is shared out among them."""

from __future__ import annotations

import numpy as np
import torch


def head_shares(W_dec: torch.Tensor, n_heads: int) -> np.ndarray:
    """Share of each row's squared norm that lies in each head.

    Args:
        W_dec: [n, d_in], rows that hold the heads side by side: `Place.n_heads` says how many.

    Returns:
        float32 [n, n_heads]; a row adds up to 1, and is 0 throughout where the direction is.

    Raises:
        ValueError: the heads do not divide the rows into equal parts.
    """
    n, d_in = W_dec.shape
    if d_in % n_heads:
        raise ValueError(f"{d_in} numbers cannot be {n_heads} heads of one size")
    squares = W_dec.double().pow(2).reshape(n, n_heads, -1).sum(2)
    total = squares.sum(1, keepdim=True)
    return (squares / total.where(total > 0, 1.0)).float().numpy()
