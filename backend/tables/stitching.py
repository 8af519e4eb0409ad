"""SAE stitching: latents that are novel to a smaller SAE, and the way from one SAE to another."""

from __future__ import annotations

from backend.tables.columns import SHOWN_BITS, Column, Table
from backend.tables.types import BOOL, FLOAT32, FLOAT64, INT16, INT32, STRING, ListOf

_PAIR = (
    Column("small_sae_id", STRING, "the smaller SAE of the pair"),
    Column("large_sae_id", STRING, "the larger SAE of the pair"),
)

STITCHING = Table(
    "stitching",
    "every latent of the larger SAE of a pair: is it novel to the smaller one?",
    ("small_sae_id", "large_sae_id", "latent"),
    (
        *_PAIR,
        Column("latent", INT32, "latent of the larger SAE"),
        Column(
            "delta_mse",
            FLOAT32,
            "change of the smaller SAE's MSE an element with it added, held-out tokens, to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "ci_low",
            FLOAT32,
            "lower end of its 95 % bootstrap interval over contexts, to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
        Column("ci_high", FLOAT32, "upper end", mantissa_bits=SHOWN_BITS),
        Column("fired", INT32, "tokens of the sample on which it fires"),
        Column(
            "kind",
            STRING,
            "novel (delta_mse < 0), reconstruction, or silent: never fired in the sample",
        ),
        Column("nearest_latent", INT32, "latent of the smaller SAE of highest decoder cosine"),
        Column("max_cosine", FLOAT32, "that cosine"),
        Column("together", INT32, "tokens on which it and its nearest latent both fire"),
        Column(
            "group",
            INT32,
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
        Column("group", INT32, "number of the group, from 0"),
        Column("mean_cosine", FLOAT32, "over its pairs of similar latents"),
        Column("is_split", BOOL, "a star cut from a component that was too large"),
        Column("small_latents", ListOf(INT32), "its latents of the smaller SAE"),
        Column("large_latents", ListOf(INT32), "its latents of the larger SAE"),
    ),
)

STITCH_CURVE = Table(
    "stitch_curve",
    "from the smaller SAE to the larger: novel latents join, then groups are swapped",
    ("small_sae_id", "large_sae_id", "step"),
    (
        *_PAIR,
        Column("step", INT16, "0 is the smaller SAE, the last one the larger"),
        Column("action", STRING, "what the step did: start, insert, swap, rest or bias"),
        Column("n_small", INT32, "latents of the smaller SAE that are left"),
        Column("n_large", INT32, "latents of the larger SAE that have joined"),
        Column("l0", FLOAT32, "mean active latents a token"),
        Column("mse", FLOAT64, "mean squared error an element, held-out tokens"),
        Column("variance_explained", FLOAT32, "1 - SSE / centred total SS of these tokens"),
        Column(
            "effect",
            FLOAT32,
            "what the splice does to the model: cosine distance of the final embedding (encoder) "
            "or rise of the cross-entropy in nats (causal model)",
        ),
        Column("effect_low", FLOAT32, "lower end of its 95 % interval over contexts"),
        Column("effect_high", FLOAT32, "upper end"),
        Column("kl", FLOAT32, "KL divergence in nats a token; null for an encoder", True),
        Column(
            "refit_variance_explained",
            FLOAT32,
            "variance explained with a least-squares decoder; null where it was not fitted",
            True,
        ),
    ),
)
