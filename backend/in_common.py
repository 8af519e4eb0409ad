"""Which meta-latents the answers to a question have in common, more than all latents do."""

from __future__ import annotations

from typing import Any

from backend.records import Record
from backend.store import Session

LEAST_LIFT = 2
MOST_SHOWN = 12

# `materialized` because DuckDB 2.0.0 stops with an internal error where such joins are chained
_IN_COMMON = """
with answers as materialized (select sae_id, latent from {source} where {kept}),
inside as materialized ({insides}),
sizes as materialized (
    select s.sae_id as meta_sae_id, count(*) as n_answers
    from answers a join saes s on s.parent_sae_id = a.sae_id group by all
)
select i.meta_sae_id, i.meta_latent, m.label, i.n,
    (i.n / z.n_answers) / (m.count / m.tokens_seen) as lift
from inside i join sizes z using (meta_sae_id)
join latent_facts m on m.sae_id = i.meta_sae_id and m.latent = i.meta_latent
where lift >= $least_lift
order by i.n * ln(lift) desc, i.meta_sae_id, i.meta_latent limit $most_shown
"""
# one meta-SAE at a time, so that the join is by one number
_INSIDE = """
select $decoder_{i} as meta_sae_id, meta_latent, count(*) as n from parts
where number = $number_{i} and latent in (select latent from answers where sae_id = $split_{i})
group by meta_latent having count(*) > 1
"""


def parts_in_common(
    session: Session, source: str, params: dict[str, Any], where: str
) -> list[Record]:
    """The meta-latents that the answers have in common beyond chance, the most telling first.

    Args:
        source: what holds the answers, with columns sae_id and latent.
        params: of `source` and `where`.
        where: which rows of it.

    Columns: meta_sae_id, meta_latent, label, n (answers that have it), lift (how many times as
    often as all latents of their SAE).
    """
    metas = session.query(
        "select s.sae_id, s.parent_sae_id, b.number from saes s join sae_numbers b using (sae_id) "
        "where s.parent_sae_id is not null order by s.sae_id"
    )
    if not metas:
        return []
    insides = " union all ".join(_INSIDE.format(i=i) for i in range(len(metas)))
    named = {f"decoder_{i}": meta["sae_id"] for i, meta in enumerate(metas)}
    named |= {f"number_{i}": meta["number"] for i, meta in enumerate(metas)}
    named |= {f"split_{i}": meta["parent_sae_id"] for i, meta in enumerate(metas)}
    return session.query(
        _IN_COMMON.format(source=source, kept=where, insides=insides),
        **params,
        **named,
        least_lift=LEAST_LIFT,
        most_shown=MOST_SHOWN,
    )
