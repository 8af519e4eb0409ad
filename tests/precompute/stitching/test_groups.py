"""Swap groups: what hangs together, and how a giant component is split."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from precompute.stitching import groups
from precompute.stitching.groups import Edges, similar_pairs, swap_groups


def edges(*found: tuple[int, int, float]) -> Edges:
    small, large, cosine = zip(*found, strict=True)
    return Edges(np.array(small), np.array(large), np.array(cosine, np.float32))


@pytest.mark.parametrize(("rows_at_once", "tile"), [(2048, 2048), (140, 2)])
def test_similar_pairs_are_all_pairs_at_that_cosine(monkeypatch, rows_at_once, tile):
    monkeypatch.setattr(groups, "ROWS_AT_ONCE", rows_at_once)
    monkeypatch.setattr(groups, "TILE_KEYS", tile)
    generator = torch.Generator().manual_seed(0)
    small, large = (torch.randn(n, 4, generator=generator) for n in (5, 3000))
    small, large = (rows / rows.norm(dim=1, keepdim=True) for rows in (small, large))
    found = similar_pairs(small, large, 0.7)
    cosine = (small @ large.t()).numpy()
    expected = {(i, j) for i, j in zip(*np.nonzero(cosine >= 0.7), strict=True)}
    in_order = list(zip(found.large.tolist(), found.small.tolist(), strict=True))
    assert in_order == sorted((large, small) for small, large in expected)
    np.testing.assert_allclose(found.cosine, cosine[found.small, found.large], rtol=1e-5)


def test_pairs_just_below_the_cosine_are_not_similar():
    """A thousandth apart, which the first product cannot see: it has steps of four thousandths."""
    angles = torch.acos(torch.tensor([0.7]) + torch.tensor([-1e-3, 1e-3, 2e-3, -2e-3]))
    large = torch.stack([angles.cos(), angles.sin()], dim=1)
    assert similar_pairs(torch.eye(2)[:1], large, 0.7).large.tolist() == [1, 2]


def test_groups_are_connected_components_in_order_of_cosine():
    # small 0 is joined with large 0 and 1, small 1 with large 2; small 2 and large 3 are alone
    found = swap_groups(edges((0, 0, 0.9), (0, 1, 0.7), (1, 2, 0.95)), 3, 4, giant=10)
    assert found.n_groups == 4
    assert found.small[:2].tolist() == [1, 0]  # mean cosines .8 and .95
    assert found.large[:3].tolist() == [1, 1, 0]
    assert found.small[2] != found.large[3]
    np.testing.assert_allclose(found.mean_cosine[:2], [0.95, 0.8])
    assert np.isnan(found.mean_cosine[2:]).all()
    assert found.giants == ()
    assert not found.is_split.any()


def test_a_giant_component_falls_apart_into_stars():
    # a chain of 3 small and 4 large latents: 7 latents in one component
    chain = edges(
        (0, 0, 0.9), (0, 1, 0.75), (1, 1, 0.8), (1, 2, 0.72), (2, 2, 0.71), (2, 3, 0.99),
        (3, 4, 0.9),
    )  # fmt: skip
    found = swap_groups(chain, 4, 5, giant=6)
    assert found.giants == (7,)
    of_small, of_large = found.small.tolist(), found.large.tolist()
    # each large latent with its nearest small one: 0-0, 1-1 and 1-2, 2-3
    assert of_large == [of_small[0], of_small[1], of_small[1], of_small[2], of_small[3]]
    assert len(set(of_small)) == 4
    assert found.is_split[of_small].tolist() == [True, True, True, False]
    assert swap_groups(chain, 4, 5, giant=7).giants == ()


def test_no_similar_latents_at_all():
    none = Edges(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    found = swap_groups(none, 2, 3, giant=5)
    assert found.n_groups == 5
    assert np.isnan(found.mean_cosine).all()
