"""Latents of an open run as the Compare page holds them, and every two of some."""

from __future__ import annotations

from backend import compare, queries
from backend.compare_pairs import Pair, pairs
from backend.compared import Compared
from backend.store import Run


def item(run: Run, sae_id: str, latent: int) -> Compared:
    saes = {sae["sae_id"]: sae for sae in queries.saes(run)}
    found = compare.latent(run, sae_id, latent)
    assert found is not None
    meta_id = queries.meta_sae_of(run, sae_id)
    rows = [] if meta_id is None else queries.components(run, meta_id, latent)
    meta = None if meta_id is None else saes[meta_id]
    return Compared(run.name, run.name, found, saes[sae_id], meta, rows)


def all_pairs(run: Run, *places: tuple[str, int]) -> list[Pair]:
    return pairs(
        [run] * len(places),
        [item(run, *place) for place in places],
        [compare.stored_examples(run, *place) for place in places],
        [compare.nearest(run, *place) for place in places],
    )
