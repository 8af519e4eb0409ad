"""The contract between precompute and the app: which tables a run has, and what each column means.

A run is a folder `data/<run>/` with one Parquet file a table and `manifest.json`, written last.
`precompute/writer.py` refuses to write anything that does not fit these tables, `backend/store.py`
refuses to open it, and the README's table list is generated from here (`tests/test_readme.py`).

Words: a latent is one element of an SAE; a meta-SAE is an SAE trained on another SAE's decoder
rows; its elements are meta-latents. A latent's decomposition is the set of meta-latents active on
its decoder row; each of them is a component. Both kinds of SAE live in `saes` and both kinds of
latent in `latents`: for a meta-latent an "activation" is its weight on one decoder row of the
parent SAE and a "token" is one such row.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

SCHEMA_VERSION = 1
ROW_GROUP_ROWS = 10_000  # fastest for many short rows an id, of the sizes measured 2k to 123k
WIDE_ROW_GROUP_ROWS = 2_000  # twice as fast where one wide row is looked up, for 6 % more bytes
MANIFEST_NAME = "manifest.json"
EXAMPLE_GROUPS = ("top", "interval 1", "interval 2", "interval 3", "random")
TERM_INDEXES = ("fires", "promotes")


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, its meaning and unit, and whether it may be null."""

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """One table: `key` is unique; rows are stored sorted by `sort` (the key unless said)."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    sort: tuple[str, ...] = ()
    row_group_rows: int = ROW_GROUP_ROWS

    @property
    def sort_key(self) -> tuple[str, ...]:
        return self.sort or self.key

    @property
    def arrow(self) -> pa.Schema:
        """The exact Arrow schema of the file, nullability included."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns])


TERM_SCORE = pa.struct(
    [
        ("term", pa.string()),
        ("score", pa.float32()),
        ("precision", pa.float32()),
        ("recall", pa.float32()),
        ("count", pa.int32()),
    ]
)
TOKEN_LOGIT = pa.struct([("token", pa.string()), ("logit", pa.float32())])
LATENT_SCORE = pa.struct(
    [
        ("latent", pa.int32()),
        ("score", pa.float32()),
        ("precision", pa.float32()),
        ("recall", pa.float32()),
        ("lift", pa.float32()),
    ]
)

_SAE_ID = Column("sae_id", pa.string(), "SAE (or meta-SAE) the row belongs to, as in `saes`")
_LATENT = Column("latent", pa.int32(), "index of the latent in its SAE, from 0")

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
        Column("hook_name", pa.string(), "place in the model, e.g. hidden_states[4]"),
        Column("architecture", pa.string(), "training architecture, e.g. batchtopk"),
        Column("d_in", pa.int32(), "dimension of the rows it reads"),
        Column("n_latents", pa.int32(), "dictionary size"),
        Column(
            "k",
            pa.float32(),
            "mean active latents it was trained for; null when trained otherwise",
            True,
        ),
        Column("threshold", pa.float32(), "an activation counts when it exceeds this"),
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
            "logits_through",
            pa.string(),
            "what promoted tokens are read through: token embedding or unembedding",
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
        _SAE_ID,
        _LATENT,
        Column("label", pa.string(), "short name made from its terms; empty when it has none"),
        Column(
            "label_source",
            pa.string(),
            "rule that made the label: term, terms, prefix, members or none",
        ),
        Column(
            "label_score",
            pa.float32(),
            "how well the label fits, 0 to 1; null without a label",
            True,
        ),
        Column("count", pa.int64(), "tokens it fires on (meta: decoder rows)"),
        Column("tokens_seen", pa.int64(), "tokens looked at; density = count / tokens_seen"),
        Column(
            "mean_activation",
            pa.float32(),
            "mean over the tokens it fires on; 0 when it never fires",
        ),
        Column("max_activation", pa.float32(), "largest activation seen; 0 when it never fires"),
        Column(
            "histogram_edges",
            pa.list_(pa.float32()),
            "bin edges from threshold to maximum, one more than counts; empty when it never fires",
        ),
        Column("histogram_counts", pa.list_(pa.int32()), "tokens a bin, sums to count"),
        Column(
            "top_terms",
            pa.list_(TERM_SCORE),
            "words it fires on, best F1 first; count = firings on that word",
        ),
        Column("promoted", pa.list_(TOKEN_LOGIT), "tokens its direction points to, highest first"),
        Column("suppressed", pa.list_(TOKEN_LOGIT), "tokens it points away from, lowest first"),
        Column("x", pa.float32(), "position on the map of its SAE", True),
        Column("y", pa.float32(), "position on the map of its SAE", True),
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
    ),
    row_group_rows=WIDE_ROW_GROUP_ROWS,
)

