"""A direction fires on the share of tokens that it was given, and on those furthest along it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from precompute.config import ConfigError
from precompute.dictionary import Dictionary
from precompute.named import dictionary
from precompute.named.dictionary import directions_dictionary, spread_rows

CPU = torch.device("cpu")
D_IN, N_ROWS = 16, 20_000


def _units(n: int, seed: int = 1) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, D_IN)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def train() -> np.ndarray:
    """Skewed rows far from the origin, as activations are."""
    rows = np.random.default_rng(0).exponential(size=(N_ROWS, D_IN)) ** 2
    return (rows + np.arange(D_IN)).astype(np.float16)


def _fired(sae: Dictionary, rows: np.ndarray) -> np.ndarray:
    return (sae.encode(torch.from_numpy(rows).float()) > 0).sum(0).numpy()


@pytest.mark.parametrize("share", [0.1, 0.01, 0.001])
def test_every_direction_fires_on_the_share_asked_for(share: float, train: np.ndarray):
    sae = directions_dictionary(_units(40), train, share, "x", CPU)
    # exact but for ties of float32: all rows are used, as there are few
    np.testing.assert_allclose(_fired(sae, train), round(share * N_ROWS), atol=1)


def test_a_sample_gives_the_share_within_its_counting_error(train: np.ndarray, monkeypatch):
    monkeypatch.setattr(dictionary, "LEAST_SAMPLE", 1)
    monkeypatch.setattr(dictionary, "LEAST_FIRINGS", 50)
    share = 0.02  # 50 / 0.02: 2,500 rows or a little more, of 20,000
    assert len(spread_rows(train, 2500)) == 2500
    sae = directions_dictionary(_units(40), train, share, "x", CPU)
    fired = _fired(sae, train)
    error = share * N_ROWS / math.sqrt(50)  # one standard error of the quantile
    assert 0 < np.abs(fired - share * N_ROWS).max() < 4 * error
    assert abs(fired.mean() - share * N_ROWS) < error


def test_slices_of_directions_change_nothing(train: np.ndarray, monkeypatch):
    whole = directions_dictionary(_units(10), train, 0.01, "x", CPU)
    monkeypatch.setattr(dictionary, "KEPT_VALUES", 3 * (2 * 200 + 4096))  # 3 directions at once
    parts = directions_dictionary(_units(10), train, 0.01, "x", CPU)
    torch.testing.assert_close(whole.threshold, parts.threshold)


def test_an_activation_is_the_projection_of_what_a_row_has_beyond_the_mean(train: np.ndarray):
    units = _units(5)
    sae = directions_dictionary(units, train, 0.05, "x", CPU)
    wide = train.astype(np.float64)
    projections = (wide - wide.mean(0)) @ units.T.astype(np.float64)
    acts = sae.encode(torch.from_numpy(train).float()).numpy()
    fires = acts > 0
    np.testing.assert_allclose(acts[fires], projections[fires], rtol=1e-4)
    for latent in range(5):  # nothing that is silent lies further along
        assert projections[~fires[:, latent], latent].max() <= acts[fires[:, latent], latent].min()
    np.testing.assert_array_equal(sae.W_dec.numpy(), units)
    np.testing.assert_array_equal(sae.W_enc.t().numpy(), units)


def test_a_token_on_the_other_side_of_the_mean_never_fires():
    train = np.zeros((1000, D_IN), np.float16)
    train[:10, 0] = 1  # the mean is 0.01, so 990 projections on axis 0 are -0.01
    axis = np.eye(2, D_IN, dtype=np.float32)
    sae = directions_dictionary(axis, train, 0.05, "x", CPU)
    assert _fired(sae, train).tolist() == [10, 0]  # 50 asked for; axis 1 is always 0
    assert isinstance(sae.threshold, torch.Tensor)
    assert float(sae.threshold.min()) >= 0


def test_it_survives_its_file(train: np.ndarray, tmp_path: Path):
    sae = directions_dictionary(_units(5), train, 0.01, "x", CPU)
    sae.save(tmp_path, {})
    np.testing.assert_array_equal(
        _fired(Dictionary.load(tmp_path), train[:2000]), _fired(sae, train[:2000])
    )


def test_a_share_of_next_to_no_token_is_refused(train: np.ndarray):
    with pytest.raises(ConfigError, match=r"firing_share = 0.0002 of 20,000 .* Give 0.00025"):
        directions_dictionary(_units(4), train, 0.0002, "x", CPU)
