"""Entities and decompositions written out by hand, for the tests of this folder."""

from __future__ import annotations

import numpy as np

from precompute.decomposition import Decomposition
from precompute.trust.entity_latents import EntityLatents


def entities_of(
    values: dict[str, list[str]], words: list[str] | None = None, latents: list[int] | None = None
) -> EntityLatents:
    """Entities "w0", "w1", ... with latents 0, 1, ... unless given."""
    n = len(next(iter(values.values())))
    return EntityLatents(
        latent=np.arange(n) if latents is None else np.array(latents),
        entity=np.array(words or [f"w{i}" for i in range(n)]),
        values={name: np.array(of) for name, of in values.items()},
    )


def decomposition_of(parts: dict[int, list[tuple[int, float]]]) -> Decomposition:
    """A decomposition from (meta-latent, activation) by latent; only these are filled in."""
    found = [(latent, meta, act) for latent, own in parts.items() for meta, act in sorted(own)]
    latent, meta_latent, activation = (np.array(column) for column in zip(*found, strict=True))
    blank = np.zeros(0)
    return Decomposition(latent, meta_latent, activation, *[blank] * 7)
