"""The sparse training step does the same maths as sae-lens' dense one."""

from __future__ import annotations

import pytest
import torch
from sae_lens.saes.batchtopk_sae import BatchTopKTrainingSAE, BatchTopKTrainingSAEConfig
from sae_lens.saes.sae import TrainStepInput, TrainStepOutput

from precompute.sparse_batchtopk import SparseBatchTopKTrainingSAE

D_IN, N_LATENTS, BATCH = 16, 48, 64
PARAMETERS = ("W_enc", "b_enc", "W_dec", "b_dec")


def _config(k: float, apply_b_dec_to_input: bool = True) -> BatchTopKTrainingSAEConfig:
    return BatchTopKTrainingSAEConfig(
        d_in=D_IN, d_sae=N_LATENTS, k=k, apply_b_dec_to_input=apply_b_dec_to_input
    )


def _pair(
    k: float, apply_b_dec_to_input: bool = True
) -> tuple[SparseBatchTopKTrainingSAE, BatchTopKTrainingSAE]:
    """Both classes with the same weights; decoder norms differ from 1 and between latents."""
    config = _config(k, apply_b_dec_to_input)
    sparse, dense = SparseBatchTopKTrainingSAE(config), BatchTopKTrainingSAE(config)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name in PARAMETERS:
            shape = getattr(dense, name).shape
            values = 0.4 * torch.randn(shape, generator=generator)
            getattr(dense, name).copy_(values)
            getattr(sparse, name).copy_(values)
    return sparse, dense


def _rows(seed: int = 0) -> torch.Tensor:
    return torch.randn(BATCH, D_IN, generator=torch.Generator().manual_seed(seed))


def _step(
    sae: BatchTopKTrainingSAE, rows: torch.Tensor, dead: torch.Tensor | None = None
) -> TrainStepOutput:
    return sae.training_forward_pass(TrainStepInput(rows, {}, dead, 0, False))


def _acts(output: TrainStepOutput) -> torch.Tensor:
    return output.feature_acts.to_dense().detach()


@pytest.mark.parametrize("k", [3, 2.5])
@pytest.mark.parametrize("apply_b_dec_to_input", [True, False])
@pytest.mark.parametrize("n_dead", [0, 3, 20])
def test_loss_entries_and_gradients_equal_those_of_sae_lens(k, apply_b_dec_to_input, n_dead):
    sparse, dense = _pair(k, apply_b_dec_to_input)
    dead = torch.arange(N_LATENTS) < n_dead  # 20 > d_in / 2: the auxiliary k is cut as well
    ours, theirs = _step(sparse, _rows(), dead), _step(dense, _rows(), dead)
    torch.testing.assert_close(_acts(ours), _acts(theirs), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours.sae_out, theirs.sae_out, rtol=1e-5, atol=1e-5)
    for name in ("mse_loss", "auxiliary_reconstruction_loss"):
        torch.testing.assert_close(
            torch.as_tensor(ours.losses[name]), torch.as_tensor(theirs.losses[name])
        )
    assert bool(ours.losses["auxiliary_reconstruction_loss"] > 0) == (n_dead > 0)
    ours.loss.backward()
    theirs.loss.backward()
    for name in PARAMETERS:
        mine, reference = getattr(sparse, name).grad, getattr(dense, name).grad
        assert reference.abs().max() > 1e-3, name  # a gradient of zeros would prove nothing
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize(("k", "n_kept"), [(3, 192), (2.5, 160), (0.1, 6)])
def test_exactly_k_times_the_batch_is_kept(k, n_kept):
    sparse, _ = _pair(k)
    acts = _acts(_step(sparse, _rows()))
    assert int((acts != 0).sum()) == n_kept  # int(k * 64)


