"""Questions about decompositions: a latent's parts, a meta-latent's members, the graph of both.

Pages call them through `backend.queries`. Equality on the leading columns of a table's sort key
lets DuckDB skip all row groups but one, so every statement on a large table has them.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.asked import within
from backend.bounds import as_index, as_text, page_bounds, row_limit
from backend.contexts import with_texts
from backend.records import Record, column, grouped
from backend.store import Run

WORDS_OF_MEMBERS = 25  # whose words a meta-latent is shown with: those on its first page


@dataclass(frozen=True)
class Graph:
    """A latent (role `latent`), its strongest meta-latents (`meta`) and their members (`member`).

    nodes: node_id, sae_id, latent, label, role, weight (of its strongest edge; 1 for the centre).
    edges: source, target (node ids), weight (activation of the meta-latent on the latent).
    """

    nodes: list[Record]
    edges: list[Record]


def components(run: Run, meta_sae_id: str, latent: int) -> list[Record]:
    """The decomposition of one latent, strongest activation first.

    Columns: meta_latent, label, activation, cosine, share, stability (None without other seeds),
    n_members.
    """
    return run.query(
        """
        select c.meta_latent, n.label, c.activation, c.cosine, c.share, c.stability,
            n.count as n_members
        from components c
        join latent_facts n on n.sae_id = $meta_sae_id and n.latent = c.meta_latent
        where c.meta_sae_id = $meta_sae_id and c.latent = $latent
        order by c.activation desc, c.meta_latent
        """,
        meta_sae_id=as_text(meta_sae_id),
        latent=as_index(latent),
    )


def members(
    run: Run, meta_sae_id: str, meta_latent: int, limit: int = 25, offset: int = 0
) -> list[Record]:
    """Latents that a meta-latent is a component of, strongest activation first.

    Columns: latent, label, count (tokens it fires on), activation, share, cosine, n_components.
    """
    return run.query(
        """
        select m.latent, n.label, n.count, m.activation, m.share, m.cosine, n.n_components
        from members m
        join latent_facts n on n.latent = m.latent
            and n.sae_id = (select parent_sae_id from saes where sae_id = $meta_sae_id)
        where m.meta_sae_id = $meta_sae_id and m.meta_latent = $meta_latent
        order by m.activation desc, m.latent
        limit $limit offset $offset
        """,
        meta_sae_id=as_text(meta_sae_id),
        meta_latent=as_index(meta_latent),
        **page_bounds(limit, offset),
    )


def member_terms(
    run: Run, meta_sae_id: str, meta_latent: int, limit: int = 20, n_members: int = WORDS_OF_MEMBERS
) -> list[Record]:
    """Words that the strongest members fire on (the five best of each), shared ones first.

    Columns: term, weight (sum over members of activation x F1), n_members (that fire on it).
    """
    strongest = _strongest(run, meta_sae_id, meta_latent, n_members)
    if not strongest:
        return []
    run.load_later_tables()
    some, params = within("n.latent", column(strongest, "latent"), "latent")
    return run.query(
        f"""
        with strongest as (
            select unnest($members) as latent, unnest($weights)::float as activation
        ), fired as (
            select s.activation, unnest(n.terms) as entry
            from best_terms n join strongest s using (latent)
            where n.sae_id = $sae_id and {some}
        )
        select entry.term as term, sum(activation * entry.score) as weight,
            count(*) as n_members
        from fired group by term order by weight desc, term limit $limit
        """,
        members=column(strongest, "latent"),
        weights=column(strongest, "activation"),
        sae_id=strongest[0]["sae_id"],
        limit=row_limit(limit),
        **params,
    )


def member_examples(
    run: Run, meta_sae_id: str, meta_latent: int, n_members: int = 8, per_member: int = 1
) -> list[Record]:
    """The top contexts of the strongest members, strongest member first.

    Columns: latent and label of the member that fired, weight (activation of the meta-latent on
    it), then those of `examples` below.
    """
    strongest = _strongest(run, meta_sae_id, meta_latent, n_members)
    if not strongest:
        return []
    some, params = within("latent", column(strongest, "latent"), "latent")
    rows = run.query(
        f"""
        select latent, "group", rank, context_id, position, activation, positions, activations
        from examples where sae_id = $sae_id and {some} and "group" = 'top' and rank < $per_member
        order by rank
        """,
        sae_id=strongest[0]["sae_id"],
        per_member=row_limit(per_member),
        **params,
    )
    of_member = grouped(with_texts(run, rows), "latent")
    return [
        {"label": member["label"], "weight": member["activation"], **row}
        for member in strongest
        for row in of_member.get(member["latent"], [])
    ]


def _strongest(run: Run, meta_sae_id: str, meta_latent: int, n: int) -> list[Record]:
    """The strongest members; columns: sae_id, latent, label, activation."""
    strongest = run.fixed_query(  # two parts of a page ask
        """
        with strongest as (
            select latent, activation from members
            where meta_sae_id = $meta_sae_id and meta_latent = $meta_latent
            order by activation desc, latent limit $n_members
        )
        select n.sae_id, s.latent, n.label, s.activation
        from strongest s
        join latent_facts n on n.latent = s.latent
            and n.sae_id = (select parent_sae_id from saes where sae_id = $meta_sae_id)
        order by s.activation desc, s.latent
        """,
        meta_sae_id=as_text(meta_sae_id),
        meta_latent=as_index(meta_latent),
        n_members=max(row_limit(n), WORDS_OF_MEMBERS),
    )
    return strongest[: row_limit(n)]


def member_stability(run: Run, meta_sae_id: str, meta_latent: int) -> float | None:
    """Mean stability of a meta-latent over its members; None when no other seed was trained."""
    found = run.row(
        """
        select avg(stability) as mean_stability from members
        where meta_sae_id = $meta_sae_id and meta_latent = $meta_latent
        """,
        meta_sae_id=as_text(meta_sae_id),
        meta_latent=as_index(meta_latent),
    )
    return found["mean_stability"] if found else None


def decomposition_graph(
    run: Run, meta_sae_id: str, latent: int, n_meta: int = 6, n_members: int = 5
) -> Graph:
    """A latent, its strongest meta-latents, and the other strongest members of each of these."""
    edges = run.query(
        """
        with parent as (select parent_sae_id as sae_id from saes where sae_id = $meta_sae_id),
        centre as (
            select meta_latent, activation from components
            where meta_sae_id = $meta_sae_id and latent = $latent
            order by activation desc, meta_latent limit $n_meta
        ),
        others as (
            select m.meta_latent, m.latent, m.activation
            from members m semi join centre using (meta_latent)
            where m.meta_sae_id = $meta_sae_id and m.latent <> $latent
            qualify row_number() over (
                partition by m.meta_latent order by m.activation desc, m.latent
            ) <= $n_members
        ),
        joined as (
            select 0 as depth, $latent as latent, meta_latent, activation from centre
            union all
            select 1, latent, meta_latent, activation from others
        )
        select j.depth, parent.sae_id, j.latent, n.label, j.meta_latent,
            meta.label as meta_label, j.activation as weight
        from joined j cross join parent
        join latent_facts n on n.sae_id = parent.sae_id and n.latent = j.latent
        join latent_facts meta on meta.sae_id = $meta_sae_id and meta.latent = j.meta_latent
        order by j.depth, j.activation desc, j.meta_latent, j.latent
        """,
        meta_sae_id=as_text(meta_sae_id),
        latent=as_index(latent),
        n_meta=row_limit(n_meta),
        n_members=row_limit(n_members),
    )
    return _graph(edges, meta_sae_id)


def _graph(rows: list[Record], meta_sae_id: str) -> Graph:
    nodes: dict[str, Record] = {}
    edges: list[Record] = []

    def add(node_id: str, sae_id: str, latent: int, label: str, role: str, weight: float) -> None:
        # rows come strongest first, so the first weight of a node is that of its strongest edge
        nodes.setdefault(
            node_id,
            {
                "node_id": node_id,
                "sae_id": sae_id,
                "latent": latent,
                "label": label,
                "role": role,
                "weight": weight,
            },
        )

    for row in rows:
        sae_id, latent, meta_latent = row["sae_id"], row["latent"], row["meta_latent"]
        source, target = f"{sae_id}/{latent}", f"{meta_sae_id}/{meta_latent}"
        weight = row["weight"]
        role, own_weight = ("member", weight) if row["depth"] else ("latent", 1.0)
        add(source, sae_id, latent, row["label"], role, own_weight)
        add(target, meta_sae_id, meta_latent, row["meta_label"], "meta", weight)
        edges.append({"source": source, "target": target, "weight": weight})
    return Graph(list(nodes.values()), edges)
