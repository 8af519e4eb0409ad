"""SAEs and their latents."""

from __future__ import annotations

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
from backend.tables.types import FLOAT32, INT32, INT64, STRING, ListOf

ESTIMATE_BITS = 12  # to 0.01 %, far below what a test of some hundred members can tell
PLACE_BITS = 11  # a place on a map to 0.02 %, less than a point of a screen

SAES = Table(
    "saes",
    "every SAE and meta-SAE of the run, with the figures that say how good it is",
    ("sae_id",),
    (
        Column("sae_id", STRING, "short name used in links, e.g. sae-24576 or meta-1170"),
        Column("kind", STRING, "`sae` or `meta`"),
        Column("parent_sae_id", STRING, "meta only: the SAE whose decoder rows it splits", True),
        Column("model_id", STRING, "language model the activations come from"),
        Column("hook_name", STRING, "place, e.g. hidden_states[4] or blocks.8.attn.hook_z"),
        Column("architecture", STRING, "training architecture, e.g. batchtopk"),
        Column("d_in", INT32, "dimension of the rows it reads"),
        Column("n_latents", INT32, "dictionary size"),
        Column(
            "k",
            FLOAT32,
            "mean (topk: most) active latents it was trained for; null when trained otherwise",
            True,
        ),
        Column(
            "threshold",
            FLOAT32,
            "an activation counts when it exceeds this; the lowest where each latent has its own",
        ),
        Column(
            "l0",
            FLOAT32,
            "mean active latents a row at that threshold, held-out rows (SAE) or all rows (meta)",
        ),
        Column("variance_explained", FLOAT32, "1 - SSE / centred total SS, rows it was trained on"),
        Column("variance_explained_heldout", FLOAT32, "the same on rows it never saw", True),
        Column(
            "dead_fraction",
            FLOAT32,
            "share of latents that never fire on the rows counted in `latents`",
        ),
        Column("seed", INT32, "training seed; null when not known", True),
        Column(
            "decoder_sha256",
            STRING,
            "hash of its decoder rows as float32; labels written by hand name it",
        ),
        Column(
            "decoder_bias",
            ListOf(FLOAT32),
            "d_in numbers: what it rebuilds is this plus activations x decoder rows",
        ),
        Column(
            "logits_through",
            STRING,
            "what promoted tokens are read through, e.g. unembedding",
        ),
        Column("release", STRING, "sae-lens release, for a published SAE", True),
        Column("release_sae_id", STRING, "sae-lens id in that release", True),
        Column("neuronpedia_id", STRING, "model/source on Neuronpedia, if it is there", True),
    ),
)

LATENTS = Table(
    "latents",
    "one row a latent or meta-latent: how often it fires, on what, and how well it decomposes",
    ("sae_id", "latent"),
    (
        SAE_ID,
        LATENT,
        Column("label", STRING, "short name made offline; empty when it has none"),
        Column(
            "label_source",
            STRING,
            "rule that made it: name, term, terms, spelling, meaning, members, model or none",
        ),
        Column(
            "label_kind",
            STRING,
            "what the label speaks of: word, spelling, meaning or none",
        ),
        Column(
            "label_score",
            FLOAT32,
            "how well the label fits what it was made from, 0 to 1, to 0.2 %; null without a label",
            True,
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "label_accuracy",
            FLOAT32,
            "balanced accuracy of telling held-out members from non-members by the label alone",
            True,
            mantissa_bits=ESTIMATE_BITS,
        ),
        Column(
            "label_auc",
            FLOAT32,
            "area under the ROC curve of the same test",
            True,
            mantissa_bits=ESTIMATE_BITS,
        ),
        Column("label_tests", INT32, "members in that test; 0 when it could not be made"),
        Column("count", INT64, "tokens it fires on (meta: decoder rows)"),
        Column("tokens_seen", INT64, "tokens looked at; density = count / tokens_seen"),
        Column(
            "mean_activation",
            FLOAT32,
            "mean over the tokens it fires on, to 0.05 %; 0 when it never fires",
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "max_activation",
            FLOAT32,
            "largest activation seen, rounded as those of `examples`; 0 when it never fires",
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "histogram_edges",
            ListOf(FLOAT32),
            "bin edges from threshold to maximum, one more than counts; empty when it never fires",
        ),
        Column("histogram_counts", ListOf(INT32), "tokens a bin, sums to count"),
        Column(
            "top_terms",
            ListOf(TERM_SCORE),
            "words it fires on, best F1 first, to 0.2 %; count = firings on that word",
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "promoted",
            ListOf(TOKEN_LOGIT),
            "tokens its direction points to, highest first, to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
        Column(
            "suppressed",
            ListOf(TOKEN_LOGIT),
            "tokens it points away from, lowest first, to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
        Column("x", FLOAT32, "position on the map of its SAE", True, mantissa_bits=PLACE_BITS),
        Column("y", FLOAT32, "position on the map of its SAE", True, mantissa_bits=PLACE_BITS),
        Column(
            "n_components",
            INT32,
            "size of its decomposition; null when its SAE has no meta-SAE",
            True,
        ),
        Column(
            "decomposition_cosine",
            FLOAT32,
            "cosine of the decoder row and its reconstruction",
            True,
        ),
        Column(
            "decomposition_variance_explained",
            FLOAT32,
            "1 - |row - reconstruction|^2 / |row - mean row|^2",
            True,
        ),
        Column(
            "bias_share",
            FLOAT32,
            "<meta-SAE bias, row> / <row, row>: what all latents have in common",
            True,
        ),
        Column(
            "residual_share",
            FLOAT32,
            "<row - reconstruction, row> / <row, row>; shares + bias + residual = 1",
            True,
        ),
        Column(
            "head_shares",
            ListOf(FLOAT32),
            "share of the decoder row's square in each attention head; null but for hook_z",
            True,
            mantissa_bits=SHOWN_BITS,
        ),
    ),
    row_group_rows=WIDE_ROW_GROUP_ROWS,
)
