"""Every question that a page asks about a run, one function each; search is in `backend.search`.

Each frame is named for its rows. An id that no row can have (negative, huge, not a whole number)
gives None or a frame with all columns and no row, never an error. Equality on the leading columns
of a table's sort key lets DuckDB skip all row groups but one, so every statement has them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import pandas as pd

from backend.latent import Latent, TermScore, TokenLogit
from backend.schema import EXAMPLE_GROUPS
from backend.store import Run

LARGEST_INDEX = 2**31 - 1  # indices are int32
NO_LATENT = -1
MOST_ROWS = 500  # of one page of rows, whatever a caller asks for


@dataclass(frozen=True)
class Graph:
    """A latent (role `latent`), its strongest meta-latents (`meta`) and their members (`member`).

    nodes: node_id, sae_id, latent, label, role, weight (of its strongest edge; 1 for the centre).
    edges: source, target (node ids), weight (activation of the meta-latent on the latent).
    """

    nodes: pd.DataFrame
    edges: pd.DataFrame


def as_index(value: object) -> int:
    """`value` when it can be a latent's index, else one that no latent has."""
    # numpy's integers are Integral too, and so is bool
    if not isinstance(value, Integral) or isinstance(value, bool):
        return NO_LATENT
    return int(value) if 0 <= value <= LARGEST_INDEX else NO_LATENT


def as_text(value: object) -> str:
    """`value` when it is text, without the lone surrogates that cannot be stored; else empty."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def page_bounds(limit: int, offset: int) -> dict[str, int]:
    """Parameters for `limit $limit offset $offset`, held within what a page may ask for."""
    return {
        "limit": min(max(int(limit), 1), MOST_ROWS),
        "offset": min(max(int(offset), 0), LARGEST_INDEX),
    }


def saes(run: Run) -> pd.DataFrame:
    """Rows of `saes`: SAEs from small to wide, then meta-SAEs."""
    return run.query("from saes order by kind desc, n_latents, sae_id")


def meta_sae_of(run: Run, sae_id: str) -> str | None:
    """The meta-SAE whose decompositions of this SAE are shown; None when it has none."""
    found = run.row(
        "select sae_id from saes where parent_sae_id = $sae_id order by sae_id limit 1",
        sae_id=as_text(sae_id),
    )
    return found["sae_id"] if found else None


def latent(run: Run, sae_id: str, latent: int) -> Latent | None:
    """The row of one latent or meta-latent; None when the run has no such."""
    row = run.row(
        "from latents where sae_id = $sae_id and latent = $latent",
        sae_id=as_text(sae_id),
        latent=as_index(latent),
    )
    if row is None:
        return None
    lists: dict[str, Any] = {
        "histogram_edges": tuple(row["histogram_edges"]),
        "histogram_counts": tuple(row["histogram_counts"]),
        "top_terms": tuple(TermScore(**term) for term in row["top_terms"]),
        "promoted": tuple(TokenLogit(**token) for token in row["promoted"]),
        "suppressed": tuple(TokenLogit(**token) for token in row["suppressed"]),
    }
    return Latent(**{**row, **lists})


def components(run: Run, meta_sae_id: str, latent: int) -> pd.DataFrame:
    """The decomposition of one latent, strongest activation first.

    Columns: meta_latent, label, activation, cosine, share, stability (NaN without other seeds),
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
) -> pd.DataFrame:
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
    run: Run, meta_sae_id: str, meta_latent: int, limit: int = 20, n_members: int = 40
) -> pd.DataFrame:
    """Words that the strongest members fire on (the five best of each), shared ones first.

    Columns: term, weight (sum over members of activation x F1), n_members (that fire on it).
    """
    return run.query(
        """
        with strongest as (
            select latent, activation,
                (select parent_sae_id from saes where sae_id = $meta_sae_id) as sae_id
            from members
            where meta_sae_id = $meta_sae_id and meta_latent = $meta_latent
            order by activation desc, latent limit $n_members
        ), fired as (
            select s.activation, unnest(n.best_terms) as entry
            from strongest s join latent_facts n on n.sae_id = s.sae_id and n.latent = s.latent
        )
        select entry.term as term, sum(activation * entry.score) as weight,
            count(*) as n_members
        from fired group by term order by weight desc, term limit $limit
        """,
        meta_sae_id=as_text(meta_sae_id),
        meta_latent=as_index(meta_latent),
        n_members=page_bounds(n_members, 0)["limit"],
        limit=page_bounds(limit, 0)["limit"],
    )


