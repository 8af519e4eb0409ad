"""How far a decomposition can be trusted: other methods on the same rows, cosines."""

from __future__ import annotations

from backend.tables.columns import LATENT, SAE_ID, SHOWN_BITS, Column, Table
from backend.tables.types import FLOAT32, INT32, STRING, ListOf

OTHER_DECOMPOSITIONS = Table(
    "other_decompositions",
    "each decoder row of the decomposed SAE rebuilt by other methods than the meta-SAE",
    ("sae_id", "latent", "method", "rank"),
    (
        SAE_ID,
        LATENT,
        Column("method", STRING, "as `subject` in the `methods` rows of `measurements`"),
        Column("rank", INT32, "0 is the part of the largest weight"),
        Column("part_sae_id", STRING, "SAE of a part that is a latent; null for others", True),
        Column("part", INT32, "latent, cluster, axis or direction, from 0"),
        Column("label", STRING, "words of the latents nearest to the part; may be empty"),
        Column(
            "weight",
            FLOAT32,
            "row = bias + sum of weight x part + residual; to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "variance_explained",
            FLOAT32,
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
        Column("from_id", STRING, "dictionary whose directions are counted; `random-N` too"),
        Column(
            "to_id",
            STRING,
            "dictionary searched; itself, without the direction asked about",
        ),
        Column("edges", ListOf(FLOAT32), "bin edges, one more than counts"),
        Column("counts", ListOf(INT32), "directions a bin, sums to n"),
        Column("n", INT32, "directions of `from_id`"),
        Column("mean", FLOAT32, "mean of the cosines"),
        Column("similar_share", FLOAT32, "share at or above the config's similar_cosine"),
    ),
)
