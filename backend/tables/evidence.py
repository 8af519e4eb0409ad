"""What a latent is judged by: text, examples, terms and neighbours."""

from __future__ import annotations

from backend.tables.columns import (
    LATENT,
    LATENT_SCORE,
    SAE_ID,
    SHOWN_BITS,
    TEXT_ROW_GROUP_ROWS,
    WIDE_ROW_GROUP_ROWS,
    Column,
    Table,
)
from backend.tables.types import FLOAT32, INT16, INT32, STRING, ListOf

CONTEXTS = Table(
    "contexts",
    "the text that may be shown, never detokenised",
    ("context_id",),
    (
        Column("context_id", INT32, "id of the context, from 0"),
        Column("source", STRING, "part of the corpus it comes from"),
        Column("title", STRING, "title of its document"),
        Column("text", STRING, "original text of the context"),
        Column("token_starts", ListOf(INT32), "character offset in text where each token starts"),
        Column("token_ends", ListOf(INT32), "character offset where it ends; spans may overlap"),
    ),
    row_group_rows=TEXT_ROW_GROUP_ROWS,
)

EXAMPLES = Table(
    "examples",
    "exact top, interval and random examples of each latent, at most one a context and group",
    ("sae_id", "latent", "group", "rank"),
    (
        SAE_ID,
        LATENT,
        Column(
            "group",
            STRING,
            "top, random, or interval 1 to 3: equal widths, threshold to maximum, highest first",
        ),
        Column("rank", INT32, "0 is the strongest of its group"),
        Column("context_id", INT32, "context shown"),
        Column("position", INT16, "token where the latent fires most strongly in it"),
        Column(
            "activation",
            FLOAT32,
            "activation at that token, to 0.05 %",
            mantissa_bits=SHOWN_BITS,
        ),
        Column("positions", ListOf(INT16), "all tokens of the context where it fires"),
        Column(
            "activations",
            ListOf(FLOAT32),
            "activation at each of them, to 0.05 %",
            mantissa_bits=SHOWN_BITS,
        ),
    ),
)

TERMS = Table(
    "terms",
    "the search index: which latents fire on, or promote, a term",
    ("sae_id", "index", "term"),
    (
        SAE_ID,
        Column(
            "index",
            STRING,
            "`fires`: words of the corpus, lower-cased; `phrases`: two or three of them in a row; "
            "`pieces`: tokens as the model reads them; `promotes`: tokens of the vocabulary",
        ),
        Column("term", STRING, "the word, phrase or token"),
        Column(
            "count",
            INT32,
            "times it occurs in the text counted (phrases and pieces: a sample); 0 for promotes",
        ),
        Column("n_latents", INT32, "latents found for it before the list was cut"),
        Column(
            "latents",
            ListOf(LATENT_SCORE),
            "best first; score = F1; promotes: score = logit, the rest null; to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
    ),
    row_group_rows=WIDE_ROW_GROUP_ROWS,
)

COFIRING = Table(
    "cofiring",
    "for each latent those of its SAE that fire on the same tokens, by Jaccard index",
    ("sae_id", "latent", "rank"),
    (
        SAE_ID,
        LATENT,
        Column("rank", INT16, "0 has the highest Jaccard index"),
        Column("other_latent", INT32, "the latent that fires with it"),
        Column("together", INT32, "tokens of the sample on which both fire"),
        Column("fired", INT32, "tokens of the sample on which this latent fires"),
        Column("other_fired", INT32, "the same for the other one"),
        Column("tokens_seen", INT32, "tokens of the sample"),
    ),
)

NEIGHBOURS = Table(
    "neighbours",
    "nearest latents by decoder cosine, in the same SAE and in each other one",
    ("sae_id", "latent", "other_sae_id", "rank"),
    (
        SAE_ID,
        LATENT,
        Column("other_sae_id", STRING, "SAE in which the neighbour lives"),
        Column("rank", INT16, "0 is the nearest"),
        Column("other_latent", INT32, "the neighbour"),
        Column(
            "cosine",
            FLOAT32,
            "cosine of the two decoder directions, to 0.2 %",
            mantissa_bits=SHOWN_BITS,
        ),
    ),
)
