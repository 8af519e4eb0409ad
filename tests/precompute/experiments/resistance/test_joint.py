"""The joint training: who learns from what, and that a penalty of weight 0 changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from precompute.batches import Batches, activation_batches
from precompute.decomposition import random_directions
from precompute.experiments.resistance.joint import (
    Opponent,
    PenalisedSAE,
    batchtopk_config,
    unit_rows,
)
from precompute.experiments.resistance.loop import fit_of, take_step
from precompute.experiments.resistance.penalty import decomposability
from precompute.experiments.resistance.recipes import (
    EQUAL_COMPUTE,
    MATRYOSHKA,
    ORTHOGONAL,
    SOLO,
    Recipe,
    all_recipes,
    trained,
)
from precompute.experiments.resistance.section import ResistanceConfig
from precompute.learned import dictionary_of
from precompute.training import Start, fit, trainer_of

D, CPU = 12, torch.device("cpu")
SETTINGS = ResistanceConfig(
    n_latents=40, k=4, steps=60, batch_size=64, learning_rate=1e-2, dead_after_steps=20,
    meta_share=0.25, meta_k=3, every=10, meta_steps=5, matryoshka=(0.25, 0.5),
    orthogonal_chunk=16,
)  # fmt: skip
META = replace(fit_of(SETTINGS, 0), n_latents=10, k=3, batch_size=40)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Sums of a few of 30 directions: there is something to learn."""
    rng = np.random.default_rng(0)
    codes = rng.exponential(size=(4096, 30)) * (rng.random((4096, 30)) < 0.1)
    return (codes @ random_directions(30, D, 7).numpy()).astype(np.float16)


def _batches(rows: np.ndarray) -> Batches:
    return activation_batches(rows, 2.0, SETTINGS.batch_size, 0)


def _trained(rows: np.ndarray, recipe: Recipe, **changes: float) -> dict[str, torch.Tensor]:
    settings = SETTINGS.model_copy(update=changes)
    sae = trained(recipe, settings, 0, _batches(rows), torch.zeros(D), CPU)
    return {name: weights.detach() for name, weights in sae.state_dict().items()}


@pytest.fixture(scope="module")
def solo(rows) -> dict[str, torch.Tensor]:
    return _trained(rows, Recipe(SOLO, 1))


def _sae_and_opponent(weight: float = 0.3) -> tuple[PenalisedSAE, Opponent]:
    opponent = Opponent(META, D, weight, 1.0, CPU)
    torch.manual_seed(0)
    sae = PenalisedSAE(batchtopk_config(D, 40, 4))
    sae.row_cost = opponent.row_cost
    return sae, opponent


def test_a_penalty_of_weight_zero_changes_no_bit(rows, solo):
    joint = _trained(rows, Recipe("joint 0 1", 1, weight=0.0))
    assert joint.keys() == solo.keys()
    assert all(torch.equal(joint[name], solo[name]) for name in solo)


def test_solo_is_what_the_run_itself_would_train(rows, solo, tmp_path: Path):
    sae = fit(fit_of(SETTINGS, 0), _batches(rows), Start(torch.zeros(D)), tmp_path, "solo", CPU)
    norms = solo["W_dec"].norm(dim=1)
    torch.testing.assert_close(sae.W_dec, solo["W_dec"] / norms[:, None], rtol=0, atol=0)
    torch.testing.assert_close(sae.W_enc, solo["W_enc"] * norms, rtol=0, atol=0)


def test_every_other_recipe_trains_something_else(rows, solo):
    others = [EQUAL_COMPUTE, MATRYOSHKA, ORTHOGONAL]
    weights = [_trained(rows, Recipe(name, 1))["W_dec"] for name in others]
    weights += [_trained(rows, Recipe("joint", 1, 1.0, 1.0))["W_dec"], solo["W_dec"]]
    for i, one in enumerate(weights):
        assert torch.isfinite(one).all()
        assert not any(torch.equal(one, other) for other in weights[:i])


def test_equal_compute_with_nothing_more_is_solo(rows, solo):
    alike = _trained(rows, Recipe(EQUAL_COMPUTE, 1), extra_compute=0.0)
    assert torch.equal(alike["W_dec"], solo["W_dec"])


