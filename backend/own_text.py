"""What a run knows of the latents that fire on a reader's own text, and of their components."""

from __future__ import annotations

from collections.abc import Sequence

from backend.bounds import as_index, as_text
from backend.reading import by_latent
from backend.records import Record, grouped
from backend.store import Run


def text_saes(run: Run) -> list[Record]:
    """The run's SAEs, those with a meta-SAE and the widest of them first.

    Columns: sae_id, n_latents, has_encoder (so that it can read text), meta_sae_id (or None).
    """
    # the scale, not the encoder itself: that would read all its bytes to see whether it is there
    return run.fixed_query(
        """
        with readers as (select distinct sae_id from directions where encoder_scale is not null),
        metas as (
            select parent_sae_id as sae_id, min(sae_id) as meta_sae_id from saes
            where kind = 'meta' group by parent_sae_id
        )
        select s.sae_id, s.n_latents, r.sae_id is not null as has_encoder, m.meta_sae_id
        from saes s left join readers r using (sae_id) left join metas m using (sae_id)
        where s.kind = 'sae'
        order by m.meta_sae_id is null, s.n_latents desc, s.sae_id
        """
    )


def fired_latents(run: Run, sae_id: str, latents: Sequence[int]) -> dict[int, Record]:
    """Latents of one SAE by index; an index that it has not is left out.

    Columns: latent, label, count, tokens_seen, max_activation, n_components.
    """
    return by_latent(
        run.query(
            """
            select latent, label, count, tokens_seen, max_activation, n_components
            from latents
            where sae_id = $sae_id and latent in (select unnest($latents::integer[]))
            """,
            sae_id=as_text(sae_id),
            latents=[as_index(latent) for latent in latents],
        )
    )


def components(run: Run, meta_sae_id: str, latents: Sequence[int]) -> dict[int, list[Record]]:
    """Decompositions of some latents, by latent, heaviest component first.

    Columns: latent, meta_latent, label, activation (its weight).
    """
    rows = run.query(
        """
        select c.latent, c.meta_latent, n.label, c.activation
        from components c
        join latent_facts n on n.sae_id = c.meta_sae_id and n.latent = c.meta_latent
        where c.meta_sae_id = $meta_sae_id and c.latent in (select unnest($latents::integer[]))
        order by c.latent, c.activation desc, c.meta_latent
        """,
        meta_sae_id=as_text(meta_sae_id),
        latents=[as_index(latent) for latent in latents],
    )
    return grouped(rows, "latent")


def usual_metas(run: Run, sae_id: str, meta_sae_id: str) -> dict[int, float]:
    """By meta-latent, its part in the mean token of the corpus.

    The mean over tokens of the sum over latents of activation x weight: a latent that fires on
    `count` of `tokens_seen` tokens has a mean of count / tokens_seen x mean_activation.
    """
    rows = run.fixed_query(
        """
        select c.meta_latent,
            sum(n.count / nullif(n.tokens_seen, 0) * n.mean_activation * c.activation) as usual
        from components c join latents n on n.sae_id = $sae_id and n.latent = c.latent
        where c.meta_sae_id = $meta_sae_id
        group by c.meta_latent
        """,
        sae_id=as_text(sae_id),
        meta_sae_id=as_text(meta_sae_id),
    )
    return {row["meta_latent"]: row["usual"] or 0.0 for row in rows}
