"""Which decompositions the overview shows first.

Pages call it through `backend.queries`.
"""

from __future__ import annotations

from backend.bounds import row_limit
from backend.records import Record
from backend.store import Run


def featured_decompositions(run: Run, n: int = 6) -> list[Record]:
    """Decompositions by the widest meta-SAE, by a fixed rule that the overview states.

    A latent counts when one word names it well (label_source `term`, label_score >= 0.5), it fires
    on at most one token in 1,000 (function words tell little), and has three or more components,
    all labelled. Of those with one strongest component the best by variance explained x mean
    stability stays; the n best are shown.

    Columns: sae_id, latent, label, label_score, meta_sae_id, decomposition_variance_explained,
    mean_stability (None without other seeds), quality.
    """
    return run.fixed_query(
        """
        with parts as (
            select c.meta_sae_id, c.latent, arg_max(c.meta_latent, c.activation) as strongest,
                avg(c.stability) as mean_stability
            from components c
            join latent_facts n on n.sae_id = c.meta_sae_id and n.latent = c.meta_latent
            where c.meta_sae_id = (
                select sae_id from saes where kind = 'meta' order by n_latents desc, sae_id limit 1
            )
            group by all having count(*) >= 3 and bool_and(n.label <> '')
        ), rated as (
            select l.sae_id, l.latent, l.label, l.label_score, p.meta_sae_id, p.strongest,
                l.decomposition_variance_explained, p.mean_stability,
                l.decomposition_variance_explained * coalesce(p.mean_stability, 1) as quality
            from parts p
            join saes s on s.sae_id = p.meta_sae_id
            join latent_facts l on l.sae_id = s.parent_sae_id and l.latent = p.latent
            where l.label_source = 'term' and l.label_score >= 0.5
                and l.count * 1000 <= l.tokens_seen
            qualify row_number() over (
                partition by p.meta_sae_id, p.strongest order by quality desc, l.latent
            ) = 1
        )
        select * exclude (strongest) from rated order by quality desc, latent limit $n
        """,
        n=row_limit(n),
    )