def test_a_step_of_the_sae_leaves_the_meta_sae_alone(rows):
    sae, opponent = _sae_and_opponent()
    before = {name: w.clone() for name, w in opponent.meta.state_dict().items()}
    take_step(trainer_of(sae, fit_of(SETTINGS, 0), CPU), next(_batches(rows)(0)))
    assert all(torch.equal(before[k], w) for k, w in opponent.meta.state_dict().items())
    assert all(p.grad is None for p in opponent.meta.parameters())
    assert "meta" not in " ".join(sae.state_dict())


def test_a_step_of_the_meta_sae_leaves_the_sae_alone():
    sae, opponent = _sae_and_opponent()
    before = {name: w.clone() for name, w in sae.state_dict().items()}
    start = opponent.meta.W_dec.detach().clone()
    opponent.learn(unit_rows(sae), 2)
    assert all(torch.equal(before[name], w) for name, w in sae.state_dict().items())
    assert all(p.grad is None for p in sae.parameters())
    assert not torch.equal(start, opponent.meta.W_dec)


def test_the_meta_sae_learns_after_every_tenth_step():
    sae, opponent = _sae_and_opponent()
    trainer = trainer_of(sae, fit_of(SETTINGS, 0), CPU)
    after, steps = opponent.between(10, 5), []
    for step in range(1, 31):
        after(trainer, step)
        steps.append(opponent.trainer.n_training_steps)
    assert steps == [0] * 9 + [5] * 10 + [10] * 10 + [15]


def test_what_is_added_and_its_gradient_by_finite_differences():
    """At the decoder as it is trained, of any length: rows count at unit length."""
    sae, opponent = _sae_and_opponent()
    with torch.no_grad():
        sae.W_dec.mul_(torch.linspace(0.5, 2.0, 40)[:, None])
    fixed = opponent.rebuilt(unit_rows(sae).detach())

    def added(weights: torch.Tensor) -> float:
        unit = weights / weights.norm(dim=1, keepdim=True)
        return float(0.3 * decomposability(unit, fixed.double(), 1.0).mean())

    cost = opponent.row_cost(unit_rows(sae))
    exact = sae.W_dec.detach().double()
    assert cost.item() == pytest.approx(added(exact), rel=1e-5)
    (grad,) = torch.autograd.grad(cost, sae.W_dec)
    step = 1e-5
    for i, j in ((0, 0), (7, 3), (39, 11)):
        moved = [exact.clone(), exact.clone()]
        moved[0][i, j] += step
        moved[1][i, j] -= step
        expected = (added(moved[0]) - added(moved[1])) / (2 * step)
        assert float(grad[i, j]) == pytest.approx(expected, rel=1e-3, abs=1e-7)


def test_the_cost_is_counted_for_every_dimension(rows):
    sae, opponent = _sae_and_opponent()
    plain, _ = _sae_and_opponent()
    plain.row_cost = None
    batch = next(_batches(rows)(0))
    losses = []
    for one in (sae, plain):
        trainer = trainer_of(one, fit_of(SETTINGS, 0), CPU)
        losses.append(float(trainer.step(batch).loss))
    cost = float(opponent.row_cost(unit_rows(_sae_and_opponent()[0])))
    assert losses[0] - losses[1] == pytest.approx(D * cost, rel=1e-3)


def test_an_inference_copy_rebuilds_what_the_sae_does(rows):
    sae, _ = _sae_and_opponent(0.0)
    batch = torch.from_numpy(rows[:256]).float()
    dictionary = dictionary_of(sae).with_threshold(0.4)
    unit = unit_rows(sae).detach()
    scores = (((batch - sae.b_dec) @ sae.W_enc + sae.b_enc) * sae.W_dec.norm(dim=1)).detach()
    expected = (scores * (scores > 0.4)) @ unit + sae.b_dec.detach()
    found = dictionary.decode(dictionary.encode(batch))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_the_published_point_has_all_seeds_and_the_rest_of_the_grid_fewer():
    found = {recipe.subject: recipe for recipe in all_recipes(ResistanceConfig())}
    assert len(found) == 4 + 9
    assert found["joint 0.3 1"].n_seeds == found[SOLO].n_seeds == 3
    assert found["joint 1 0.3"].n_seeds == 1
    assert (found["joint 1 0.3"].weight, found["joint 1 0.3"].sigma2) == (1.0, 0.3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": 40}, "must be below n_latents"),
        ({"meta_share": 0.05}, "must be more than meta_k"),
        ({"matryoshka": (0.5, 0.25)}, "must ascend"),
    ],
)
def test_settings_that_leave_no_choice_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        ResistanceConfig(**(SETTINGS.model_dump() | changes))
