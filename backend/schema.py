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

from backend.tables.columns import Column, Table
from backend.tables.decompositions import COMPONENTS, MEMBERS
from backend.tables.directions import DIRECTIONS
from backend.tables.evidence import COFIRING, CONTEXTS, EXAMPLES, NEIGHBOURS, TERMS
from backend.tables.experiments import CONCERNED, CONTINUATIONS, CURVES, EDITS
from backend.tables.saes import LATENTS, SAES
from backend.tables.stitching import STITCH_CURVE, STITCHING, SWAP_GROUPS
from backend.tables.trust import COSINE_HISTOGRAMS, OTHER_DECOMPOSITIONS
from backend.tables.types import FLOAT64, INT64, STRING

SCHEMA_VERSION = 6
MANIFEST_NAME = "manifest.json"
EXAMPLE_GROUPS = ("top", "interval 1", "interval 2", "interval 3", "random")
TERM_INDEXES = ("fires", "phrases", "pieces", "promotes")
LABEL_KINDS = ("word", "spelling", "meaning", "none")

MEASUREMENTS = Table(
    "measurements",
    "every figure that a page or the README quotes",
    ("experiment", "subject", "setting", "metric"),
    (
        Column("experiment", STRING, "what was measured, e.g. meta_sae"),
        Column("subject", STRING, "on what, e.g. sae-24576"),
        Column("setting", STRING, "under which condition, e.g. heldout or gaussian null"),
        Column("metric", STRING, "name of the figure, e.g. variance_explained"),
        Column("value", FLOAT64, "the figure"),
        Column("ci_low", FLOAT64, "lower end of its 95 % interval", True),
        Column("ci_high", FLOAT64, "upper end", True),
        Column("n", INT64, "how many items it rests on"),
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        SAES, LATENTS, COMPONENTS, MEMBERS, CONTEXTS, EXAMPLES, TERMS, NEIGHBOURS, COFIRING,
        DIRECTIONS, STITCHING, SWAP_GROUPS, STITCH_CURVE, OTHER_DECOMPOSITIONS, COSINE_HISTOGRAMS,
        CURVES, EDITS, CONTINUATIONS, CONCERNED, MEASUREMENTS,
    )
}  # fmt: skip
