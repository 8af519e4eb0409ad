"""A dictionary on disk, its threshold, and how well it rebuilds rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sae_lens import SAE

from precompute.dictionary import Dictionary, exact_threshold, fidelity

D_IN, N_LATENTS, N_ROWS = 12, 40, 9001  # more rows than two blocks of 4096


def _dictionary(threshold: float = 0.7) -> Dictionary:
    generator = torch.Generator().manual_seed(3)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    decoder = draw(N_LATENTS, D_IN)
    return Dictionary(
        W_enc=0.4 * draw(D_IN, N_LATENTS),
        b_enc=0.1 * draw(N_LATENTS),
        W_dec=decoder / decoder.norm(dim=1, keepdim=True),
        b_dec=0.3 * draw(D_IN),
        threshold=threshold,
    )


@pytest.fixture(scope="module")
def rows() -> torch.Tensor:
    return torch.randn(N_ROWS, D_IN, generator=torch.Generator().manual_seed(4)) + 0.5


def test_encode_keeps_a_score_only_above_the_threshold():
    one = torch.ones(1, 1)
    dictionary = Dictionary(one, torch.zeros(1), one, torch.zeros(1), threshold=2.0)
    acts = dictionary.encode(torch.tensor([[1.0], [2.0], [2.5], [-3.0]]))
    assert acts.flatten().tolist() == [0.0, 0.0, 2.5, 0.0]  # 2.0 does not exceed 2.0


def test_what_is_loaded_equals_what_was_saved(tmp_path, rows):
    saved = _dictionary()
    saved.save(tmp_path, {"sae_id": "sae-40"})
    loaded = Dictionary.load(tmp_path)
    for name in ("W_enc", "b_enc", "W_dec", "b_dec"):
        assert torch.equal(getattr(loaded, name), getattr(saved, name)), name
    assert loaded.threshold == pytest.approx(saved.threshold, rel=1e-7)
    assert torch.equal(loaded.encode(rows), saved.encode(rows))


def test_sae_lens_opens_the_folder_and_computes_the_same(tmp_path, rows):
    dictionary = _dictionary()
    dictionary.save(tmp_path, {"sae_id": "sae-40"})
    theirs = SAE.load_from_disk(tmp_path)
    with torch.no_grad():
        acts = theirs.encode(rows)
        assert 0 < int((acts > 0).sum()) < acts.numel()
        torch.testing.assert_close(acts, dictionary.encode(rows))
        torch.testing.assert_close(theirs.decode(acts), dictionary.decode(acts))


@pytest.mark.parametrize("k", [1, 4, 2.5])
@pytest.mark.parametrize("as_array", [True, False])
def test_at_the_exact_threshold_k_latents_a_row_are_active(rows, k, as_array):
    dictionary = _dictionary(threshold=0.0)
    data = rows.numpy() if as_array else rows
    threshold = exact_threshold(dictionary, data, k)
    ranked = np.sort(dictionary.scores(rows).numpy().ravel())[::-1]
    n_keep = round(k * N_ROWS)
    assert ranked[n_keep] < threshold < ranked[n_keep - 1]
    assert threshold == pytest.approx((float(ranked[n_keep]) + float(ranked[n_keep - 1])) / 2)
    active = int((dictionary.with_threshold(threshold).encode(rows) > 0).sum())
    assert active == n_keep


def test_when_fewer_than_k_a_row_are_positive_the_threshold_is_zero(rows):
    quiet = _dictionary(threshold=0.0)
    quiet = Dictionary(quiet.W_enc, quiet.b_enc - 3, quiet.W_dec, quiet.b_dec, 0.0)
    n_positive = int((quiet.scores(rows) > 0).sum())
    assert 0 < n_positive < 2 * N_ROWS
    assert exact_threshold(quiet, rows, 2) == 0.0


def test_fidelity_follows_its_plain_formula(rows):
    dictionary = _dictionary()
    measured = fidelity(dictionary, rows)
    x = rows.double().numpy()
    acts = dictionary.encode(rows)
    error = x - dictionary.decode(acts).double().numpy()
    expected = 1 - (error**2).sum() / ((x - x.mean(0)) ** 2).sum()
    assert measured.variance_explained == pytest.approx(expected, abs=1e-6)
    assert measured.l0 == pytest.approx(float((acts > 0).sum()) / N_ROWS)
    assert measured.fired.tolist() == (acts > 0).sum(0).tolist()
    assert measured.n_rows == N_ROWS


def test_rebuilding_every_row_by_their_mean_explains_nothing(rows):
    dictionary = _dictionary(threshold=1e9)
    at_mean = Dictionary(
        dictionary.W_enc, dictionary.b_enc, dictionary.W_dec, rows.mean(0), threshold=1e9
    )
    assert fidelity(at_mean, rows).variance_explained == pytest.approx(0.0, abs=1e-6)
