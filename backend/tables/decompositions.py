"""Decompositions, sorted for a latent and again for a meta-latent."""

from __future__ import annotations

from backend.tables.columns import SHOWN_BITS, Column, Table
from backend.tables.types import FLOAT32, INT32, STRING

_COMPONENT_COLUMNS = (
    Column("meta_sae_id", STRING, "meta-SAE that made the decomposition"),
    Column("latent", INT32, "latent of the parent SAE"),
    Column("meta_latent", INT32, "meta-latent active on it"),
    Column(
        "activation",
        FLOAT32,
        "its weight: row = bias + sum of activation x direction + residual",
        mantissa_bits=SHOWN_BITS,
    ),
    Column(
        "cosine",
        FLOAT32,
        "cosine of the meta-latent's direction and the decoder row",
        mantissa_bits=SHOWN_BITS,
    ),
    Column(
        "share",
        FLOAT32,
        "activation x <direction, row> / <row, row>; signed, adds to 1 with bias and residual",
        mantissa_bits=SHOWN_BITS,
    ),
    Column(
        "stability",
        FLOAT32,
        "share of the other seeds in which a matched meta-latent is active on the latent",
        True,
    ),
)

COMPONENTS = Table(
    "components",
    "decompositions: the meta-latents active on each latent's decoder row",
    ("meta_sae_id", "latent", "meta_latent"),
    _COMPONENT_COLUMNS,
)
MEMBERS = Table(
    "members",
    "the same rows sorted by meta-latent: which latents a meta-latent is part of",
    ("meta_sae_id", "meta_latent", "latent"),
    _COMPONENT_COLUMNS,
)
