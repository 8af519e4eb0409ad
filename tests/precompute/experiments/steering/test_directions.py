"""Directions from an SAE of four latents, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from precompute.dictionary import Dictionary
from precompute.experiments.steering.directions import (
    CHOSEN,
    LATENT,
    META_LATENT,
    METHODS,
    MINUS,
    RANDOM,
    RECONSTRUCTION,
    VECTOR,
    Contrast,
    directions,
    meta_weights,
    random_units,
)
from precompute.experiments.steering.section import SteeringConfig

SETTINGS = SteeringConfig(chosen_share=0.4, equal_share=0.5, candidates=2)
# latent i reads and writes axis i of 5; the fifth axis is the SAE's error
SAE = Dictionary(torch.eye(5)[:, :4], torch.zeros(4), torch.eye(5)[:4], torch.full((5,), 0.3), 0.0)
WITH = torch.tensor([[4.0, 2.0, 3.0, 0.0, 1.0], [6.0, 2.0, 5.0, 0.0, 3.0]])
WITHOUT = torch.tensor([[0.0, 0.0, 2.0, 0.5, 0.0], [0.0, 0.0, 4.0, 1.5, 0.0]])
# means: with 5 2 4 0 | 2, without 0 0 3 1 | 0; differences 5 2 1 -1 | 2


def first_best(units: torch.Tensor) -> np.ndarray:
    return -np.arange(len(units), dtype=float)


@pytest.fixture(name="contrast")
def _contrast() -> Contrast:
    return Contrast.of(WITH, WITHOUT, SAE)


def test_differences_are_of_means(contrast):
    assert contrast.vector.tolist() == [5, 2, 1, -1, 2]
    assert contrast.difference.tolist() == [5, 2, 1, -1]


def test_chosen_and_irrelevant_latents(contrast):
    chosen = contrast.chosen(0.4)  # the bar is 0.4 x 5 = 2
    assert chosen.tolist() == [0, 1]
    # latent 2 fires 3 against 4 times; latent 3 on one side only, so it tells the sides apart
    assert contrast.irrelevant(0.5, chosen).tolist() == [2]
    assert contrast.irrelevant(0.8, chosen).tolist() == []
    assert contrast.irrelevant(0.5, torch.tensor([2])).tolist() == []


def test_every_direction_by_hand(contrast):
    made = directions(contrast, SAE, None, first_best, SETTINGS)
    expected = {
        VECTOR: [5, 2, 1, -1, 2],
        RECONSTRUCTION: [5, 2, 1, -1, 0],
        CHOSEN: [5, 2, 0, 0, 0],
        MINUS: [5, 2, 0, -1, 2],
        LATENT: [1, 0, 0, 0, 0],
    }
    assert set(made) == set(expected) == set(METHODS) - {META_LATENT, RANDOM}
    for method, vector in expected.items():
        unit = normalize(torch.tensor(vector, dtype=torch.float32), dim=0)
        torch.testing.assert_close(made[method].unit, unit)
    assert made[CHOSEN].latents == (0, 1)
    assert made[MINUS].latents == (2,)
    assert made[LATENT].latents == (0,)


def test_the_reconstruction_is_the_difference_of_reconstructions():
    generator = torch.Generator().manual_seed(0)
    rows = normalize(torch.randn(12, 6, generator=generator), dim=1)
    bias = torch.randn(6, generator=generator)
    sae = Dictionary(rows.t().contiguous(), torch.zeros(12), rows, bias, 0.2)
    sides = torch.randn(2, 700, 6, generator=generator)
    contrast = Contrast.of(sides[0], sides[1], sae)
    rebuilt = [sae.decode(sae.encode(side)).mean(0) for side in sides]
    made = directions(contrast, sae, None, first_best, SETTINGS)
    wanted = normalize(rebuilt[0] - rebuilt[1], dim=0)
    torch.testing.assert_close(made[RECONSTRUCTION].unit, wanted, atol=1e-5, rtol=1e-5)


def test_the_single_latent_is_the_best_of_the_largest(contrast):
    def last_axis_best(units: torch.Tensor) -> np.ndarray:
        return units[:, 1].numpy() + 9 * units[:, 2].numpy()

    made = directions(contrast, SAE, None, last_axis_best, SETTINGS)
    assert made[LATENT].latents == (1,)  # latent 2 is better, but not among the two largest


def test_the_meta_latent_that_the_difference_holds_most_of(contrast):
    # meta-latent 0 is on latents 0 and 1, meta-latent 1 on latents 2 and 3
    rows = normalize(torch.tensor([[1.0, 1, 0, 0, 0], [0, 0, 1, 1, 0]]), dim=1)
    meta = Dictionary(rows.t().contiguous(), torch.zeros(2), rows, torch.zeros(5), 0.1)
    weights = meta_weights(SAE, meta)
    half = 0.5**0.5
    torch.testing.assert_close(
        weights.to_dense(), torch.tensor([[half, half, 0, 0], [0, 0, half, half]])
    )
    # 5 + 2 = 7 parts of the first, 1 - 1 = 0 of the second: the second is no candidate
    made = directions(contrast, SAE, (meta, weights), first_best, SETTINGS)
    assert made[META_LATENT].latents == (0,)
    torch.testing.assert_close(made[META_LATENT].unit, rows[0])


def test_an_sae_that_sees_no_difference_leaves_only_the_vector():
    blind = Dictionary(SAE.W_enc, SAE.b_enc, SAE.W_dec, SAE.b_dec, threshold=100.0)
    made = directions(Contrast.of(WITH, WITHOUT, blind), blind, None, first_best, SETTINGS)
    assert set(made) == {VECTOR, MINUS}
    torch.testing.assert_close(made[MINUS].unit, made[VECTOR].unit)


def test_random_directions_have_length_one_and_differ():
    units = random_units(3, 64, seed=5)
    torch.testing.assert_close(units.norm(dim=1), torch.ones(3))
    assert float((units @ units.t() - torch.eye(3)).abs().max()) < 0.5
    torch.testing.assert_close(units, random_units(3, 64, seed=5))