def member_examples(
    run: Run, meta_sae_id: str, meta_latent: int, n_members: int = 8, per_member: int = 1
) -> pd.DataFrame:
    """The top contexts of the strongest members, strongest member first.

    Columns: latent and label of the member that fired, weight (activation of the meta-latent on
    it), then those of `examples` below.
    """
    return run.query(
        """
        with strongest as (
            select latent, activation as weight,
                (select parent_sae_id from saes where sae_id = $meta_sae_id) as sae_id
            from members
            where meta_sae_id = $meta_sae_id and meta_latent = $meta_latent
            order by activation desc, latent limit $n_members
        )
        select s.latent, n.label, s.weight, e."group", e.rank, e.context_id, e.position,
            e.activation, e.positions, e.activations, c.text, c.token_starts, c.token_ends,
            c.title, c.source
        from strongest s
        join examples e on e.sae_id = s.sae_id and e.latent = s.latent
        join contexts c using (context_id)
        join latent_facts n on n.sae_id = s.sae_id and n.latent = s.latent
        where e."group" = 'top' and e.rank < $per_member
        order by s.weight desc, s.latent, e.rank
        """,
        meta_sae_id=as_text(meta_sae_id),
        meta_latent=as_index(meta_latent),
        n_members=page_bounds(n_members, 0)["limit"],
        per_member=page_bounds(per_member, 0)["limit"],
    )


def examples(run: Run, sae_id: str, latent: int) -> pd.DataFrame:
    """All examples of one latent: groups in the order of `EXAMPLE_GROUPS`, then by rank.

    Columns: group, rank, context_id, position, activation, positions, activations, text,
    token_starts, token_ends, title, source.
    """
    return run.query(
        """
        select e."group", e.rank, e.context_id, e.position, e.activation, e.positions,
            e.activations, c.text, c.token_starts, c.token_ends, c.title, c.source
        from examples e join contexts c using (context_id)
        where e.sae_id = $sae_id and e.latent = $latent
        order by list_position($groups, e."group"), e.rank
        """,
        sae_id=as_text(sae_id),
        latent=as_index(latent),
        groups=list(EXAMPLE_GROUPS),
    )


def neighbours(run: Run, sae_id: str, latent: int) -> pd.DataFrame:
    """Nearest latents by decoder cosine: in its own SAE first, then in the others by width.

    Columns: other_sae_id, kind (`sae` or `meta`), rank, other_latent, label, cosine.
    """
    return run.query(
        """
        select b.other_sae_id, s.kind, b.rank, b.other_latent, n.label, b.cosine
        from neighbours b
        join saes s on s.sae_id = b.other_sae_id
        join latent_facts n on n.sae_id = b.other_sae_id and n.latent = b.other_latent
        where b.sae_id = $sae_id and b.latent = $latent
        order by b.other_sae_id <> $sae_id, s.kind desc, s.n_latents desc, b.other_sae_id, b.rank
        """,
        sae_id=as_text(sae_id),
        latent=as_index(latent),
    )


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
        n_meta=page_bounds(n_meta, 0)["limit"],
        n_members=page_bounds(n_members, 0)["limit"],
    )
    return _graph(edges, meta_sae_id)


def _graph(rows: pd.DataFrame, meta_sae_id: str) -> Graph:
    nodes: dict[str, tuple[Any, ...]] = {}
    edges: list[tuple[str, str, float]] = []
    for row in rows.itertuples(index=False):
        source, target = f"{row.sae_id}/{row.latent}", f"{meta_sae_id}/{row.meta_latent}"
        role, weight = ("member", row.weight) if row.depth else ("latent", 1.0)
        # rows come strongest first, so the first weight of a node is that of its strongest edge
        nodes.setdefault(source, (source, row.sae_id, row.latent, row.label, role, weight))
        nodes.setdefault(
            target, (target, meta_sae_id, row.meta_latent, row.meta_label, "meta", row.weight)
        )
        edges.append((source, target, row.weight))
    return Graph(
        pd.DataFrame(
            nodes.values(), columns=["node_id", "sae_id", "latent", "label", "role", "weight"]
        ),
        pd.DataFrame(edges, columns=["source", "target", "weight"]),
    )


