"""Histograms count every direction once, each beside its random control."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from precompute.trust.cosines import cosine_histograms
from tests.precompute.planted import gaussian_rows

DIRECTIONS = {"small": gaussian_rows(30, 1), "wide": gaussian_rows(80, 2)}
PAIRS = [("small", "small"), ("wide", "small"), ("wide", "wide")]


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, str], dict]:
    found = cosine_histograms(DIRECTIONS, PAIRS, 0.3, seed=0)
    return {(row["from_id"], row["to_id"]): row for row in found}


def test_every_pair_has_its_control(rows):
    assert set(rows) == {
        *PAIRS, ("random-30", "random-30"), ("random-80", "small"), ("random-80", "random-80"),
    }  # fmt: skip


def test_counts_add_up_and_follow_the_cosines(rows):
    cosine = (DIRECTIONS["wide"] @ DIRECTIONS["small"].t()).max(1).values.numpy()
    row = rows["wide", "small"]
    assert sum(row["counts"]) == row["n"] == 80
    assert len(row["edges"]) == len(row["counts"]) + 1
    assert row["mean"] == pytest.approx(cosine.mean(), abs=1e-6)
    assert row["similar_share"] == pytest.approx((cosine >= 0.3).mean())
    inside = [
        int(((cosine >= low) & (cosine < high)).sum())
        for low, high in zip(row["edges"], row["edges"][1:], strict=False)
    ]
    assert row["counts"] == inside


def test_a_direction_is_not_its_own_neighbour(rows):
    among = DIRECTIONS["wide"] @ DIRECTIONS["wide"].t() - 2 * torch.eye(80)
    assert rows["wide", "wide"]["mean"] == pytest.approx(
        float(among.max(1).values.mean()), abs=1e-6
    )
    assert rows["wide", "wide"]["edges"][-1] < 1


def test_a_copy_is_found_and_one_direction_alone_has_no_neighbour():
    copies = {"a": gaussian_rows(5, 1), "b": gaussian_rows(5, 1), "one": gaussian_rows(1, 1)}
    found = cosine_histograms(copies, [("a", "b"), ("one", "one")], 0.7, seed=0)
    by_pair = {(row["from_id"], row["to_id"]): row for row in found}
    assert by_pair["a", "b"]["similar_share"] == 1.0
    assert sum(by_pair["a", "b"]["counts"]) == 5
    assert np.isclose(by_pair["a", "b"]["mean"], 1.0)
    assert by_pair["one", "one"]["n"] == 0