def test_when_fewer_entries_are_positive_all_of_them_are_kept():
    sparse, dense = _pair(k=20)
    with torch.no_grad():
        sparse.b_enc.sub_(3.0)
        dense.b_enc.sub_(3.0)
    ours, theirs = _acts(_step(sparse, _rows())), _acts(_step(dense, _rows()))
    assert 0 < int((theirs > 0).sum()) < 20 * BATCH
    torch.testing.assert_close(ours, theirs)


def test_a_batch_without_a_positive_entry_gives_the_bias_and_keeps_the_threshold():
    sparse, _ = _pair(k=3)
    with torch.no_grad():
        sparse.b_enc.sub_(1e3)
    output = _step(sparse, _rows())
    torch.testing.assert_close(output.sae_out, sparse.b_dec.expand(BATCH, -1))
    assert float(sparse.topk_threshold) == 0.0
    output.loss.backward()


def test_of_equal_scores_the_first_rows_win():
    config = BatchTopKTrainingSAEConfig(d_in=4, d_sae=4, k=2.5)
    sae = SparseBatchTopKTrainingSAE(config)
    with torch.no_grad():
        sae.W_enc.copy_(torch.eye(4))
        sae.W_dec.copy_(torch.eye(4))
    rows = torch.tensor([4.0, 3.0, 2.0, 1.0]).expand(6, 4)
    acts = _acts(_step(sae, rows))
    # 15 entries for 6 equal rows: the 4s and 3s of all, the 2s of the first three
    assert acts.tolist() == [[4, 3, 2, 0]] * 3 + [[4, 3, 0, 0]] * 3
    assert torch.equal(_acts(_step(sae, rows)), acts)


def test_the_threshold_starts_at_its_first_value_and_then_runs_as_a_mean():
    sparse, _ = _pair(k=3)
    first = _acts(_step(sparse, _rows(0)))
    smallest = float(first[first > 0].min())
    assert float(sparse.topk_threshold) == pytest.approx(smallest, rel=1e-6)
    second = _acts(_step(sparse, _rows(1)))
    expected = 0.99 * smallest + 0.01 * float(second[second > 0].min())
    assert float(sparse.topk_threshold) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("stronger", ["threshold", "last batch"])
def test_a_cut_that_is_too_high_for_the_batch_loses_nothing(stronger):
    expected = _acts(_step(_pair(k=3)[0], _rows()))
    sparse, _ = _pair(k=3)
    if stronger == "threshold":
        sparse.topk_threshold.fill_(1e6)
    else:
        _step(sparse, 1e4 * _rows(1))
    torch.testing.assert_close(_acts(_step(sparse, _rows())), expected)


def test_the_size_of_the_encoder_blocks_changes_nothing(monkeypatch):
    sparse, _ = _pair(k=3)
    expected = _acts(_step(sparse, _rows()))
    monkeypatch.setattr("precompute.sparse.ENCODE_BLOCK_ENTRIES", 7 * N_LATENTS)
    monkeypatch.setattr("precompute.sparse.GATHER_BLOCK_ENTRIES", 5)
    torch.testing.assert_close(_acts(_step(sparse, _rows())), expected)


def test_under_autocast_only_the_choice_of_entries_is_coarse():
    sparse, _ = _pair(k=3)
    with torch.autocast("cpu", torch.bfloat16):
        output = _step(sparse, _rows())
    assert output.sae_out.dtype == torch.float32
    chosen = _acts(output) != 0
    assert int(chosen.sum()) == 3 * BATCH
    with torch.no_grad():
        exact = ((_rows() - sparse.b_dec) @ sparse.W_enc + sparse.b_enc).relu() * chosen
        expected = exact @ sparse.W_dec + sparse.b_dec
    torch.testing.assert_close(output.sae_out.detach(), expected, rtol=1e-5, atol=1e-5)


def test_a_config_that_the_sparse_step_cannot_honour_is_refused():
    config = _config(3)
    config.rescale_acts_by_decoder_norm = False
    with pytest.raises(ValueError, match="rescale_acts_by_decoder_norm"):
        SparseBatchTopKTrainingSAE(config)
