"""Edits by whole latents and by their meta-latents.

Wherever the entity's latent i is active with activation a, a meta-edit turns its decoder row w_i
into another row w, so that a (w - w_i) is added:

- as in the text of the study: meta-activations of some meta-latents that only i has are set to 0,
  some that only the other's latent j has are set to its own, and w is what the meta-SAE decodes
- as in its code: w = w_i minus and plus 100 times the directions, made a unit row again, so that
  next to nothing of w_i is left. (The code also drops the last meta-latent of each; not done here.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import torch
from torch.nn.functional import normalize

from precompute.dictionary import Dictionary
from precompute.experiments.edits.laboratory import Edit
from precompute.experiments.edits.pairs import Pair
from precompute.experiments.edits.scenes import EntityLatents, Scene

CODE_FACTOR = 100.0  # of the published code

Subsets = tuple[tuple[int, ...], tuple[int, ...]]
"""Meta-latents to remove, and meta-latents to add."""


def whole_latent(sae: Dictionary, latents: EntityLatents, pair: Pair) -> Edit:
    """The entity's latent off, the other's on at its own mean activation, wherever edits reach."""
    own, other = int(latents.latent[pair.entity]), int(latents.latent[pair.other])
    strength = float(latents.mean[pair.other])

    def delta(scene: Scene) -> torch.Tensor:
        acts = sae.encode(scene.x[scene.is_reached])
        new = acts.clone()
        new[:, own] = 0
        new[:, other] = strength
        added = torch.zeros_like(scene.x)
        added[scene.is_reached] = (new - acts) @ sae.W_dec
        return added

    return Edit(pair, delta)


@dataclass(frozen=True)
class Parts:
    """What two latents are made of: meta-activations float32 [n_meta] of each."""

    pair: Pair
    row: torch.Tensor
    """float32 [d_in]: decoder row of the entity's latent."""
    own: torch.Tensor
    other: torch.Tensor

    @staticmethod
    def of(sae: Dictionary, meta: Dictionary, latents: EntityLatents, pair: Pair) -> Parts:
        rows = sae.W_dec[[int(latents.latent[pair.entity]), int(latents.latent[pair.other])]]
        own, other = meta.encode(rows)
        return Parts(pair, rows[0], own, other)

    @property
    def only_own(self) -> tuple[int, ...]:
        return tuple(torch.nonzero((self.own > 0) & (self.other == 0))[:, 0].tolist())

    @property
    def only_other(self) -> tuple[int, ...]:
        return tuple(torch.nonzero((self.other > 0) & (self.own == 0))[:, 0].tolist())

    def with_random_others(self, rng: np.random.Generator) -> Parts:
        """The same, but what only the other has is dealt to meta-latents that neither has."""
        theirs = list(self.only_other)
        free = torch.nonzero((self.own == 0) & (self.other == 0))[:, 0].cpu().numpy()
        drawn = rng.permutation(free)[: len(theirs)].tolist()
        other = self.other.clone()
        other[theirs] = 0
        other[drawn] = self.other[theirs[: len(drawn)]]
        return Parts(self.pair, self.row, self.own, other)


def as_text(meta: Dictionary, parts: Parts, subsets: Subsets) -> Edit:
    """Remove and add meta-activations, and decode."""
    removed, added = map(list, subsets)
    acts = parts.own.clone()
    acts[removed] = 0
    acts[added] = parts.other[added]
    return row_edit(parts, meta.decode(acts[None])[0], subsets)


def as_code(meta: Dictionary, parts: Parts, subsets: Subsets) -> Edit:
    """Remove and add 100 times the directions, and make the row a unit row again."""
    removed, added = map(list, subsets)
    row = parts.row + CODE_FACTOR * (meta.W_dec[added].sum(0) - meta.W_dec[removed].sum(0))
    return row_edit(parts, normalize(row, dim=0), subsets)


def row_edit(parts: Parts, row: torch.Tensor, subsets: Subsets) -> Edit:
    """Another decoder row [d_in] for the entity's latent."""
    turned = row - parts.row
    return Edit(parts.pair, lambda scene: scene.own[:, None] * turned, *subsets)


def subset_pairs(
    removed: tuple[int, ...], added: tuple[int, ...], most: int, rng: np.random.Generator
) -> list[Subsets]:
    """Pairs of a set to remove and a set to add, small ones first; at least the two empty ones.

    All 2^(n removed + n added) pairs, or `most` of them: then the empty sets, both whole ones, and
    others drawn.
    """
    n_removed, n_added = len(removed), len(added)
    if 2 ** (n_removed + n_added) <= most:
        found = list(product(_subsets(removed), _subsets(added)))
    else:
        chosen: dict[Subsets, None] = {((), ()): None, (removed, added): None}
        while len(chosen) < most:
            is_in = rng.random(n_removed + n_added) < 0.5
            one = tuple(m for m, take in zip(removed, is_in[:n_removed], strict=True) if take)
            two = tuple(m for m, take in zip(added, is_in[n_removed:], strict=True) if take)
            chosen[one, two] = None
        found = list(chosen)
    return sorted(found, key=lambda pair: (len(pair[0]) + len(pair[1]), pair))


def _subsets(members: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for size in range(len(members) + 1):
        yield from combinations(members, size)
