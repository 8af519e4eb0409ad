"""SAEs and their latents."""

from __future__ import annotations

import pyarrow as pa

from backend.tables.columns import (
    LATENT,
    SAE_ID,
    SHOWN_BITS,
    TERM_SCORE,
    TOKEN_LOGIT,
    WIDE_ROW_GROUP_ROWS,
    Column,
    Table,
)

ESTIMATE_BITS = 12  # to 0.01 %, far below what a test of some hundred members can tell
PLACE_BITS = 11  # a place on a map to 0.02 %, less than a point of a screen

SAES = Table(
    "saes",
    "every SAE and meta-SAE of the run, with the figures that say how good it is",
    ("sae_id",),
    (
        Column("sae_id", pa.string(), "short name used in links, e.g. sae-24576 or meta-1170"),
        Column("kind", pa.string(), "`sae` or `meta`"),
        Column(
            "parent_sae_id", pa.string(), "meta only: the SAE whose decoder rows it splits", True
        ),
        Column("model_id", pa.string(), "language model the activations come from"),
        Column("hook_name", pa.string(), "place, e.g. hidden_states[4] or blocks.8.attn.hook_z"),
        Column("architecture", pa.string(), "training architecture, e.g. batchtopk"),
        Column("d_in", pa.int32(), "dimension of the rows it reads"),
        Column("n_latents", pa.int32(), "dictionary size"),
        Column(
            "k",
            pa.float32(),
            "mean (topk: most) active latents it was trained for; null when trained otherwise",
            True,
        ),
        Column(
            "threshold",
            pa.float32(),
            "an activation counts when it exceeds this; the lowest where each latent has its own",
        ),
        Column(
            "l0",
            pa.float32(),
            "mean active latents a row at that threshold, held-out rows (SAE) or all rows (meta)",
        ),
        Column(
            "variance_explained", pa.float32(), "1 - SSE / centred total SS, rows it was trained on"
        ),
        Column("variance_explained_heldout", pa.float32(), "the same on rows it never saw", True),
        Column(
            "dead_fraction",
            pa.float32(),
            "share of latents that never fire on the rows counted in `latents`",
        ),
        Column("seed", pa.int32(), "training seed; null when not known", True),
        Column(
            "decoder_sha256",
            pa.string(),
            "hash of its decoder rows as float32; labels written by hand name it",
        ),
        Column(
            "decoder_bias",
            pa.list_(pa.float32()),
            "d_in numbers: what it rebuilds is this plus activations x decoder rows",
        ),
        Column(
            "logits_through",
            pa.string(),
            "what promoted tokens are read through, e.g. unembedding",
        ),
        Column("release", pa.string(), "sae-lens release, for a published SAE", True),
        Column("release_sae_id", pa.string(), "sae-lens id in that release", True),
        Column("neuronpedia_id", pa.string(), "model/source on Neuronpedia, if it is there", True),
    ),
)

LATENTS = Table(
    "latents",
    "one row a latent or meta-latent: how often it fires, on what, and how well it decomposes",
    ("sae_id", "latent"),
    (
        SAE_ID,
        LATENT,
        Column("label", pa.string(), "short name made offline; empty when it has none"),
        Column(
            "label_source",
            pa.string(),
            "rule that made it: name, term, terms, spelling, meaning, members, model or none",
        ),
        Column(
            "label_kind",
            pa.string(),
            "what the label speaks of: word, spelling, meaning or none",
        ),
        Column(
            "label_score",
            pa.float32(),
            "how well the label fits what it was made from, 0 to 1, to 0.2 %; null without a label",
            True,
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "label_accuracy",
            pa.float32(),
            "balanced accuracy of telling held-out members from non-members by the label alone",
            True,
            mantissa_bits=ESTIMATE_BITS,
        ),
        Column(
            "label_auc",
            pa.float32(),
            "area under the ROC curve of the same test",
            True,
            mantissa_bits=ESTIMATE_BITS,
        ),
        Column("label_tests", pa.int32(), "members in that test; 0 when it could not be made"),
        Column("count", pa.int64(), "tokens it fires on (meta: decoder rows)"),
        Column("tokens_seen", pa.int64(), "tokens looked at; density = count / tokens_seen"),
        Column(
            "mean_activation",
            pa.float32(),
            "mean over the tokens it fires on, to 0.05 %; 0 when it never fires",
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "max_activation",
            pa.float32(),
            "largest activation seen, rounded as those of `examples`; 0 when it never fires",
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "histogram_edges",
            pa.list_(pa.float32()),
            "bin edges from threshold to maximum, one more than counts; empty when it never fires",
        ),
        Column("histogram_counts", pa.list_(pa.int32()), "tokens a bin, sums to count"),
        Column(
            "top_terms",
            pa.list_(TERM_SCORE),
            "words it fires on, best F1 first, to 0.2 %; count = firings on that word",
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "promoted",
            pa.list_(TOKEN_LOGIT),
            "tokens its direction points to, highest first, to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "suppressed",
            pa.list_(TOKEN_LOGIT),
            "tokens it points away from, lowest first, to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
        Column("x", pa.float32(), "position on the map of its SAE", True, mantissa_bits=PLACE_BITS),
        Column("y", pa.float32(), "position on the map of its SAE", True, mantissa_bits=PLACE_BITS),
        Column(
            "n_components",
            pa.int32(),
            "size of its decomposition; null when its SAE has no meta-SAE",
            True,
        ),
        Column(
            "decomposition_cosine",
            pa.float32(),
            "cosine of the decoder row and its reconstruction",
            True,
        ),
        Column(
            "decomposition_variance_explained",
            pa.float32(),
            "1 - |row - reconstruction|^2 / |row - mean row|^2",
            True,
        ),
        Column(
            "bias_share",
            pa.float32(),
            "<meta-SAE bias, row> / <row, row>: what all latents have in common",
            True,
        ),
        Column(
            "residual_share",
            pa.float32(),
            "<row - reconstruction, row> / <row, row>; shares + bias + residual = 1",
            True,
        ),
        Column(
            "head_shares",
            pa.list_(pa.float32()),
            "share of the decoder row's square in each attention head; null but for hook_z",
            True,
            mantissa_bits=SHOWN_BITS,
        ),
    ),
    row_group_rows=WIDE_ROW_GROUP_ROWS,
)
