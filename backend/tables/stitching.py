"""SAE stitching: latents that are novel to a smaller SAE, and the way from one SAE to another."""

from __future__ import annotations

import pyarrow as pa

from backend.tables.columns import SHOWN_BITS, Column, Table

_PAIR = (
    Column("small_sae_id", pa.string(), "the smaller SAE of the pair"),
    Column("large_sae_id", pa.string(), "the larger SAE of the pair"),
)

STITCHING = Table(
    "stitching",
    "every latent of the larger SAE of a pair: is it novel to the smaller one?",
    ("small_sae_id", "large_sae_id", "latent"),
    (
        *_PAIR,
        Column("latent", pa.int32(), "latent of the larger SAE"),
        Column(
            "delta_mse",
            pa.float32(),
            "change of the smaller SAE's MSE an element with it added, held-out tokens, to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "ci_low",
            pa.float32(),
            "lower end of its 95 % bootstrap interval over contexts, to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
        Column("ci_high", pa.float32(), "upper end", mantissa_bits=SHOWN_BITS),
        Column("fired", pa.int32(), "tokens of the sample on which it fires"),
        Column(
            "kind",
            pa.string(),
            "novel (delta_mse < 0), reconstruction, or silent: never fired in the sample",
        ),
        Column("nearest_latent", pa.int32(), "latent of the smaller SAE of highest decoder cosine"),
        Column("max_cosine", pa.float32(), "that cosine"),
        Column("together", pa.int32(), "tokens on which it and its nearest latent both fire"),
        Column(
            "group",
            pa.int32(),
            "swap group (`swap_groups` has those of pairs with a curve); null without counterpart",
            True,
        ),
    ),
)

SWAP_GROUPS = Table(
    "swap_groups",
    "latents of both SAEs that must be swapped together, by falling mean cosine",
    ("small_sae_id", "large_sae_id", "group"),
    (
        *_PAIR,
        Column("group", pa.int32(), "number of the group, from 0"),
        Column("mean_cosine", pa.float32(), "over its pairs of similar latents"),
        Column("is_split", pa.bool_(), "a star cut from a component that was too large"),
        Column("small_latents", pa.list_(pa.int32()), "its latents of the smaller SAE"),
        Column("large_latents", pa.list_(pa.int32()), "its latents of the larger SAE"),
    ),
)

STITCH_CURVE = Table(
    "stitch_curve",
    "from the smaller SAE to the larger: novel latents join, then groups are swapped",
    ("small_sae_id", "large_sae_id", "step"),
    (
        *_PAIR,
        Column("step", pa.int16(), "0 is the smaller SAE, the last one the larger"),
        Column("action", pa.string(), "what the step did: start, insert, swap, rest or bias"),
        Column("n_small", pa.int32(), "latents of the smaller SAE that are left"),
        Column("n_large", pa.int32(), "latents of the larger SAE that have joined"),
        Column("l0", pa.float32(), "mean active latents a token"),
        Column("mse", pa.float64(), "mean squared error an element, held-out tokens"),
        Column("variance_explained", pa.float32(), "1 - SSE / centred total SS of these tokens"),
        Column(
            "effect",
            pa.float32(),
            "what the splice does to the model: cosine distance of the final embedding (encoder) "
            "or rise of the cross-entropy in nats (causal model)",
        ),
        Column("effect_low", pa.float32(), "lower end of its 95 % interval over contexts"),
        Column("effect_high", pa.float32(), "upper end"),
        Column("kl", pa.float32(), "KL divergence in nats a token; null for an encoder", True),
        Column(
            "refit_variance_explained",
            pa.float32(),
            "variance explained with a least-squares decoder; null where it was not fitted",
            True,
        ),
    ),
)
