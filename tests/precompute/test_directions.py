"""Weights in 8 bits: how far they are from the real ones, and what identifies them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from backend.tables.directions import DIRECTIONS
from precompute.dictionary import Dictionary
from precompute.directions import ENCODER_STEPS, decoder_sha256, direction_table, in_steps

N_LATENTS, D_IN = 6, 384


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(N_LATENTS, D_IN, generator=generator)
    return Dictionary(
        W_enc=torch.randn(D_IN, N_LATENTS, generator=generator),
        b_enc=torch.randn(N_LATENTS, generator=generator),
        W_dec=rows / rows.norm(dim=1, keepdim=True),
        b_dec=torch.zeros(D_IN),
        threshold=0.4,
    )


def test_a_step_is_an_eighth_of_the_rows_deviation():
    rows = np.random.default_rng(0).normal(size=(50, D_IN)).astype(np.float32)
    values, steps = in_steps(rows, ENCODER_STEPS)
    assert values.dtype == np.int8
    np.testing.assert_allclose(steps, rows.std(1) / 8, rtol=1e-6)
    error = ((values * steps[:, None] - rows) ** 2).sum() / (rows**2).sum()
    # rounding to steps of s adds s^2 / 12, and s is an eighth of the deviation
    assert error == pytest.approx(1 / (12 * 64), rel=0.05)
    assert np.abs(values * steps[:, None] - rows).max() <= steps.max() / 2 * 1.001


def test_a_row_with_one_large_value_takes_larger_steps_instead_of_losing_it():
    row = np.zeros((1, D_IN), np.float32)
    row[0, 7] = -1.0
    values, steps = in_steps(row, ENCODER_STEPS)
    assert (values[0, 7], np.abs(values[0]).sum()) == (-127, 127)
    assert values[0, 7] * steps[0] == pytest.approx(-1.0)


def test_a_row_of_zeros_stays_zero():
    values, steps = in_steps(np.zeros((2, 4), np.float32), ENCODER_STEPS)
    assert values.tolist() == [[0] * 4] * 2
    assert steps.tolist() == [0.0, 0.0]


def test_rows_rebuild_the_weights(dictionary):
    table = direction_table("sae-6", dictionary)
    assert table.schema == DIRECTIONS.arrow
    for row in table.to_pylist():
        i = row["latent"]
        found = np.frombuffer(row["decoder"], np.int8) * row["decoder_scale"]
        cosine = found @ dictionary.W_dec[i].numpy() / np.linalg.norm(found)
        assert cosine > 0.998  # sqrt(1 - 1 / (12 x 36)) = 0.9988
        encoder = np.frombuffer(row["encoder"], np.int8) * row["encoder_scale"]
        expected = dictionary.W_enc[:, i].numpy()
        np.testing.assert_allclose(encoder, expected, atol=row["encoder_scale"] * 0.501)
        assert row["encoder_bias"] == pytest.approx(float(dictionary.b_enc[i]))
    assert table["latent"].to_pylist() == list(range(N_LATENTS))
    assert table["encoder_threshold"].null_count == N_LATENTS  # one for all


def test_a_part_of_the_rows_is_that_part_of_all(dictionary):
    thresholds = torch.linspace(0.1, 0.9, N_LATENTS)
    each = replace(dictionary, threshold=thresholds)
    parts = [direction_table("sae-6", each, slice(i, i + 4)) for i in (0, 4)]
    assert pa.concat_tables(parts).equals(direction_table("sae-6", each))


def test_a_threshold_for_each_latent_is_kept(dictionary):
    thresholds = torch.linspace(0.1, 0.9, N_LATENTS)
    table = direction_table("sae-6", replace(dictionary, threshold=thresholds))
    assert table["encoder_threshold"].to_pylist() == thresholds.tolist()


def test_the_hash_is_that_of_the_float32_rows_one_after_another(dictionary):
    expected = hashlib.sha256(b"".join(row.numpy().tobytes() for row in dictionary.W_dec))
    assert decoder_sha256(dictionary) == expected.hexdigest()
    turned = Dictionary(
        dictionary.W_enc,
        dictionary.b_enc,
        dictionary.W_dec.T.contiguous().T,  # the same numbers, another order in memory
        dictionary.b_dec,
        dictionary.threshold,
    )
    assert decoder_sha256(turned) == expected.hexdigest()
