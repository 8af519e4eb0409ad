"""The directions that are added to steer towards a concept, all from prompts for training.

x is the activation at the last token of a prompt, f(x) are the SAE's activations, d_j its decoder
rows and g(d_j) a meta-SAE's activations on them. Differences (dx = v, df) are means over prompts
about entities with the value minus means over prompts about entities without it:

| method | direction |
|---|---|
| vector | v, the difference of x |
| reconstruction | sum_j df_j d_j: the difference of the SAE's reconstructions (b_dec drops out) |
| single latent | d_j: of those with the largest df_j, the one with the most effect |
| single meta-latent | the meta-SAE's row m: likewise, of the largest sum_j df_j g_m(d_j) |
| chosen latents | sum of df_j d_j over j with df_j at least `chosen_share` of the largest |
| vector minus chosen | v - sum of df_j d_j over j in J (Conmy & Nanda 2024) |
| random | uniform on the sphere |

Effects to choose by are measured on prompts for training too. J are the latents that look
irrelevant: they fire on both sides, on the side with less at least `equal_share` as much as on the
other, and are none of the chosen. "Chosen" in the name of that method means chosen to be taken
away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import normalize

from precompute.decomposition import decompose
from precompute.dictionary import Dictionary
from precompute.experiments.steering.section import SteeringConfig

VECTOR, RECONSTRUCTION, RANDOM = "vector", "reconstruction", "random"
LATENT, META_LATENT = "single latent", "single meta-latent"
CHOSEN, MINUS = "chosen latents", "vector minus chosen"
METHODS = (VECTOR, RECONSTRUCTION, LATENT, META_LATENT, CHOSEN, MINUS, RANDOM)
ROWS_AT_ONCE = 512
Score = Callable[[torch.Tensor], np.ndarray]
"""From unit directions [n, d_in] to how well each one steers, [n]."""


@dataclass(frozen=True)
class Contrast:
    """What the activations of the two sides are on average."""

    vector: torch.Tensor
    """float32 [d_in]: with the value minus without it."""
    with_value: torch.Tensor
    """float32 [n_latents]: mean activations of an SAE."""
    without: torch.Tensor

    @staticmethod
    def of(with_value: torch.Tensor, without: torch.Tensor, sae: Dictionary) -> Contrast:
        """From activations of prompts [n, d_in] of each side."""
        vector = with_value.mean(0) - without.mean(0)
        return Contrast(vector, _mean_acts(sae, with_value), _mean_acts(sae, without))

    @property
    def difference(self) -> torch.Tensor:
        return self.with_value - self.without

    def chosen(self, share: float) -> torch.Tensor:
        """int64: latents whose difference is at least `share` of the largest, that one first."""
        difference = self.difference
        order = difference.argsort(descending=True, stable=True)
        bar = share * difference.max()
        return order[(difference[order] >= bar) & (difference[order] > 0)]

    def irrelevant(self, equal_share: float, chosen: torch.Tensor) -> torch.Tensor:
        """int64: latents that fire on both sides alike and are not chosen."""
        low = torch.minimum(self.with_value, self.without)
        high = torch.maximum(self.with_value, self.without)
        alike = (high > 0) & (low >= equal_share * high)
        alike[chosen] = False
        return alike.nonzero()[:, 0]


@dataclass(frozen=True)
class Direction:
    """A unit vector [d_in] and the latents or meta-latents that it is made of or without."""

    unit: torch.Tensor
    latents: tuple[int, ...] = ()


def meta_weights(sae: Dictionary, meta: Dictionary) -> torch.Tensor:
    """float32 sparse [n_meta, n_latents]: activations of the meta-SAE on the decoder rows."""
    cpu = torch.device("cpu")
    found = decompose(meta.to(cpu), sae.W_dec.to(cpu))
    index = torch.from_numpy(np.stack([found.meta_latent, found.latent]))
    shape = (meta.n_latents, sae.n_latents)
    values = torch.from_numpy(found.activation).to(sae.W_dec.device)
    pairs = index.to(values.device)  # each once, as `decompose` finds them
    return torch.sparse_coo_tensor(pairs, values, shape, check_invariants=False)


def directions(
    contrast: Contrast,
    sae: Dictionary,
    meta: tuple[Dictionary, torch.Tensor] | None,
    score: Score,
    settings: SteeringConfig,
) -> dict[str, Direction]:
    """Every method's direction but the random ones; a method that has none here is left out.

    Args:
        contrast: of a concept.
        sae: whose latents are used.
        meta: a meta-SAE on its decoder rows, with its `meta_weights`; None: it has none.
        score: effects of directions on prompts for training.
        settings: of the experiment.
    """
    difference = contrast.difference
    chosen = contrast.chosen(settings.chosen_share)
    irrelevant = contrast.irrelevant(settings.equal_share, chosen)

    def part(latents: torch.Tensor) -> torch.Tensor:
        return difference[latents] @ sae.W_dec[latents]

    made = {
        VECTOR: (contrast.vector, ()),
        RECONSTRUCTION: (difference @ sae.W_dec, ()),
        CHOSEN: (part(chosen), chosen.tolist()),
        MINUS: (contrast.vector - part(irrelevant), irrelevant.tolist()),
    }
    singles = {LATENT: (difference, sae.W_dec)}
    if meta is not None:
        singles[META_LATENT] = (meta[1] @ difference[:, None])[:, 0], meta[0].W_dec
    for method, (amounts, rows) in singles.items():
        best = _best(amounts, rows, score, settings.candidates)
        if best is not None:
            made[method] = (rows[best], (best,))
    return {
        name: Direction(normalize(vector, dim=0), tuple(latents))
        for name, (vector, latents) in made.items()
        if vector.norm() > 0
    }


def _best(amounts: torch.Tensor, rows: torch.Tensor, score: Score, candidates: int) -> int | None:
    """Of the `candidates` largest amounts [n] above 0, the one whose row has the best score."""
    largest = amounts.argsort(descending=True, stable=True)[:candidates]
    largest = largest[amounts[largest] > 0]
    return int(largest[int(score(rows[largest]).argmax())]) if len(largest) else None


def random_units(n: int, d_in: int, seed: int) -> torch.Tensor:
    """float32 [n, d_in], uniform on the sphere."""
    drawn = torch.randn(n, d_in, generator=torch.Generator().manual_seed(seed))
    return normalize(drawn, dim=1)


def _mean_acts(sae: Dictionary, rows: torch.Tensor) -> torch.Tensor:
    total = rows.new_zeros(sae.n_latents)
    for block in rows.split(ROWS_AT_ONCE):
        total += sae.encode(block).sum(0)
    return total / len(rows)
