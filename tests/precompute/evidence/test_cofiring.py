"""Latents that fire together: the counts of a dense matrix, in any blocks."""

from __future__ import annotations

import numpy as np
import pytest

from backend.tables.evidence import COFIRING
from precompute.evidence import cofiring
from precompute.evidence.cofiring import MIN_TOGETHER, FiringRecord, cofiring_table
from tests.precompute.evidence.conftest import N_LATENTS, dense, in_blocks

N_TOKENS, SEEN = 300, 217


@pytest.fixture(scope="module")
def acts() -> np.ndarray:
    """Latent 5 fires where latent 2 does, latent 7 on two tokens only."""
    acts = dense(N_TOKENS, seed=3)
    acts[:, 5] = acts[:, 2]
    acts[:, 7] = 0
    acts[[4, 9], 7] = 1.0
    return acts


def _record(acts: np.ndarray, size: int) -> FiringRecord:
    record = FiringRecord(SEEN)
    passed = list(record.watch(in_blocks(acts, size)))
    assert sum(n for n, _ in passed) == N_TOKENS  # whoever reads the pass gets all of it
    return record


@pytest.mark.parametrize("products", [1, 500, 1 << 25])
@pytest.mark.parametrize("size", [1, 50, 217, 1000])
def test_rows_are_those_of_the_dense_matrix(monkeypatch, acts, products, size):
    monkeypatch.setattr(cofiring, "BLOCK_PRODUCTS", products)
    table = cofiring_table("sae-10", _record(acts, size).matrix(N_LATENTS), n_others=4)
    assert table.schema == COFIRING.arrow
    fires = acts[:SEEN] > 0
    expected = []
    for latent in range(N_LATENTS):
        others = []
        for other in range(N_LATENTS):
            together = int((fires[:, latent] & fires[:, other]).sum())
            either = int((fires[:, latent] | fires[:, other]).sum())
            if other != latent and together >= MIN_TOGETHER:
                others.append((-together / either, other, together))
        for rank, (_, other, together) in enumerate(sorted(others)[:4]):
            row = (latent, rank, other, together, fires[:, latent].sum(), fires[:, other].sum())
            expected.append((*map(int, row), SEEN))
    columns = COFIRING.arrow.names[1:]
    found = list(zip(*(table[name].to_pylist() for name in columns), strict=True))
    assert found == expected
    assert set(table["sae_id"].to_pylist()) == {"sae-10"}


def test_latents_that_always_fire_together_come_first_and_silent_ones_have_no_rows(acts):
    table = cofiring_table("sae-10", _record(acts, 64).matrix(N_LATENTS), n_others=3)
    best = {row["latent"]: row for row in table.to_pylist() if row["rank"] == 0}
    assert (best[2]["other_latent"], best[5]["other_latent"]) == (5, 2)
    assert best[2]["together"] == best[2]["fired"] == best[2]["other_fired"]
    assert 3 not in best  # it never fires
    assert 7 not in best  # two tokens are chance


def test_a_record_longer_than_the_pass_holds_the_whole_pass(acts):
    record = FiringRecord(10**9)
    list(record.watch(in_blocks(acts, 70)))
    assert (record.matrix(N_LATENTS).toarray() == (acts > 0)).all()
