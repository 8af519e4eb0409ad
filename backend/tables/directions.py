"""Weights that pages compute with: decoder directions, and encoders for a reader's own text."""

from __future__ import annotations

import pyarrow as pa

from backend.tables.columns import LATENT, SAE_ID, WIDE_ROW_GROUP_ROWS, Column, Table

DIRECTIONS = Table(
    "directions",
    "decoder rows (and encoders) of the decomposed SAEs and of their meta-SAEs, in 8 bits",
    ("sae_id", "latent"),
    (
        SAE_ID,
        LATENT,
        Column("decoder", pa.binary(), "d_in signed bytes: decoder row / decoder_scale, rounded"),
        Column("decoder_scale", pa.float32(), "decoder row = decoder x decoder_scale"),
        Column("encoder", pa.binary(), "the same of the encoder; null when not kept", True),
        Column("encoder_scale", pa.float32(), "encoder = encoder x encoder_scale", True),
        Column(
            "encoder_bias",
            pa.float32(),
            "activation = x . encoder + encoder_bias where that exceeds the threshold",
            True,
        ),
        Column(
            "encoder_threshold",
            pa.float32(),
            "threshold of this latent; null when its SAE has one for all, in `saes`",
            True,
        ),
    ),
    row_group_rows=WIDE_ROW_GROUP_ROWS,
)
