"""Questions about split latents: the tree from a small SAE's latent up through the larger ones."""

from __future__ import annotations

from backend.bounds import as_index, as_text, row_limit
from backend.records import Record
from backend.store import Run

SIMILAR_COSINE = 0.7  # the post's split relation: a child's cosine with its parent is at least this
MOST_DESCENDANTS = 500  # what an icicle can show


def descendants(run: Run, sae_id: str, latent: int) -> list[Record]:
    """The tree below a latent: in each next larger SAE the latents whose nearest it is.

    A child's decoder cosine with its parent is at least `SIMILAR_COSINE`. Columns: sae_id, latent,
    label, parent_sae_id, parent (both None for the root), cosine, together_share (of the tokens on
    which it fires, those on which its parent fires too), meta_latent and meta_label (its strongest
    component; None where it has none), depth. Parents come before children.
    """
    return run.query(
        """
        with recursive tree as (
            select sae_id, latent, null::varchar as parent_sae_id, null::int as parent,
                null::float as cosine, null::double as together_share, 0 as depth
            from latent_facts where sae_id = $sae_id and latent = $latent
            union all
            select l.large_sae_id, l.latent, t.sae_id, t.latent, l.max_cosine, l.together_share,
                t.depth + 1
            from tree t join links l on l.small_sae_id = t.sae_id and l.nearest_latent = t.latent
            where l.max_cosine >= $cosine
        ), strongest as (
            select m.parent_sae_id, c.latent, arg_max(c.meta_latent, c.activation) as meta_latent,
                any_value(c.meta_sae_id) as meta_sae_id
            from components c join saes m on m.sae_id = c.meta_sae_id
            semi join tree t on t.sae_id = m.parent_sae_id and t.latent = c.latent
            group by all
        )
        select t.*, n.label, g.meta_sae_id, g.meta_latent, b.label as meta_label
        from tree t
        join latent_facts n on n.sae_id = t.sae_id and n.latent = t.latent
        left join strongest g on g.parent_sae_id = t.sae_id and g.latent = t.latent
        left join latent_facts b on b.sae_id = g.meta_sae_id and b.latent = g.meta_latent
        order by t.depth, t.parent, t.cosine desc, t.latent limit $limit
        """,
        sae_id=as_text(sae_id),
        latent=as_index(latent),
        cosine=SIMILAR_COSINE,
        limit=row_limit(MOST_DESCENDANTS),
    )


def most_split(run: Run, sae_id: str, limit: int) -> list[Record]:
    """Latents of an SAE with the most children in the next larger one.

    Columns: latent, label, n_children.
    """
    return run.fixed_query(
        """
        select s.nearest_latent as latent, n.label, count(*) as n_children
        from links s
        join latent_facts n on n.sae_id = s.small_sae_id and n.latent = s.nearest_latent
        where s.small_sae_id = $sae_id and s.max_cosine >= $cosine
        group by all order by n_children desc, latent limit $limit
        """,
        sae_id=as_text(sae_id),
        cosine=SIMILAR_COSINE,
        limit=row_limit(limit),
    )


def default_root(run: Run) -> tuple[str, int] | None:
    """The most split latent of the smallest SAE, or None in a run without splits."""
    smallest = run.fixed_row("select sae_id from suite order by n_latents limit 1")
    if smallest is None:
        return None
    rows = most_split(run, smallest["sae_id"], 1)
    return (smallest["sae_id"], rows[0]["latent"]) if rows else None