def featured_decompositions(run: Run, n: int = 6) -> pd.DataFrame:
    """Decompositions worth seeing, by a fixed rule that the overview states.

    A latent counts when one word names it well (label_source `term`, label_score >= 0.5) and it
    has three or more components, all labelled. Of those with the same strongest component only
    the best stays, by variance explained x mean stability; the n best of the rest are shown.

    Columns: sae_id, latent, label, label_score, meta_sae_id, decomposition_variance_explained,
    mean_stability (NaN without other seeds), quality.
    """
    return run.query(
        """
        with parts as (
            select c.meta_sae_id, c.latent, arg_max(c.meta_latent, c.activation) as strongest,
                avg(c.stability) as mean_stability
            from components c
            join latent_facts n on n.sae_id = c.meta_sae_id and n.latent = c.meta_latent
            group by all having count(*) >= 3 and bool_and(n.label <> '')
        ), rated as (
            select l.sae_id, l.latent, l.label, l.label_score, p.meta_sae_id, p.strongest,
                l.decomposition_variance_explained, p.mean_stability,
                l.decomposition_variance_explained * coalesce(p.mean_stability, 1) as quality
            from parts p
            join saes s on s.sae_id = p.meta_sae_id
            join latent_facts l on l.sae_id = s.parent_sae_id and l.latent = p.latent
            where l.label_source = 'term' and l.label_score >= 0.5
            qualify row_number() over (
                partition by p.meta_sae_id, p.strongest order by quality desc, l.latent
            ) = 1
        )
        select * exclude (strongest) from rated order by quality desc, latent limit $n
        """,
        n=page_bounds(n, 0)["limit"],
    )


def random_latent(run: Run, sae_id: str, seed: int) -> int | None:
    """A latent of this SAE that fires at least once; the same seed gives the same one."""
    alive = run.row(
        "select count(*) as n from latent_facts where sae_id = $sae_id and count > 0",
        sae_id=as_text(sae_id),
    )
    if alive is None or alive["n"] == 0:
        return None
    chosen = run.row(
        """
        select latent from latent_facts where sae_id = $sae_id and count > 0
        order by latent limit 1 offset $place
        """,
        sae_id=as_text(sae_id),
        place=random.Random(seed).randrange(alive["n"]),
    )
    return chosen["latent"] if chosen else None


def adjacent_latents(run: Run, sae_id: str, latent: int) -> tuple[int | None, int | None]:
    """The indices before and after this one in its SAE; None at either end."""
    row = run.row(
        """
        select max(latent) filter (latent < $latent) as previous,
            min(latent) filter (latent > $latent) as next
        from latent_facts where sae_id = $sae_id
        """,
        sae_id=as_text(sae_id),
        latent=as_index(latent),
    )
    return (row["previous"], row["next"]) if row else (None, None)


def measurements(run: Run, experiment: str | None = None) -> pd.DataFrame:
    """Rows of `measurements`, all or those of one experiment, in the order of their key."""
    return run.query(
        """
        from measurements where $experiment is null or experiment = $experiment
        order by experiment, subject, setting, metric
        """,
        experiment=None if experiment is None else as_text(experiment),
    )


def totals(run: Run) -> dict[str, int]:
    """What the run holds: n_saes, n_meta_saes, n_latents, n_meta_latents, n_decomposed, n_dead,
    n_components, n_contexts, n_examples, n_terms, tokens_seen (largest of any latent of an SAE).
    """
    row = run.row(
        """
        select
            (select count(*) from saes where kind = 'sae') as n_saes,
            (select count(*) from saes where kind = 'meta') as n_meta_saes,
            count(*) filter (s.kind = 'sae') as n_latents,
            count(*) filter (s.kind = 'meta') as n_meta_latents,
            count(*) filter (n.n_components > 0) as n_decomposed,
            count(*) filter (s.kind = 'sae' and n.count = 0) as n_dead,
            (select count(*) from components) as n_components,
            (select count(*) from contexts) as n_contexts,
            (select count(*) from examples) as n_examples,
            (select count(*) from words) as n_terms,
            coalesce(max(n.tokens_seen) filter (s.kind = 'sae'), 0) as tokens_seen
        from latent_facts n join saes s using (sae_id)
        """
    )
    return row or {}