_COMPONENT_COLUMNS = (
    Column("meta_sae_id", pa.string(), "meta-SAE that made the decomposition"),
    Column("latent", pa.int32(), "latent of the parent SAE"),
    Column("meta_latent", pa.int32(), "meta-latent active on it"),
    Column(
        "activation",
        pa.float32(),
        "its weight: row = bias + sum of activation x direction + residual",
    ),
    Column("cosine", pa.float32(), "cosine of the meta-latent's direction and the decoder row"),
    Column(
        "share",
        pa.float32(),
        "activation x <direction, row> / <row, row>; signed, adds to 1 with bias and residual",
    ),
    Column(
        "stability",
        pa.float32(),
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

CONTEXTS = Table(
    "contexts",
    "the text that may be shown, never detokenised",
    ("context_id",),
    (
        Column("context_id", pa.int32(), "id of the context, from 0"),
        Column("source", pa.string(), "part of the corpus it comes from"),
        Column("title", pa.string(), "title of its document"),
        Column("text", pa.string(), "original text of the context"),
        Column(
            "token_starts", pa.list_(pa.int32()), "character offset in text where each token starts"
        ),
        Column(
            "token_ends", pa.list_(pa.int32()), "character offset where it ends; spans may overlap"
        ),
    ),
)

EXAMPLES = Table(
    "examples",
    "exact top, interval and random examples of each latent, at most one a context and group",
    ("sae_id", "latent", "group", "rank"),
    (
        _SAE_ID,
        _LATENT,
        Column(
            "group",
            pa.string(),
            "top, random, or interval 1 to 3: equal widths, threshold to maximum, highest first",
        ),
        Column("rank", pa.int32(), "0 is the strongest of its group"),
        Column("context_id", pa.int32(), "context shown"),
        Column("position", pa.int16(), "token where the latent fires most strongly in it"),
        Column("activation", pa.float32(), "activation at that token"),
        Column("positions", pa.list_(pa.int16()), "all tokens of the context where it fires"),
        Column("activations", pa.list_(pa.float32()), "activation at each of them"),
    ),
)

TERMS = Table(
    "terms",
    "the search index: which latents fire on, or promote, a term",
    ("sae_id", "index", "term"),
    (
        _SAE_ID,
        Column(
            "index",
            pa.string(),
            "`fires`: words of the corpus, lower-cased; `promotes`: tokens of the vocabulary",
        ),
        Column("term", pa.string(), "the word or token"),
        Column("count", pa.int32(), "times the term occurs in the text counted; 0 for promotes"),
        Column("n_latents", pa.int32(), "latents found for it before the list was cut"),
        Column(
            "latents",
            pa.list_(LATENT_SCORE),
            "best first; fires: score = F1; promotes: score = logit, the rest null",
        ),
    ),
)

NEIGHBOURS = Table(
    "neighbours",
    "nearest latents by decoder cosine, in the same SAE and in each other one",
    ("sae_id", "latent", "other_sae_id", "rank"),
    (
        _SAE_ID,
        _LATENT,
        Column("other_sae_id", pa.string(), "SAE in which the neighbour lives"),
        Column("rank", pa.int16(), "0 is the nearest"),
        Column("other_latent", pa.int32(), "the neighbour"),
        Column("cosine", pa.float32(), "cosine of the two decoder directions"),
    ),
)

MEASUREMENTS = Table(
    "measurements",
    "every figure that a page or the README quotes",
    ("experiment", "subject", "setting", "metric"),
    (
        Column("experiment", pa.string(), "what was measured, e.g. meta_sae"),
        Column("subject", pa.string(), "on what, e.g. sae-24576"),
        Column("setting", pa.string(), "under which condition, e.g. heldout or gaussian null"),
        Column("metric", pa.string(), "name of the figure, e.g. variance_explained"),
        Column("value", pa.float64(), "the figure"),
        Column("ci_low", pa.float64(), "lower end of its 95 % interval", True),
        Column("ci_high", pa.float64(), "upper end", True),
        Column("n", pa.int64(), "how many items it rests on"),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        SAES, LATENTS, COMPONENTS, MEMBERS, CONTEXTS, EXAMPLES, TERMS, NEIGHBOURS, MEASUREMENTS,
    )
}  # fmt: skip
