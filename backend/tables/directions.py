"""Weights that pages compute with: decoder directions, and encoders for a reader's own text."""

from __future__ import annotations

from backend.tables.columns import LATENT, SAE_ID, WIDE_ROW_GROUP_ROWS, Column, Table
from backend.tables.types import BINARY, FLOAT32

DIRECTIONS = Table(
    "directions",
    "decoder rows (and encoders) of the decomposed SAEs and of their meta-SAEs, in 8 bits",
    ("sae_id", "latent"),
    (
        SAE_ID,
        LATENT,
        Column("decoder", BINARY, "d_in signed bytes: decoder row / decoder_scale, rounded"),
        Column("decoder_scale", FLOAT32, "decoder row = decoder x decoder_scale"),
        Column("encoder", BINARY, "the same of the encoder; null when not kept", True),
        Column("encoder_scale", FLOAT32, "encoder = encoder x encoder_scale", True),
        Column(
            "encoder_bias",
            FLOAT32,
            "activation = x . encoder + encoder_bias where that exceeds the threshold",
            True,
        ),
        Column(
            "encoder_threshold",
            FLOAT32,
            "threshold of this latent; null when its SAE has one for all, in `saes`",
            True,
        ),
    ),
    row_group_rows=WIDE_ROW_GROUP_ROWS,
)
