"""One SAE merged upward from all sizes: the smallest, plus what is novel in each larger one.

At every size the latents that lower the error of what has been merged so far join it
(dMSE < 0 against the merged SAE, not against the next smaller one), as in the "Frankenstein" SAEs
of Leask et al. 2025. Novel is decided on one half of the contexts and judged on the other, so that
a latent does not count as useful for fitting the very tokens it is judged on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from precompute.activations import Firings
from precompute.dictionary import Dictionary
from precompute.sparse import entry_dots
from precompute.stitching.curve import ROWS_AT_ONCE, add_to_error, squared_sum


@dataclass(frozen=True)
class Merged:
    """The merged SAE after the latents of `sae_id` joined, on the half that judges."""

    sae_id: str
    n_joined: int
    n_latents: int
    l0: float
    mse: float
    variance_explained: float


@torch.no_grad()
def merge_upward(
    x: torch.Tensor,
    suite: dict[str, Dictionary],
    firings: Callable[[str], Firings],
    n_choosing: int,
) -> Iterator[Merged]:
    """Merge the suite, given from small to large, over rows x float32 [n_rows, d_in].

    Args:
        firings: from an SAE's id to every firing on these rows.
        n_choosing: the first this many rows decide which latents join, the others judge.
    """
    judging = x[n_choosing:]
    total = squared_sum(judging, judging.mean(0, dtype=torch.float64))
    n_latents = n_active = 0
    error = x
    for number, (sae_id, sae) in enumerate(suite.items()):
        firing = firings(sae_id)
        if number == 0:
            error = x - sae.b_dec  # the smallest SAE's bias serves all along
            joins = np.ones(sae.n_latents, bool)
        else:
            joins = _lowers_error(error, sae, firing, n_choosing)
        joining = joins[firing.latents]
        add_to_error(error, sae, firing, joining, -1.0)
        n_latents += int(joins.sum())
        n_active += int((joining & (firing.rows >= n_choosing)).sum())
        squared = squared_sum(error[n_choosing:])
        yield Merged(
            sae_id=sae_id,
            n_joined=int(joins.sum()),
            n_latents=n_latents,
            l0=n_active / len(judging),
            mse=squared / judging.numel(),
            variance_explained=1.0 - squared / total,
        )


def _lowers_error(
    error: torch.Tensor, sae: Dictionary, firing: Firings, n_choosing: int
) -> np.ndarray:
    """bool [n_latents]: dSE < 0 over the first `n_choosing` rows; `delta.py` has the formula."""
    chosen = firing.rows < n_choosing
    row, latent = torch.from_numpy(firing.rows[chosen]), torch.from_numpy(firing.latents[chosen])
    acts = torch.from_numpy(firing.activations[chosen]).double()
    dots = entry_dots(error, sae.W_dec, row, latent).double()
    square = torch.cat([rows.double().pow(2).sum(1) for rows in sae.W_dec.split(ROWS_AT_ONCE)])
    change = acts * (acts * square[latent] - 2 * dots)
    return np.bincount(latent.numpy(), change.numpy(), minlength=sae.n_latents) < 0
