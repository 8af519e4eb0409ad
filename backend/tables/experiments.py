"""What experiments on the model found, beside the figures in `measurements`.

An `experiment`, its `subject` and its `setting` mean the same in all these tables and in
`measurements`.
"""

from __future__ import annotations

from backend.tables.columns import LATENT, SAE_ID, Column, Table
from backend.tables.types import BOOL, FLOAT32, INT16, INT32, STRING, ListOf

EXPERIMENT = Column("experiment", STRING, "which experiment, as in `measurements`")
SUBJECT = Column("subject", STRING, "on what, e.g. sae-4096")
SETTING = Column("setting", STRING, "under which condition, e.g. an intervention or a method")

CURVES = Table(
    "curves",
    "points of the lines that experiments draw",
    ("experiment", "subject", "setting", "metric", "step"),
    (
        EXPERIMENT,
        SUBJECT,
        SETTING,
        Column("metric", STRING, "what the line shows, e.g. kl by position"),
        Column("step", INT32, "place of the point along its line, from 0"),
        Column("x", FLOAT32, "where it stands: a position, a strength, an L0, a bin's start"),
        Column("value", FLOAT32, "the figure, in the unit of its metric"),
        Column("ci_low", FLOAT32, "lower end of its 95 % interval", True),
        Column("ci_high", FLOAT32, "upper end", True),
        Column("n", INT32, "how many items it rests on"),
    ),
)

EDITS = Table(
    "edits",
    "what became of an entity's facts after one of them was edited towards another entity's",
    ("kind", "entity", "other", "attribute", "method"),
    (
        Column("kind", STRING, "table of facts that both entities are from, e.g. cities"),
        Column("entity", STRING, "whose representation was edited"),
        Column("other", STRING, "whose value the edit aims at"),
        Column("attribute", STRING, "what was to change, e.g. country"),
        Column("method", STRING, "how, as `setting` in `measurements`"),
        Column("is_changed", BOOL, "whether the answer became the other's"),
        Column("n_kept", INT16, "other attributes whose answer stayed"),
        Column("n_others", INT16, "other attributes that could have changed"),
        Column("own_before", FLOAT32, "log-probability of the entity's own value, in nats"),
        Column("own_after", FLOAT32, "the same after the edit"),
        Column("other_before", FLOAT32, "log-probability of the other's value, in nats"),
        Column("other_after", FLOAT32, "the same after the edit"),
        Column("latent", INT32, "the entity's latent; null where the method has none", True),
        Column("other_latent", INT32, "the other's latent; null likewise", True),
        Column("removed", ListOf(INT32), "meta-latents taken away"),
        Column("added", ListOf(INT32), "meta-latents put in"),
    ),
)

CONTINUATIONS = Table(
    "continuations",
    "what the model wrote while it was steered",
    ("experiment", "subject", "setting", "number"),
    (
        EXPERIMENT,
        SUBJECT,
        SETTING,
        Column("number", INT32, "of the sample, from 0"),
        Column("strength", FLOAT32, "length of what was added over the mean activation's"),
        Column("prompt", STRING, "what it was given"),
        Column("text", STRING, "what it wrote"),
        Column("hits", INT16, "tokens of the text that were steered towards"),
    ),
)

CONCERNED = Table(
    "concerned",
    "which experiments a latent had a part in",
    ("sae_id", "latent", "experiment", "subject", "setting"),
    (
        SAE_ID,
        LATENT,
        EXPERIMENT,
        SUBJECT,
        SETTING,
        Column("metric", STRING, "name of the figure"),
        Column("value", FLOAT32, "the figure"),
        Column("n", INT32, "how many items it rests on"),
    ),
)
