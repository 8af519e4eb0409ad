"""Parents, ancestors, and whether components find them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from precompute.decomposition import decompose
from precompute.dictionary import Dictionary
from precompute.stitching.splitting import ancestors, parents, phi, recovery


def test_a_parent_is_the_nearest_row():
    smaller = torch.eye(3)
    larger = torch.nn.functional.normalize(torch.tensor([[2.0, 1, 0], [0, 0, 1], [1, 1, 1.5]]))
    index, cosine = parents(larger, smaller)
    assert index.tolist() == [0, 2, 2]
    np.testing.assert_allclose(cosine, [2 / 5**0.5, 1, 1.5 / 4.25**0.5], rtol=1e-6)


def test_a_broken_link_ends_the_line_of_ancestors():
    # largest (4 latents) -> middle (3) -> smallest (2)
    first = (np.array([0, 1, 2, 2]), np.array([0.9, 0.9, 0.6, 0.8]))
    second = (np.array([1, 0, 1]), np.array([0.9, 0.5, 0.9]))
    middle, smallest = ancestors([first, second], 0.7)
    assert middle.tolist() == [0, 1, -1, 2]
    assert smallest.tolist() == [1, -1, -1, 1]


@pytest.fixture(scope="module")
def meta() -> Dictionary:
    """A meta-SAE on 40 axes that reads each axis."""
    return Dictionary(torch.eye(40), torch.zeros(40), torch.eye(40), torch.zeros(40), 0.1)


def test_parents_that_are_components_are_recovered(meta):
    # latent i is made of axes i and i + 1, its parent is axis i: always a component
    rows = torch.nn.functional.normalize(torch.eye(40) + torch.eye(40).roll(1, 1))
    found = recovery(np.arange(40), torch.eye(40), meta.W_dec, decompose(meta, rows), 0)
    assert (found.share, found.n) == (1.0, 40)
    assert found.chance == pytest.approx(2 / 40, abs=0.03)  # two components of 40


def test_parents_that_are_not_are_not(meta):
    rows = torch.nn.functional.normalize(torch.eye(40) + torch.eye(40).roll(1, 1))
    parent = (np.arange(40) + 7) % 40
    parent[:10] = -1
    found = recovery(parent, torch.eye(40), meta.W_dec, decompose(meta, rows), 0)
    assert (found.share, found.n) == (0.0, 30)
    assert not found.is_recovered.any()


def test_no_parents_at_all(meta):
    found = recovery(np.full(40, -1), torch.eye(40), meta.W_dec, decompose(meta, torch.eye(40)), 0)
    assert (found.share, found.chance, found.n) == (0.0, 0.0, 0)


def test_phi_is_the_correlation_of_two_firings():
    rng = np.random.default_rng(0)
    first, second = rng.uniform(size=500) < 0.2, rng.uniform(size=500) < 0.2
    second[:50] = first[:50]
    both, one, other = (first & second).sum(), first.sum(), second.sum()
    found = phi(np.array([both, 0]), np.array([one, 0]), np.array([other, other]), 500)
    assert found[0] == pytest.approx(np.corrcoef(first, second)[0, 1])
    assert found[1] == 0.0  # a latent that never fires correlates with nothing
