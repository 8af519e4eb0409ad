"""Every question that a page asks about a run, one function each; search is in `backend.search`.

An id that no row can have (negative, huge, not a whole number)
gives None or no row, never an error. Equality on the leading columns
of a table's sort key lets DuckDB skip all row groups but one, so every statement on a large table
has them. The questions about decompositions are in `backend.decompositions` and offered here too.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from itertools import accumulate
from typing import Any

from backend.bounds import as_index, as_text
from backend.contexts import with_texts
from backend.decompositions import (
    Graph,
    components,
    decomposition_graph,
    member_examples,
    member_stability,
    member_terms,
    members,
)
from backend.featured import featured_decompositions
from backend.latent import Latent, TermScore, TokenLogit
from backend.records import Record
from backend.schema import EXAMPLE_GROUPS
from backend.store import Run

__all__ = [
    "Graph",
    "adjacent_latents",
    "cofiring",
    "components",
    "decomposition_graph",
    "examples",
    "featured_decompositions",
    "latent",
    "measurements",
    "member_examples",
    "member_stability",
    "member_terms",
    "members",
    "meta_sae_of",
    "neighbours",
    "random_latent",
    "saes",
    "totals",
]

BLOCK_LATENTS = 4_096  # of those, how many fire is remembered: a random one is found in its block


def saes(run: Run) -> list[Record]:
    """Rows of `saes`: SAEs from small to wide, then meta-SAEs, that of the suite first."""
    return run.fixed_query(
        "from saes order by kind desc, if(kind = 'meta', -n_latents, n_latents), sae_id"
    )


def meta_sae_of(run: Run, sae_id: str) -> str | None:
    """The meta-SAE whose decompositions of this SAE are shown; None when it has none."""
    found = run.fixed_row(
        "select sae_id from saes where parent_sae_id = $sae_id order by sae_id limit 1",
        sae_id=as_text(sae_id),
    )
    return found["sae_id"] if found else None


def latent(run: Run, sae_id: str, latent: int) -> Latent | None:
    """The row of one latent or meta-latent; None when the run has no such."""
    row = run.fixed_row(
        "from latents where sae_id = $sae_id and latent = $latent",
        sae_id=as_text(sae_id),
        latent=as_index(latent),
    )
    if row is None:
        return None
    if run.edited_labels.labels:  # written beside the run, so not in its files
        row |= _label(run, row["sae_id"], row["latent"])
    lists: dict[str, Any] = {
        "histogram_edges": tuple(row["histogram_edges"]),
        "histogram_counts": tuple(row["histogram_counts"]),
        "top_terms": tuple(TermScore(**term) for term in row["top_terms"]),
        "promoted": tuple(TokenLogit(**token) for token in row["promoted"]),
        "suppressed": tuple(TokenLogit(**token) for token in row["suppressed"]),
        "head_shares": tuple(row["head_shares"] or ()),
    }
    return Latent(**{**row, **lists})


def _label(run: Run, sae_id: str, latent: int) -> Record:
    """The label of a latent as lists show it, with its source and scores."""
    found = run.row(
        """
        select label, label_source, label_score, label_accuracy, label_auc from latent_facts
        where sae_id = $sae_id and latent = $latent
        """,
        sae_id=sae_id,
        latent=latent,
    )
    return found or {}


def examples(run: Run, sae_id: str, latent: int) -> list[Record]:
    """All examples of one latent: groups in the order of `EXAMPLE_GROUPS`, then by rank.

    Columns: group, rank, context_id, position, activation, positions, activations, text,
    token_starts, token_ends, title, source.
    """
    rows = run.query(
        """
        select "group", rank, context_id, position, activation, positions, activations
        from examples where sae_id = $sae_id and latent = $latent
        order by list_position($groups, "group"), rank
        """,
        sae_id=as_text(sae_id),
        latent=as_index(latent),
        groups=list(EXAMPLE_GROUPS),
    )
    return with_texts(run, rows)


def neighbours(run: Run, sae_id: str, latent: int) -> list[Record]:
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


def cofiring(run: Run, sae_id: str, latent: int) -> list[Record]:
    """Latents of the same SAE that fire on the same tokens, highest Jaccard index first.

    Columns: other_latent, label, together, fired, other_fired, tokens_seen (of the sample) and
    jaccard: together / (fired + other_fired - together).
    """
    return run.query(
        """
        select c.other_latent, n.label, c.together, c.fired, c.other_fired, c.tokens_seen,
            c.together / (c.fired + c.other_fired - c.together) as jaccard
        from cofiring c join latent_facts n on n.sae_id = c.sae_id and n.latent = c.other_latent
        where c.sae_id = $sae_id and c.latent = $latent order by c.rank
        """,
        sae_id=as_text(sae_id),
        latent=as_index(latent),
    )


def random_latent(run: Run, sae_id: str, seed: int) -> int | None:
    """A latent of this SAE that fires at least once; the same seed gives the same one."""
    alive = run.fixed_row(
        """
        select any_value(first_key) as first_key, list(block order by block) as blocks,
            list(n order by block) as counts
        from (
            select latent // $size as block, count(*) as n from latent_facts
            where sae_id = $sae_id and count > 0 group by block
        ), (select first_key from sae_numbers where sae_id = $sae_id)
        """,
        sae_id=as_text(sae_id),
        size=BLOCK_LATENTS,
    )
    if alive is None or not alive["blocks"]:
        return None
    drawn = random.Random(seed).randrange(sum(alive["counts"]))
    before = [0, *accumulate(alive["counts"])]  # latents that fire, of the blocks before each
    at = bisect_right(before, drawn) - 1
    first = alive["first_key"] + alive["blocks"][at] * BLOCK_LATENTS
    chosen = run.row(
        """
        select latent from latent_facts where key between $first and $last and count > 0
        order by latent limit 1 offset $place
        """,
        first=first,
        last=first + BLOCK_LATENTS - 1,
        place=drawn - before[at],
    )
    return chosen["latent"] if chosen else None


def adjacent_latents(run: Run, sae_id: str, latent: int) -> tuple[int | None, int | None]:
    """The indices before and after this one in its SAE; None at either end."""
    index = as_index(latent)
    n = next((sae["n_latents"] for sae in saes(run) if sae["sae_id"] == sae_id), 0)
    before, after = index - 1, index + 1  # an SAE's indices have no gap
    return before if 0 <= before < n else None, after if 0 <= after < n else None


def measurements(run: Run, experiment: str | None = None) -> list[Record]:
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
    row = run.fixed_row(
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
            (select count(distinct term) from terms where "index" = 'fires') as n_terms,
            coalesce(max(n.tokens_seen) filter (s.kind = 'sae'), 0) as tokens_seen
        from latent_facts n join saes s using (sae_id)
        """
    )
    return dict(row or {})
