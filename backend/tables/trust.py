"""How far a decomposition can be trusted: other methods on the same rows, cosines."""

from __future__ import annotations

import pyarrow as pa

from backend.tables.columns import LATENT, SAE_ID, SHOWN_BITS, Column, Table

OTHER_DECOMPOSITIONS = Table(
    "other_decompositions",
    "each decoder row of the decomposed SAE rebuilt by other methods than the meta-SAE",
    ("sae_id", "latent", "method", "rank"),
    (
        SAE_ID,
        LATENT,
        Column("method", pa.string(), "as `subject` in the `methods` rows of `measurements`"),
        Column("rank", pa.int32(), "0 is the part of the largest weight"),
        Column("part_sae_id", pa.string(), "SAE of a part that is a latent; null for others", True),
        Column("part", pa.int32(), "latent, cluster, axis or direction, from 0"),
        Column("label", pa.string(), "words of the latents nearest to the part; may be empty"),
        Column(
            "weight",
            pa.float32(),
            "row = bias + sum of weight x part + residual; to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "variance_explained",
            pa.float32(),
            "of this row by all its parts: 1 - |row - rebuilt|^2 / |row - mean row|^2; to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
    ),
)

COSINE_HISTOGRAMS = Table(
    "cosine_histograms",
    "for every pair of dictionaries, the cosine of each direction with the nearest of the other",
    ("from_id", "to_id"),
    (
        Column("from_id", pa.string(), "dictionary whose directions are counted; `random-N` too"),
        Column(
            "to_id",
            pa.string(),
            "dictionary searched; itself, without the direction asked about",
        ),
        Column("edges", pa.list_(pa.float32()), "bin edges, one more than counts"),
        Column("counts", pa.list_(pa.int32()), "directions a bin, sums to n"),
        Column("n", pa.int32(), "directions of `from_id`"),
        Column("mean", pa.float32(), "mean of the cosines"),
        Column("similar_share", pa.float32(), "share at or above the config's similar_cosine"),
    ),
)
