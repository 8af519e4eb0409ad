"""How a question becomes SQL: the latents that text and parts allow, the filters, the order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.bounds import as_text
from backend.facets import FACETS, named_columns, unpacked_bands
from backend.question import Part, Question

_ORDERS = {
    "frequent": "count desc",
    "rare": "count = 0, count",
    "parts": "parts desc nulls last",
    "explained": "explained desc nulls last",
    "unexplained": "explained nulls last",
    "stable": "stability desc nulls last",
    "alone": "cosine nulls last",
    "named": "accuracy desc nulls last",
}
FIGURES = ("count", "density", "parts", "explained", "stability", "cosine", "accuracy")
_SORTED_BY = {
    "frequent": "count",
    "rare": "count",
    "parts": "parts",
    "explained": "explained",
    "unexplained": "explained",
    "stable": "stability",
    "alone": "cosine",
    "named": "accuracy",
}
_BEST = (
    "place, matched_in = 'promotes', part_score desc nulls last, score desc nulls last, "
    "n_latents desc, sae_id, latent"
)
_NO_TEXT = (
    "9 as place, null::varchar as matched_in, null::varchar as matched_term, null::float as score, "
    "null::float as precision, null::float as recall, null::float as lift"
)
_NOVELTIES = next(facet.values for facet in FACETS if facet.name == "novelty")

# one row for each latent that has any of the parts that a question names
_ASKED_PARTS = """
weights as (
    select unnest($part_saes) as meta_sae_id, unnest($part_latents) as meta_latent,
        unnest($part_weights) as weight, unnest($part_roles) as role
), asked_parts as materialized (
    select b.first_key + m.latent as key,
        sum(w.weight * m.activation) filter (w.role <> 'excluded') as part_score,
        count(*) filter (w.role = 'required') as n_required,
        count(*) filter (w.role = 'excluded') as n_excluded
    from members m
    join weights w on w.meta_sae_id = m.meta_sae_id and w.meta_latent = m.meta_latent
    join saes s on s.sae_id = m.meta_sae_id
    join sae_numbers b on b.sae_id = s.parent_sae_id
    where {some_members}
    group by all
),
"""
# of the hits as few columns as can be, since each is read for all of them; what a key says is not;
# `materialized`, or the small table is joined to all latents before the hits are
_HITS = """
with {head} hits as materialized (
    select f.key, f.bands, {columns} from facet_bands f {joins} where {where}
), known as (
    select h.* exclude (bands), b.sae_id, b.n_latents, (h.key & 4294967295)::int as latent, {bands}
    from hits h join sae_numbers b on b.number = h.key >> 32
)
select k.*{replaced} from known k {joined}
"""
# the names of bands are spelled for the rows that are shown alone
ASKED = f"select *, {named_columns()} from hits"


def within(name: str, values: Sequence[Any], prefix: str) -> tuple[str, dict[str, Any]]:
    """`name in (...)` with one parameter a value, by which DuckDB skips row groups of a file.

    Args:
        name: of the column.
        values: at least one.
        prefix: of the parameters' names, unique in the statement.
    """
    params = {f"{prefix}_{i}": value for i, value in enumerate(values)}
    return f"{name} in ({', '.join(f'${key}' for key in params)})", params


def all_asked(question: Question) -> tuple[str, dict[str, Any]]:
    """A select of all latents, for a question without text and parts, and its parameters.

    Columns: as of `asked_statement`, and every figure of `facets`.
    """
    replaced, joined, params = _against(question, "f", ("s.kind as novelty",))
    sql = f"select f.*{replaced}, {_NO_TEXT}, null::float as part_score from facets f {joined}"
    return sql, params


def asked_statement(question: Question, has_text: bool) -> tuple[str, dict[str, Any]]:
    """A select of every latent that the text and the parts allow, and its parameters.

    Made a table `hits`, it is read through `ASKED`. Columns of that: key, sae_id, kind, n_latents,
    latent, naming, novelty, the bands, the figures that the question filters or sorts by, place,
    matched_in and score (from table `found`, which the text made) and part_score. The filters come
    on top, so that each can be counted with all others kept.
    """
    params: dict[str, Any] = {}
    figures = {_SORTED_BY.get(question.sort, ""), *question.ranges} & set(FIGURES)
    head, joins, where = "", [], []
    columns = [f"f.{name}" for name in FIGURES if name in figures]
    if has_text:
        columns.append("t.place, t.matched_in, t.score")
        joins.append("join found t on t.key = f.key")
    else:
        columns.append("9 as place, null::varchar as matched_in, null::float as score")
    if question.parts:
        metas = sorted({as_text(part.sae_id) for part in question.parts})
        numbers = sorted({part.latent for part in question.parts})
        in_metas, meta_params = within("m.meta_sae_id", metas, "meta")
        in_numbers, number_params = within("m.meta_latent", numbers, "number")
        head = _ASKED_PARTS.format(some_members=f"{in_metas} and {in_numbers}")
        params |= _part_parameters(question) | meta_params | number_params
        columns.append("a.part_score")
        must = bool(question.required or question.weighed)
        joins.append(f"{'' if must else 'left '}join asked_parts a on a.key = f.key")
        where.append("coalesce(a.n_excluded, 0) = 0")
        where.append(
            "f.sae_id in (select s.parent_sae_id from saes s join weights w "
            "on w.meta_sae_id = s.sae_id)"
            if not must
            else "true"
        )
        if question.required:
            where.append(f"a.n_required = {len(question.required)}")
        elif question.weighed:
            where.append("a.part_score is not null")
    else:
        columns.append("null::float as part_score")
    replaced, joined, more = _against(question, "k")
    sql = _HITS.format(
        head=head,
        columns=", ".join(columns),
        joins=" ".join(joins),
        where=" and ".join(where) or "true",
        bands=unpacked_bands("h.bands"),
        replaced=replaced,
        joined=joined,
    )
    return sql, params | more


def _against(
    question: Question, name: str, also: tuple[str, ...] = ()
) -> tuple[str, str, dict[str, Any]]:
    """What replaces the novelty of the rows `name`, the join that it needs, and its parameters.

    Args:
        also: replaced too, where the rows have more of it than its band.
    """
    if not question.against:
        return "", "", {}
    whens = " ".join(f"when '{v.key}' then {i}" for i, v in enumerate(_NOVELTIES))
    band = f"(case s.kind {whens} end)::utinyint as band_novelty"
    replaced = f" replace ({', '.join([*also, band])})"
    joined = (
        "left join stitching s on s.small_sae_id = $against and "
        f"s.large_sae_id = {name}.sae_id and s.latent = {name}.latent"
    )
    return replaced, joined, {"against": as_text(question.against)}


def order_of(question: Question) -> str:
    """The order of an answer; without a text and parts, the best latents are the frequent ones."""
    if question.sort in _ORDERS:
        return f"{_ORDERS[question.sort]}, {_BEST}"
    if not question.text.strip() and not question.parts:
        return f"kind desc, {_ORDERS['frequent']}, sae_id, latent"
    return _BEST


def all_of(kept: dict[str, str], but: str = "") -> str:
    """All filters but one as one condition."""
    return " and ".join(f"({sql})" for name, sql in kept.items() if name != but) or "true"


def facet_counts(source: str, kept: dict[str, str]) -> str:
    """A statement with rows (facet, sae_id, band, n): answers that a value would leave.

    Args:
        source: `asked`, or what takes its place.
        kept: the filters in force; those of other facets stay, each facet's own does not count.
    """
    branches = [
        f"select 'sae' as facet, sae_id, null::utinyint as band, count(*) as n from {source} "
        f"where {all_of(kept, 'sae')} group by sae_id"
    ]
    branches += [
        f"select '{facet.name}', null, band_{facet.name}, count(*) from {source} "
        f"where {all_of(kept, facet.name)} group by band_{facet.name}"
        for facet in FACETS
    ]
    return " union all ".join(branches)


def _part_parameters(question: Question) -> dict[str, list[Any]]:
    named: list[tuple[Part, str]] = [
        (part, role)
        for role in ("required", "excluded", "weighed")
        for part in getattr(question, role)
    ]
    return {
        "part_saes": [as_text(part.sae_id) for part, _ in named],
        "part_latents": [part.latent for part, _ in named],
        "part_weights": [part.weight for part, _ in named],
        "part_roles": [role for _, role in named],
    }
