"""Questions about how far a run can be trusted: its controls, other methods, nearest directions.

Also the ancestors of one latent in the smaller SAEs. A latent's rows are looked up by the leading
columns of the sort key, so that DuckDB reads one row group; what is asked of the whole run is small
and remembered.
"""

from __future__ import annotations

from backend.bounds import as_index, as_text, row_limit
from backend.records import Record, grouped
from backend.splitting import SIMILAR_COSINE
from backend.store import Run

EXPERIMENTS = (
    "controls",
    "methods",
    "width_sweep",
    "k",
    "attributes",
    "explained",
    "relations",
    "composition",
    "sampling",
    "meta_sae",
    "decomposition",
)
MOST_PARTS = 100  # of one latent, by all other methods together
MOST_PAIRS = 500  # of dictionaries


def figures(run: Run) -> dict[str, list[Record]]:
    """Rows of `measurements` by experiment, those of `EXPERIMENTS` only; absent ones have no key.

    Of meta-SAEs only the widest counts: others split controls.

    Columns of a row: experiment, subject, setting, metric, value, ci_low, ci_high, n.
    """
    rows = run.fixed_query(
        """
        from measurements where list_contains($experiments, experiment)
            and (experiment not in ('meta_sae', 'decomposition') or subject = (
                select sae_id from saes where kind = 'meta' order by n_latents desc, sae_id limit 1
            ))
        order by experiment, subject, setting, metric
        """,
        experiments=EXPERIMENTS,
    )
    return grouped(rows, "experiment")


def cosine_histograms(run: Run) -> list[Record]:
    """How near the directions of one dictionary come to those of another; columns as in the table,
    edges and counts as lists."""
    return run.fixed_query(
        "from cosine_histograms order by from_id, to_id limit $limit",
        limit=row_limit(MOST_PAIRS),
    )


def other_decompositions(run: Run, sae_id: str, latent: int) -> list[Record]:
    """One latent's decoder row rebuilt by other methods: by method, then from the heaviest part.

    Columns: method, rank, part_sae_id, part, label, weight, variance_explained.
    """
    return run.query(
        """
        select o.method, o.rank, o.part_sae_id, o.part, coalesce(n.label, o.label) as label,
            o.weight, o.variance_explained
        from other_decompositions o
        left join latent_facts n on n.sae_id = o.part_sae_id and n.latent = o.part
        where o.sae_id = $sae_id and o.latent = $latent
        order by o.method, o.rank limit $limit
        """,
        sae_id=as_text(sae_id),
        latent=as_index(latent),
        limit=row_limit(MOST_PARTS),
    )


def ancestors(run: Run, sae_id: str, latent: int) -> list[Record]:
    """The nearest latent in the next smaller SAE, its nearest in the one before, and so on.

    The chain goes on while the cosine is at least `SIMILAR_COSINE`; the link below that, where it
    ends, is the last row. Columns: sae_id, latent, label, cosine; from the next smaller SAE down.
    """
    chain: list[Record] = []
    sae, at = as_text(sae_id), as_index(latent)
    while True:  # a lookup a level: one recursive statement takes longer
        found = run.row(
            """
            select l.small_sae_id as sae_id, l.nearest_latent as latent, n.label,
                l.max_cosine as cosine
            from links l
            join latent_facts n on n.sae_id = l.small_sae_id and n.latent = l.nearest_latent
            where l.large_sae_id = $sae and l.latent = $at
            """,
            sae=sae,
            at=at,
        )
        if found is None:
            return chain
        chain.append(found)
        if found["cosine"] < SIMILAR_COSINE:
            return chain
        sae, at = found["sae_id"], found["latent"]
