"""A decomposition adds up, and its stability and its nulls mean what they say."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

from precompute import decomposition
from precompute.decomposition import (
    Decomposition,
    covariance_matched_rows,
    decompose,
    isotropic_rows,
    matched_meta_latents,
    random_directions,
    stability,
)
from precompute.dictionary import Dictionary, exact_threshold
from tests.precompute.planted import D_IN, gaussian_rows

N_META, N_ROWS = 24, 150
WITHOUT = 7  # a row that no meta-latent is active on


def _meta(seed: int = 0) -> Dictionary:
    directions = gaussian_rows(N_META, seed=seed)
    return Dictionary(
        W_enc=0.9 * directions.t().contiguous(),
        b_enc=torch.zeros(N_META),
        W_dec=directions,
        b_dec=0.02 * torch.ones(D_IN),
        threshold=0.0,
    )


@pytest.fixture(scope="module")
def rows() -> torch.Tensor:
    """Unit rows with a direction in common; one points away from every meta-latent."""
    rows = gaussian_rows(N_ROWS, seed=50) + 0.1
    rows[WITHOUT] = -torch.linalg.lstsq(_meta().W_dec, torch.ones(N_META, 1)).solution[:, 0]
    return rows / rows.norm(dim=1, keepdim=True)


@pytest.fixture(scope="module")
def meta(rows: torch.Tensor) -> Dictionary:
    meta = _meta()
    return meta.with_threshold(exact_threshold(meta, rows, 4))


@pytest.fixture(scope="module")
def found(meta: Dictionary, rows: torch.Tensor) -> Decomposition:
    return decompose(meta, rows)


def _by_row(found: Decomposition, values: np.ndarray) -> np.ndarray:
    return np.bincount(found.latent, values, minlength=N_ROWS)


def test_components_are_the_active_meta_latents_of_each_row(found, meta, rows):
    acts = meta.encode(rows).numpy()
    dense = np.zeros_like(acts)
    dense[found.latent, found.meta_latent] = found.activation
    assert np.array_equal(dense, acts)
    assert (found.activation > 0).all()
    assert found.n_components.tolist() == (acts > 0).sum(1).tolist()
    assert found.n_components.mean() == pytest.approx(4.0)
    assert (np.diff(found.keys(N_META)) > 0).all()


def test_shares_bias_and_residual_add_up_to_one_on_every_row(found):
    total = _by_row(found, found.share) + found.bias_share + found.residual_share
    np.testing.assert_allclose(total, 1.0, atol=1e-5)
    assert (found.bias_share != 0).any()


def test_shares_and_cosines_follow_their_formulas(found, meta, rows):
    for i in range(0, len(found.latent), 37):
        row, direction = rows[found.latent[i]], meta.W_dec[found.meta_latent[i]]
        projection = float(row @ direction)
        assert found.cosine[i] == pytest.approx(projection / float(row.norm()), abs=1e-6)
        expected = found.activation[i] * projection / float(row @ row)
        assert found.share[i] == pytest.approx(expected, abs=1e-6)


def test_fidelity_follows_its_formula(found, meta, rows):
    rebuilt = meta.decode(meta.encode(rows)).double().numpy()
    x = rows.double().numpy()
    explained = 1 - ((x - rebuilt) ** 2).sum(1) / ((x - x.mean(0)) ** 2).sum(1)
    np.testing.assert_allclose(found.variance_explained, explained, atol=1e-5)
    cosine = (x * rebuilt).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(rebuilt, axis=1)
    np.testing.assert_allclose(found.row_cosine, cosine, atol=1e-5)


def test_the_size_of_a_block_changes_nothing(found, meta, rows, monkeypatch):
    monkeypatch.setattr(decomposition, "ROWS_AT_ONCE", 37)
    in_blocks = decompose(meta, rows)
    for name, values in vars(found).items():
        np.testing.assert_allclose(getattr(in_blocks, name), values, atol=1e-6, err_msg=name)


def test_a_row_without_a_component_is_bias_and_residual_alone(found):
    assert found.n_components[WITHOUT] == 0
    assert WITHOUT not in found.latent
    assert found.bias_share[WITHOUT] + found.residual_share[WITHOUT] == pytest.approx(1.0)
    assert np.isfinite(found.row_cosine).all()
    assert np.isfinite(found.variance_explained).all()


def test_rows_that_are_all_alike_divide_nothing_by_zero(meta):
    alike = decompose(meta, gaussian_rows(1).repeat(5, 1))
    assert np.isfinite(alike.variance_explained).all()


def test_a_row_of_zeros_has_figures_that_are_numbers(meta, rows):
    """Some published SAEs hold them: latents that were taken out."""
    with_zeros = rows.clone()
    with_zeros[3] = 0.0
    found = decompose(meta, with_zeros)
    assert found.bias_share[3] == 0.0
    for field in fields(found):
        values = getattr(found, field.name)
        assert np.isfinite(values).all(), field.name


def test_rows_of_any_length_still_add_up(meta, rows):
    longer = decompose(meta, 3.0 * rows)
    total = _by_row(longer, longer.share) + longer.bias_share + longer.residual_share
    np.testing.assert_allclose(total, 1.0, atol=1e-5)


def _shuffled(meta: Dictionary, order: torch.Tensor) -> Dictionary:
    return Dictionary(
        meta.W_enc[:, order], meta.b_enc[order], meta.W_dec[order], meta.b_dec, meta.threshold
    )


@pytest.fixture(params=["all pairs compete", "similar pairs compete"])
def assigned(request, monkeypatch) -> None:
    """Both ways of matching, whatever the number of meta-latents."""
    most = 8192 if request.param == "all pairs compete" else 0
    monkeypatch.setattr(decomposition, "MOST_ASSIGNED", most)


@pytest.mark.usefixtures("assigned")
def test_matching_finds_a_shuffled_copy(meta):
    order = torch.randperm(N_META, generator=torch.Generator().manual_seed(1))
    match = matched_meta_latents(meta, _shuffled(meta, order), 0.7)
    assert order[match].tolist() == list(range(N_META))


@pytest.mark.usefixtures("assigned")
def test_below_the_cosine_there_is_no_match(meta):
    assert matched_meta_latents(meta, _meta(seed=99), 0.9).tolist() == [-1] * N_META


@pytest.mark.usefixtures("assigned")
def test_a_meta_latent_is_matched_once_even_if_two_would_like_it(meta):
    twins = Dictionary(meta.W_enc, meta.b_enc, meta.W_dec.clone(), meta.b_dec, meta.threshold)
    twins.W_dec[1] = twins.W_dec[0]
    match = matched_meta_latents(twins, meta, 0.7)
    matched = match[match >= 0]
    assert len(set(matched.tolist())) == len(matched) == N_META - 1
    assert sorted(match[:2].tolist()) == [-1, 0]


@pytest.mark.usefixtures("assigned")
def test_the_nearest_is_given_up_where_that_gives_two_a_match():
    """Row 0 is nearest to a, and so is row 1, which is near to no other: row 0 takes b."""
    angles = torch.tensor([0.0, 0.5, 0.1, -0.45])  # rows 0 and 1, then a and b
    flat = torch.zeros(4, D_IN)
    flat[:, 0], flat[:, 1] = angles.cos(), angles.sin()
    two, others = (Dictionary(r.t(), r[:, 0], r, r[0], 0.0) for r in (flat[:2], flat[2:]))
    assert matched_meta_latents(two, others, 0.85).tolist() == [1, 0]


def test_identical_meta_saes_are_fully_stable_and_unrelated_ones_not_at_all(found, meta, rows):
    order = torch.randperm(N_META, generator=torch.Generator().manual_seed(1))
    copy, unrelated = _shuffled(meta, order), _meta(seed=99).with_threshold(meta.threshold)
    others = [(decompose(m, rows), matched_meta_latents(meta, m, 0.7)) for m in (copy, unrelated)]
    assert (stability(found, others[:1], N_META) == 1.0).all()
    assert (stability(found, others[1:], N_META) == 0.0).all()
    assert (stability(found, others, N_META) == 0.5).all()  # found in one of two seeds


def test_a_component_is_stable_only_where_its_match_is_active(found, meta, rows):
    """A copy with meta-latent 0 switched off loses exactly the components of meta-latent 0."""
    bias = meta.b_enc.clone()
    bias[0] = -100.0
    off = Dictionary(meta.W_enc, bias, meta.W_dec, meta.b_dec, meta.threshold)
    match = matched_meta_latents(meta, off, 0.7)
    stable = stability(found, [(decompose(off, rows), match)], N_META)
    assert stable.tolist() == (found.meta_latent != 0).astype(float).tolist()
    assert 0 < (stable == 0).sum() < len(stable)


def test_isotropic_rows_have_unit_norm_and_no_direction_of_their_own(rows):
    null = isotropic_rows(torch.empty(5000, D_IN), seed=0)
    torch.testing.assert_close(null.norm(dim=1), torch.ones(5000))
    assert float(null.mean(0).norm()) < 3 / 5000**0.5
    eigenvalues = torch.linalg.eigvalsh(torch.cov(null.t()))
    # Marchenko-Pastur: (1 +- sqrt(48 / 5000))^2 / 48, a tenth either side for chance
    edge = (D_IN / 5000) ** 0.5
    assert float(eigenvalues[-1]) * D_IN < 1.1 * (1 + edge) ** 2
    assert float(eigenvalues[0]) * D_IN > 0.9 * (1 - edge) ** 2
    assert torch.equal(null, isotropic_rows(torch.empty(5000, D_IN), seed=0))
    assert isotropic_rows(rows, seed=0).shape == rows.shape


@pytest.mark.parametrize("null_rows", [isotropic_rows, covariance_matched_rows])
def test_null_rows_are_not_where_a_training_of_the_same_seed_starts(rows, null_rows):
    null = null_rows(rows, seed=0)
    start = random_directions(N_META, D_IN, seed=0)
    # a repeated row has a cosine of 1; the best of so few unrelated ones in d = 48 is below .9
    assert float((start @ null.t()).max()) < 0.9


def test_covariance_matched_rows_keep_mean_direction_and_principal_axes():
    generator = torch.Generator().manual_seed(3)
    scales = torch.linspace(2.0, 0.2, D_IN)
    rows = torch.randn(5000, D_IN, generator=generator) * scales + 1.0
    rows = rows / rows.norm(dim=1, keepdim=True)
    null = covariance_matched_rows(rows, seed=0)
    torch.testing.assert_close(null.norm(dim=1), torch.ones(5000))
    cosine = torch.nn.functional.cosine_similarity(null.mean(0), rows.mean(0), dim=0)
    assert float(cosine) > 0.99
    theirs, ours = torch.cov(rows.t()), torch.cov(null.t())
    assert float((theirs - ours).norm() / theirs.norm()) < 0.1
    assert float((null - rows).norm(dim=1).mean()) > 0.5  # new rows, not the old ones


def test_null_rows_made_in_blocks_are_the_same_rows(rows, monkeypatch):
    whole = covariance_matched_rows(rows, seed=0)
    monkeypatch.setattr(decomposition, "COVARIANCE_ROWS", 37)
    torch.testing.assert_close(covariance_matched_rows(rows, seed=0), whole, atol=1e-4, rtol=0)
