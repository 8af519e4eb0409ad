"""Questions that only downloads ask: whole lists, where pages show one part of them.

Each takes at most so many rows as `limit` says; a caller that asks for one more than it wants
learns whether there are more.
"""

from __future__ import annotations

from backend.bounds import as_index, as_text
from backend.records import Record, column
from backend.stitching import SORTS
from backend.store import Run


def latent_row(run: Run, sae_id: str, latent: int) -> Record | None:
    """The row of `latents`, with the label that pages show."""
    return run.row(
        """
        select l.* replace (n.label as label, n.label_source as label_source)
        from latents l
        join latent_facts n on n.sae_id = l.sae_id and n.latent = l.latent
        where l.sae_id = $sae_id and l.latent = $latent
        """,
        sae_id=as_text(sae_id),
        latent=as_index(latent),
    )


def all_members(run: Run, meta_sae_id: str, meta_latent: int, limit: int) -> list[Record]:
    """Every latent that a meta-latent is a component of, strongest activation first.

    Columns: sae_id, latent, label, count, activation, share, cosine, stability, n_components.
    """
    return run.query(
        """
        select n.sae_id, m.latent, n.label, n.count, m.activation, m.share, m.cosine, m.stability,
            n.n_components
        from members m
        join latent_facts n on n.latent = m.latent
            and n.sae_id = (select parent_sae_id from saes where sae_id = $meta_sae_id)
        where m.meta_sae_id = $meta_sae_id and m.meta_latent = $meta_latent
        order by m.activation desc, m.latent limit $limit
        """,
        meta_sae_id=as_text(meta_sae_id),
        meta_latent=as_index(meta_latent),
        limit=int(limit),
    )


def cofiring(run: Run, sae_id: str, latent: int) -> list[Record]:
    """Latents of the same SAE that fire on the same tokens, as stored, with their labels."""
    return run.query(
        """
        select c.rank, c.other_latent, n.label, c.together, c.fired, c.other_fired, c.tokens_seen
        from cofiring c
        join latent_facts n on n.sae_id = c.sae_id and n.latent = c.other_latent
        where c.sae_id = $sae_id and c.latent = $latent order by c.rank
        """,
        sae_id=as_text(sae_id),
        latent=as_index(latent),
    )


def whole_pair(
    run: Run, small: str, large: str, kind: str, text: str, sort: str, limit: int
) -> list[Record]:
    """`backend.stitching.pair_latents` without its pages; "" for `kind` means every kind."""
    return run.query(
        f"""
        select s.latent, n.label, s.kind, s.delta_mse, s.ci_low, s.ci_high, s.fired, s.together,
            s.max_cosine, s.nearest_latent, b.label as nearest_label
        from stitching s
        join latent_facts n on n.sae_id = s.large_sae_id and n.latent = s.latent
        join latent_facts b on b.sae_id = s.small_sae_id and b.latent = s.nearest_latent
        where s.small_sae_id = $small and s.large_sae_id = $large
            and ($kind = '' or s.kind = $kind) and contains(n.folded, fold($text))
        order by {SORTS.get(sort, SORTS["number"])} limit $limit
        """,
        small=as_text(small),
        large=as_text(large),
        kind=as_text(kind),
        text=as_text(text),
        limit=int(limit),
    )


def labels(run: Run, sae_id: str, limit: int) -> list[Record]:
    """Every label with what is known of it, in the order of the key; "" for `sae_id` means all.

    Columns: sae_id, latent, label, decoder_sha256 (its first 12 digits), label_kind, label_source,
    label_score, label_accuracy, label_auc, label_tests, count.
    """
    return run.query(
        """
        select n.sae_id, n.latent, n.label, left(s.decoder_sha256, 12) as decoder_sha256,
            n.label_kind, n.label_source, n.label_score, n.label_accuracy, n.label_auc,
            l.label_tests, n.count
        from latent_facts n
        join latents l on l.sae_id = n.sae_id and l.latent = n.latent
        join saes s on s.sae_id = n.sae_id
        where $sae_id = '' or n.sae_id = $sae_id
        order by n.sae_id, n.latent limit $limit
        """,
        sae_id=as_text(sae_id),
        limit=int(limit),
    )


def experiments(run: Run) -> list[str]:
    """What `measurements` has rows of."""
    rows = run.fixed_query("select distinct experiment from measurements order by experiment")
    return column(rows, "experiment")
