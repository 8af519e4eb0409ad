"""Resampled latents point at rows that were rebuilt badly, and Adam forgets them."""

from __future__ import annotations

import pytest
import torch
from sae_lens.saes.topk_sae import TopKTrainingSAE, TopKTrainingSAEConfig
from sae_lens.training.sae_trainer import SAETrainer

from precompute.experiments.dead_latents.resampling import resample
from precompute.experiments.resistance.loop import take_step
from precompute.training import Fit, trainer_of

N, D, K = 10, 6, 2
DEAD = [1, 4, 8]


@pytest.fixture
def trainer() -> SAETrainer:
    torch.manual_seed(0)
    sae = TopKTrainingSAE(TopKTrainingSAEConfig(d_in=D, d_sae=N, k=K, decoder_init_norm=1.0))
    fit = Fit(N, K, 20, 32, 1e-2, 0, dead_after_steps=5)
    made = trainer_of(sae, fit, torch.device("cpu"))
    for _ in range(3):
        take_step(made, torch.randn(32, D))
    made.n_forward_passes_since_fired[:] = 0
    made.n_forward_passes_since_fired[DEAD] = 9
    return made


def _rows(trainer: SAETrainer) -> tuple[torch.Tensor, int]:
    """Rows that are rebuilt exactly, but for one that is far away."""
    with torch.no_grad():
        rows = torch.randn(50, D, generator=torch.Generator().manual_seed(1))
        rows = trainer.sae.decode(trainer.sae.encode(rows)) * 1e-3 + trainer.sae.b_dec
    rows[17] += 100.0 * torch.nn.functional.normalize(torch.arange(1.0, D + 1), dim=0)
    return rows, 17


def test_dead_latents_take_the_direction_of_a_badly_rebuilt_row(trainer):
    sae = trainer.sae
    before = {name: p.detach().clone() for name, p in sae.named_parameters()}
    rows, bad = _rows(trainer)
    living = [i for i in range(N) if i not in DEAD]
    norm = before["W_enc"][:, living].norm(dim=0).mean()
    drawn = resample(trainer, rows, torch.Generator().manual_seed(0))
    assert drawn.tolist() == [bad] * 3
    direction = torch.nn.functional.normalize(rows[bad] - before["b_dec"], dim=0)
    for latent in DEAD:
        torch.testing.assert_close(sae.W_dec[latent].detach(), direction)
        torch.testing.assert_close(sae.W_enc[:, latent].detach(), 0.2 * norm * direction)
        assert float(sae.b_enc[latent]) == 0
    assert torch.equal(sae.W_dec[living], before["W_dec"][living])
    assert torch.equal(sae.W_enc[:, living], before["W_enc"][:, living])
    assert not trainer.dead_neurons.any()


def test_adam_forgets_the_dead_and_remembers_the_living(trainer):
    sae, state = trainer.sae, trainer.optimizer.state
    kept = {p: state[p]["exp_avg"].clone() for p in (sae.W_dec, sae.W_enc, sae.b_enc)}
    living = [i for i in range(N) if i not in DEAD]
    resample(trainer, _rows(trainer)[0], torch.Generator().manual_seed(0))
    for weights in (sae.W_dec, sae.W_enc, sae.b_enc):
        for name in ("exp_avg", "exp_avg_sq"):
            by_latent = state[weights][name].t() if weights is sae.W_enc else state[weights][name]
            assert not by_latent[DEAD].any()
            assert by_latent[living].any()
    assert torch.equal(state[sae.W_dec]["exp_avg"][living], kept[sae.W_dec][living])


def test_where_nothing_is_dead_nothing_changes(trainer):
    trainer.n_forward_passes_since_fired[:] = 0
    before = trainer.sae.W_dec.detach().clone()
    drawn = resample(trainer, _rows(trainer)[0], torch.Generator().manual_seed(0))
    assert len(drawn) == 0
    assert torch.equal(trainer.sae.W_dec, before)
