"""Each kind of rows keeps what it promises and loses the rest."""

from __future__ import annotations

import pytest
import torch

from precompute.trust import control_rows as kinds
from tests.precompute.planted import planted_rows

ALL = (kinds.DECODER, kinds.ISOTROPIC, kinds.COVARIANCE, kinds.SHUFFLED)


@pytest.fixture(scope="module")
def rows() -> torch.Tensor:
    return planted_rows(4000)[0]


@pytest.mark.parametrize("kind", ALL)
def test_rows_have_the_shape_and_unit_length(rows, kind):
    made = kinds.control_rows(kind, rows, seed=1)
    assert made.shape == rows.shape
    assert torch.allclose(made.norm(dim=1), torch.ones(len(rows)), atol=1e-5)


@pytest.mark.parametrize("kind", ALL[1:])
def test_every_seed_makes_other_rows_and_the_same_seed_the_same(rows, kind):
    one, again, other = (kinds.control_rows(kind, rows, seed) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_only_matched_gaussians_keep_the_covariance(rows):
    wanted = torch.cov(rows.t())

    def off(kind: str) -> float:
        made = torch.cov(kinds.control_rows(kind, rows, 1).t())
        return float((made - wanted).norm() / wanted.norm())

    # planted atoms make correlated coordinates, which shuffling and isotropy destroy
    assert off(kinds.COVARIANCE) < 0.15 < 0.2 < min(off(kinds.SHUFFLED), off(kinds.ISOTROPIC))


def test_shuffling_keeps_mean_and_spread_of_each_coordinate(rows):
    made = kinds.shuffled_coordinates(rows, 5)
    # not the values themselves: a shuffled row is brought back to unit length, from nearly that
    assert torch.allclose(made.mean(0), rows.mean(0), atol=0.01)
    assert torch.allclose(made.std(0), rows.std(0), atol=0.01)
    alone = made.t() @ made / len(made)
    together = alone - torch.diag(alone.diagonal())
    assert float(together.norm()) < 0.5 * float((rows.t() @ rows / len(rows) - alone).norm())


def test_an_unknown_kind_is_refused(rows):
    with pytest.raises(ValueError, match="no rows of kind 'nothing'"):
        kinds.control_rows("nothing", rows, 0)
