"""What each latent does to what the model says, by integrated gradients over an SAE's latents.

1. At one token, x = error + sum_j f_j w_j + b_dec, and m is a number that the model gives.
2. All latents are taken away together, the error term stays: the path from x - sum_j f_j w_j to x.
3. The effect of taking latent j away is -f_j <w_j, g>, with g the mean gradient of m in x along
   the path. Effects add up to m's change over the whole path (completeness), up to the steps.

After "A is for Absorption" (Chanin 2024), with 6 steps; there the error is taken away as well, and
the steps are not the middles of equal parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse

LEAST_LEAD, LEAST_COSINE = 1.0, 0.025  # in logits; of a unit decoder row with the probe

Measured = Callable[[torch.Tensor], torch.Tensor]
"""From rows float32 [n, d_in] at one token of each prompt to m [n], with gradients."""


def path_gradient(
    m: Measured, x: torch.Tensor, taken_away: torch.Tensor, steps: int
) -> torch.Tensor:
    """Mean gradient [n, d_in] of m along the straight path from x - taken_away to x."""
    total = torch.zeros_like(x)
    for step in range(steps):
        share = (step + 0.5) / steps
        point = (x - (1 - share) * taken_away).detach().requires_grad_()
        with torch.enable_grad():
            total += torch.autograd.grad(m(point).sum(), point)[0]
    return total / steps


def effects_on_m(
    acts: sparse.csr_matrix, gradient: np.ndarray, rows: np.ndarray
) -> sparse.csr_matrix:
    """Change of m when each latent that fires is taken away [n, n_latents].

    Args:
        acts: activations [n, n_latents].
        gradient: [n, d_in], of `path_gradient`.
        rows: unit decoder rows [n_latents, d_in].
    """
    prompt, latent, value = sparse.find(acts)
    slopes = (gradient[prompt] * rows[latent]).sum(1)
    taken = -np.asarray(value, np.float64) * slopes
    return sparse.csr_matrix((taken, (prompt, latent)), shape=acts.shape)


@dataclass(frozen=True)
class TakenOver:
    """For prompts in which all main latents are silent."""

    is_absorbed: np.ndarray  # bool
    latent: np.ndarray  # int64: the one with the largest effect, or -1


def taken_over(effects: sparse.csr_matrix, cosines: np.ndarray) -> TakenOver:
    """Whether one latent alone holds the answer up, and points along the probe.

    As published: the largest effect is no rise, it leads the second by `LEAST_LEAD`, and the
    latent's cosine with the probe is at least `LEAST_COSINE`.

    Args:
        effects: [n, n_latents], of `effects_on_m`.
        cosines: [n_latents].
    """
    starts, every = np.asarray(effects.indptr), np.asarray(effects.indices)
    size, n = np.asarray(effects.data), len(starts) - 1
    is_absorbed, latent = np.zeros(n, bool), np.full(n, -1, np.int64)
    for prompt in range(n):
        own = slice(starts[prompt], starts[prompt + 1])
        values, latents = size[own], every[own]
        if not len(values):
            continue
        order = np.argsort(-np.abs(values), kind="stable")
        top = order[0]
        second = abs(values[order[1]]) if len(order) > 1 else 0.0
        latent[prompt] = latents[top]
        is_absorbed[prompt] = (
            values[top] <= 0
            and abs(values[top]) - second >= LEAST_LEAD
            and cosines[latents[top]] >= LEAST_COSINE
        )
    return TakenOver(is_absorbed, latent)
