"""Ghost gradients against their formula, written out in full."""

from __future__ import annotations

import pytest
import torch
from sae_lens.saes.sae import TrainStepInput
from sae_lens.saes.topk_sae import TopKTrainingSAEConfig

from precompute.experiments.dead_latents.ghost import (
    GhostTopKSAE,
    ghost_loss,
    ghost_reconstruction,
)

BATCH, N, D, K, WINDOW = 16, 12, 6, 3, 5


@pytest.fixture
def numbers() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _sae(rescaled: bool) -> GhostTopKSAE:
    torch.manual_seed(0)
    config = TopKTrainingSAEConfig(d_in=D, d_sae=N, k=K, decoder_init_norm=1.0)
    return GhostTopKSAE(config, rescaled, WINDOW)


def _step(rows: torch.Tensor, dead: torch.Tensor, step: int) -> TrainStepInput:
    return TrainStepInput(
        sae_in=rows, coefficients={}, dead_neuron_mask=dead, n_training_steps=step,
        is_logging_step=False,
    )  # fmt: skip


def test_a_ghost_is_half_as_long_as_what_is_left_over(numbers):
    z, decoder = torch.randn(BATCH, 4, generator=numbers), torch.randn(4, D, generator=numbers)
    residual = torch.randn(BATCH, D, generator=numbers)
    ghost = ghost_reconstruction(z, decoder, residual)
    torch.testing.assert_close(ghost.norm(dim=1), residual.norm(dim=1) / 2, rtol=1e-4, atol=1e-4)
    plain = z.exp() @ decoder
    torch.testing.assert_close(torch.cosine_similarity(ghost, plain, dim=1), torch.ones(BATCH))
    shifted = ghost_reconstruction(z + 300.0, decoder, residual)  # exp(300) is infinite
    torch.testing.assert_close(shifted, ghost, rtol=1e-3, atol=1e-3)


def test_value_and_gradient_are_those_of_the_formula(numbers):
    z = torch.randn(BATCH, 4, generator=numbers, dtype=torch.float64, requires_grad=True)
    decoder = torch.randn(4, D, generator=numbers, dtype=torch.float64, requires_grad=True)
    residual = torch.randn(BATCH, D, generator=numbers, dtype=torch.float64)
    found = ghost_loss(z, decoder, residual)
    error = residual.pow(2).sum(1).mean()
    assert found.item() == pytest.approx(float(error), rel=1e-5)  # as much as the SAE's own error
    own = torch.autograd.grad(found, (z, decoder))
    # the formula as it stands: both scale factors constants
    ghost = z.exp() @ decoder
    scale = residual.norm(dim=1, keepdim=True) / (2 * ghost.detach().norm(dim=1, keepdim=True))
    plain = (ghost * scale - residual).pow(2).sum(1).mean()
    expected = torch.autograd.grad(plain * (error / plain).detach(), (z, decoder))
    for one, other in zip(own, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_the_gradient_reaches_dead_latents_only(numbers):
    sae, rows = _sae(rescaled=False), torch.randn(BATCH, D, generator=numbers)
    dead = torch.zeros(N, dtype=torch.bool)
    dead[[2, 7]] = True
    acts, pre = sae.encode_with_hidden_pre(rows)
    losses = sae.calculate_aux_loss(_step(rows, dead, 1), acts, pre, sae.decode(acts))
    losses["ghost_loss"].backward()
    assert sae.W_enc.grad is not None
    for grad in (sae.W_dec.grad, sae.W_enc.grad.t(), sae.b_enc.grad):
        assert grad is not None
        moved = grad.reshape(N, -1).abs().sum(1) > 0
        assert moved[dead].all()
        assert not moved[~dead].any()


def test_without_dead_latents_nothing_is_added(numbers):
    sae, rows = _sae(rescaled=False), torch.randn(BATCH, D, generator=numbers)
    output = sae.training_forward_pass(_step(rows, torch.zeros(N, dtype=torch.bool), 1))
    assert float(output.losses["ghost_loss"]) == 0
    assert float(output.loss) == float(output.losses["mse_loss"])


def test_rescaling_weighs_by_the_share_and_begins_with_all(numbers):
    rows = torch.randn(BATCH, D, generator=numbers)
    dead = torch.zeros(N, dtype=torch.bool)
    dead[:3] = True

    def added(rescaled: bool, step: int) -> float:
        output = _sae(rescaled).training_forward_pass(_step(rows, dead, step))
        return float(output.losses["ghost_loss"] / output.losses["mse_loss"])

    assert added(False, WINDOW) == pytest.approx(1, rel=1e-4)
    assert added(True, WINDOW) == pytest.approx(3 / N, rel=1e-4)
    assert added(True, WINDOW - 1) == pytest.approx(1, rel=1e-4)  # every latent is a ghost
