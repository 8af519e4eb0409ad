"""Toys are what they say they are, and the scores are those of the two extremes."""

from __future__ import annotations

import pytest
import torch

from precompute.experiments.toy_models.scores import best_cosines, scores
from precompute.experiments.toy_models.section import ToyModelsConfig
from precompute.experiments.toy_models.toys import (
    HIERARCHICAL,
    SUPERPOSITION,
    TOYS,
    make_toy,
    parents_of,
)

SETTINGS = ToyModelsConfig(d=12, directions=24, rows=20_000)


@pytest.mark.parametrize("kind", TOYS)
def test_directions_are_unit_and_rows_their_sums(kind):
    toy = make_toy(kind, SETTINGS, 0)
    torch.testing.assert_close(toy.truth.norm(dim=1), torch.ones(24))
    row = sum(float(toy.codes[7, i]) * toy.truth[i] for i in range(24))
    torch.testing.assert_close(toy.rows[7], row)
    assert float(toy.codes.min()) == 0


def test_every_direction_fires_as_often_as_asked():
    toy = make_toy(SUPERPOSITION, SETTINGS, 0)
    share = (toy.codes > 0).float().mean(0)
    # four standard errors of a share of 0.05 over 20,000 rows: 4 * sqrt(.05 * .95 / 20,000)
    assert float((share - SETTINGS.fires).abs().max()) < 0.0062
    assert toy.l0 == pytest.approx(24 * SETTINGS.fires, rel=0.03)
    fired = toy.codes[toy.codes > 0]
    assert float(fired.mean()) == pytest.approx(1, abs=0.01)
    assert float(fired.std()) == pytest.approx(SETTINGS.spread, abs=0.01)


def test_no_child_fires_without_its_parent_nor_beside_a_sibling():
    toy, parents = make_toy(HIERARCHICAL, SETTINGS, 0), parents_of(SETTINGS)
    assert parents.tolist()[:8] == [-1, 0, 0, 0, -1, 4, 4, 4]
    fires = toy.codes > 0
    for child in (parents >= 0).nonzero().squeeze(1).tolist():
        parent = int(parents[child])
        assert int((fires[:, child] & ~fires[:, parent]).sum()) == 0
        assert int(fires[:, child].sum()) > 0
        alone = fires[:, parent] & ~fires[:, parent + 1 : parent + 4].any(1)
        assert int(alone.sum()) > 0  # a parent also fires by itself
        assert int(fires[:, parent + 1 : parent + 4].sum(1).max()) == 1


def test_a_seed_gives_the_same_toy_and_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    toy = make_toy(HIERARCHICAL, SETTINGS, 3)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(make_toy(HIERARCHICAL, SETTINGS, 3).rows, toy.rows)
    assert not torch.equal(make_toy(HIERARCHICAL, SETTINGS, 4).truth, toy.truth)


def test_the_truth_itself_scores_one_and_random_directions_far_less():
    toy = make_toy(SUPERPOSITION, SETTINGS, 0)
    shuffled = 3.0 * toy.truth[torch.randperm(24)]  # order and length do not count
    found = scores(toy.truth, shuffled)
    assert found["mean max cosine"] == pytest.approx(1, abs=1e-5)
    assert found["recovered"] == 1
    random = torch.randn(24, 12, generator=torch.Generator().manual_seed(1))
    found = scores(toy.truth, random)
    assert found["mean max cosine"] < 0.75
    assert found["recovered"] < 0.1


def test_the_opposite_of_a_direction_does_not_find_it():
    truth = torch.eye(3)
    assert best_cosines(truth, -truth).tolist() == [0, 0, 0]
    # 0.8 and 0.6 are the cosines with (4, 3, 0) / 5; the third direction has none
    assert scores(truth, torch.tensor([[4.0, 3.0, 0.0]])) == pytest.approx(
        {"mean max cosine": (0.8 + 0.6) / 3, "recovered": 0}
    )


def test_settings_that_are_no_toy_are_refused():
    with pytest.raises(ValueError, match="must be more than d"):
        ToyModelsConfig(d=64, directions=64)
    with pytest.raises(ValueError, match="multiple of 4"):
        ToyModelsConfig(d=8, directions=30)
