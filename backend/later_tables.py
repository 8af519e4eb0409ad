"""The tables that search, lists and meta-latents read, made when the first page is out.

They stand in a database of their own in memory (`packed`), which nobody reads before it is
complete: only such a one can DuckDB pack (bits, dictionaries, ...). Views in the run's own database
then give them their names.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

from backend.facets import band_columns, named_columns, packed_bands
from backend.schema import TERM_INDEXES

# every term once, as search compares it: not packed, because packed text is slower to compare
_SPELLINGS = """
create or replace table spellings as
    select (row_number() over ())::int as spelling, term, fold(term) as folded,
        max(count) filter (where "index" = 'fires') as count,
        max(count) filter (where "index" = 'phrases') as phrase_count,
        sum(n_latents) filter (where "index" = 'phrases') as phrase_latents
    from term_rows group by term
"""
# `term_list` has the indexes that hold a term; `words` where near misses are sought; `facet_bands`
# what a list of latents is filtered and sorted by; `best_examples` the line that a hit shows, and
# `parts` the components with the number of their meta-SAE: lists look both up in memory, as a file
# would have to be read in as many places as there are latents
_TABLES = {
    "term_list": """
    select s.spelling, b.number::usmallint as sae_number,
        t."index"::packed.term_index as "index", t.count, t.n_latents, t.file_row::int as file_row
    from term_rows t
    join spellings s using (term) join sae_numbers b using (sae_id)
""",
    "words": """
    select folded, arg_max(term, count) as term, max(count) as count
    from spellings where count is not null group by folded
""",
    "facet_bands": f"""
    with steady as (
        select b.first_key + c.latent as key, avg(c.stability)::float as stability
        from components c join saes s on s.sae_id = c.meta_sae_id
        join sae_numbers b on b.sae_id = s.parent_sae_id group by key
        union all
        select b.first_key + c.meta_latent as key, avg(c.stability)::float
        from components c join sae_numbers b on b.sae_id = c.meta_sae_id group by key
    ), nearest as (
        select b.first_key + n.latent as key, n.cosine
        from neighbours n join sae_numbers b using (sae_id)
        where n.other_sae_id = n.sae_id and n.rank = 0
    ), known as (
        select b.first_key + t.latent as key, t.kind as novelty
        from stitching t join suite z
            on z.sae_id = t.small_sae_id and z.next_sae_id = t.large_sae_id
        join sae_numbers b on b.sae_id = t.large_sae_id
    ), figures as (
        select l.key, l.sae_id, s.kind, s.n_latents, l.latent, l.count,
            (l.count / greatest(l.tokens_seen, 1))::float as density, l.n_components as parts,
            l.decomposition_variance_explained as explained, steady.stability, nearest.cosine,
            l.label_accuracy as accuracy, l.label_kind as naming, known.novelty
        from latent_facts l join saes s using (sae_id)
        left join steady using (key) left join nearest using (key) left join known using (key)
    )
    select f.* exclude (kind, naming, novelty), {band_columns()}, {packed_bands()} as bands
    from figures f order by key
""",
    "best_examples": """
    select b.first_key + e.latent as key, e.context_id, e.position, e.activation
    from examples e join sae_numbers b using (sae_id) where e."group" = 'top' and e.rank = 0
""",
    "parts": """
    select b.number::int as number, c.latent, c.meta_latent, c.activation
    from components c join sae_numbers b on b.sae_id = c.meta_sae_id
""",
}
# what a file is read for where a copy would be too large: latents of a row of `term_list` (a short
# text follows up to 160 rows from all over the file) and the words that members share
_MAYBE_TABLES = {
    "postings": "select file_row, latents from term_rows",
    "best_terms": """
    select sae_id, latent,
        list_transform(top_terms[:5], lambda t: {'term': t.term, 'score': t.score}) as terms
    from latents
""",
}
_TERM_INDEX = f"create type packed.term_index as enum {TERM_INDEXES}"
# by what single rows are looked up; a small run is read through as fast, without their memory
_INDEXED = {
    "fact_keys": "latent_facts (key)",
    "band_keys": "packed.facet_bands (key)",
    "example_keys": "packed.best_examples (key)",
}
_CONTEXTS_INDEXED = {"context_ids": "packed.contexts (context_id)"}


def load(
    cursor: duckdb.DuckDBPyConnection, terms_file: str, copied: Collection[str], is_large: bool
) -> None:
    """Make them; a second call after a failure makes all of them anew.

    Args:
        cursor: of the run's database.
        terms_file: path of the table `terms`, as an SQL literal.
        copied: tables that are kept in memory whatever their size is: `postings`, `best_terms`,
            and views of files.
        is_large: index what is looked up by key.
    """
    cursor.execute(
        "create or replace view term_rows as select * rename (file_row_number as file_row) "
        f"from read_parquet({terms_file}, file_row_number = true)"
    )
    cursor.execute(_SPELLINGS)
    cursor.execute("detach database if exists packed")
    cursor.execute("attach ':memory:' as packed")
    cursor.execute(_TERM_INDEX)
    views = [f"facets as select * exclude (bands), {named_columns()} from facet_bands"]
    selects = _TABLES | {name: f"from {name}" for name in copied} | _MAYBE_TABLES
    for name, select in selects.items():
        if name in _MAYBE_TABLES and name not in copied:
            views.insert(0, f"{name} as {select}")
            continue
        cursor.execute(f"create table packed.{name} as {select}")
        cursor.execute("checkpoint packed")  # packs; of all at once DuckDB 2.0.0 packed none
        views.insert(0, f"{name} as from packed.{name}")
    indexed = (_INDEXED if is_large else {}) | (_CONTEXTS_INDEXED if "contexts" in copied else {})
    for index, columns in indexed.items():
        cursor.execute(f"create unique index if not exists {index} on {columns}")
    created = "".join(f"create or replace view {view};" for view in views)
    cursor.execute(f"begin; {created} commit")
