"""Weights that pages compute with, in 8 bits: rows of `directions`."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

from backend.tables.directions import DIRECTIONS
from precompute.dictionary import Dictionary

# steps in a standard deviation: the relative squared error is 1 / (12 steps^2). Whether a latent
# fires hangs on its encoder, so that is kept finer than the direction whose cosines are compared
DECODER_STEPS = 6.0
ENCODER_STEPS = 8.0
LARGEST = 127.0


def direction_table(sae_id: str, dictionary: Dictionary, with_encoder: bool) -> pa.Table:
    """One row a latent: its decoder row and, if asked for, its encoder."""
    n = dictionary.n_latents
    decoder, decoder_scale = in_steps(dictionary.W_dec.numpy(), DECODER_STEPS)
    columns = {
        "sae_id": pa.array([sae_id] * n),
        "latent": pa.array(np.arange(n), pa.int32()),
        "decoder": _as_bytes(decoder),
        "decoder_scale": pa.array(decoder_scale),
        "encoder": pa.nulls(n, pa.binary()),
        "encoder_scale": pa.nulls(n, pa.float32()),
        "encoder_bias": pa.nulls(n, pa.float32()),
    }
    if with_encoder:
        encoder, encoder_scale = in_steps(dictionary.W_enc.T.numpy(), ENCODER_STEPS)
        columns["encoder"] = _as_bytes(encoder)
        columns["encoder_scale"] = pa.array(encoder_scale)
        columns["encoder_bias"] = pa.array(dictionary.b_enc.numpy())
    return pa.table(columns, schema=DIRECTIONS.arrow)


def in_steps(rows: np.ndarray, steps_a_deviation: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows [n, d_in] as int8 times a step each, float32 [n].

    There are so many steps in the row's standard deviation, but never such small ones that a value
    would leave the 8 bits. Small numbers compress: a step of the maximum / 127 would cost half as
    much again.
    """
    largest = np.abs(rows).max(1, initial=0.0)
    steps = np.maximum(rows.std(1) / steps_a_deviation, largest / LARGEST).astype(np.float32)
    safe = np.where(steps > 0, steps, 1)[:, None]
    return np.clip(np.rint(rows / safe), -LARGEST, LARGEST).astype(np.int8), steps


def decoder_sha256(dictionary: Dictionary) -> str:
    """SHA-256 of the decoder rows: float32, row by row."""
    rows = np.ascontiguousarray(dictionary.W_dec.numpy(), np.float32)
    return hashlib.sha256(rows.tobytes()).hexdigest()


def _as_bytes(rows: np.ndarray) -> pa.Array:
    return pa.array([row.tobytes() for row in rows], pa.binary())
