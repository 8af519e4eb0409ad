"""The tables that a run makes in memory from its files: what lists show, search and filter by."""

from __future__ import annotations

from backend.facets import band_columns, named_columns, packed_bands

# `fold` makes what search compares: lower case, without accents; `sae_numbers` gives every latent a
# `key`, SAE and latent in one number, because that joins faster; `latent_facts` has what lists of
# latents show; `suite` the SAEs that were stitched, each with the next larger one (others, such as
# one of words, belong to no suite); `links` every latent's nearest in the next smaller of them
FOLD = "create macro fold(name) as strip_accents(lower(name))"
DERIVED_TABLES = """
create table sae_numbers as
    select sae_id, n_latents, row_number() over (order by sae_id) as number,
        number << 32 as first_key
    from saes;
create table latent_facts as
    select b.first_key + l.latent as key, l.sae_id, l.latent, l.label, fold(l.label) as folded,
        l.label_source, l.label_kind, l.label_score, l.label_accuracy, l.label_auc, l.count,
        l.tokens_seen, l.n_components, l.decomposition_variance_explained, l.x, l.y
    from latents l join sae_numbers b using (sae_id);
create table suite as
    select sae_id, n_latents, lead(sae_id) over (order by n_latents) as next_sae_id
    from saes where sae_id in (
        select small_sae_id from stitch_curve union select large_sae_id from stitch_curve
    );
create table links as
    select s.small_sae_id, s.large_sae_id, s.latent, s.nearest_latent, s.max_cosine,
        s.together / nullif(s.fired, 0) as together_share
    from stitching s
    join suite z on z.sae_id = s.small_sae_id and z.next_sae_id = s.large_sae_id
"""
# what the first page needs not. `spellings` has every term once, as search compares it, and
# `term_list` the indexes that have it; their latents stay in the file (`postings`), where a row's
# number finds them in half the time that its term takes; `words` has what near misses are sought
# in; `facets` what a list of latents is filtered and sorted by; those that are names come from
# `facet_bands` by their band; `best_examples` the line that a hit shows, and `parts` the components
# with the number of their meta-SAE: lists of latents look both up in memory, as a file would have
# to be read in as many places as there are latents; `best_terms` the words that members share
LATER_TABLES = """
create table spellings as
    select (row_number() over ())::int as spelling, term, fold(term) as folded,
        max(count) filter (where "index" = 'fires') as count,
        max(count) filter (where "index" = 'phrases') as phrase_count,
        sum(n_latents) filter (where "index" = 'phrases') as phrase_latents
    from read_parquet({terms_file}) group by term;
create table term_list as
    select s.spelling, t.sae_id, t."index", t.count, t.n_latents, t.file_row_number as file_row
    from read_parquet({terms_file}, file_row_number = true) t join spellings s using (term);
create view postings as
    select file_row_number as file_row, latents
    from read_parquet({terms_file}, file_row_number = true);
create table words as
    select folded, arg_max(term, count) as term, max(count) as count
    from spellings where count is not null group by folded;
create table facet_bands as
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
    select f.* exclude (kind, naming, novelty), {bands}, {packed} as bands
    from figures f order by key;
create view facets as select * exclude (bands), {names} from facet_bands;
create table best_examples as
    select b.first_key + e.latent as key, e.context_id, e.position, e.activation
    from examples e join sae_numbers b using (sae_id) where e."group" = 'top' and e.rank = 0;
create table parts as
    select b.number::int as number, c.latent, c.meta_latent, c.activation
    from components c join sae_numbers b on b.sae_id = c.meta_sae_id;
create {latents_kind} best_terms as
    select sae_id, latent,
        list_transform(top_terms[:5], lambda t: {{'term': t.term, 'score': t.score}}) as terms
    from latents;
"""
# they pay where there are many latents; a small run is read through as fast, without their memory
KEY_INDEXES = """
create unique index fact_keys on latent_facts (key);
create unique index band_keys on facet_bands (key);
create unique index example_keys on best_examples (key);
"""
# labels from the file beside the run: how well they tell members was never measured
APPLY_LABELS = """
update latent_facts set label = e.label, folded = fold(e.label), label_source = e.source,
    label_score = null, label_accuracy = null, label_auc = null
from (
    select unnest($saes) as sae_id, unnest($latents) as latent, unnest($labels) as label,
        unnest($sources) as source
) e
where latent_facts.sae_id = e.sae_id and latent_facts.latent = e.latent
"""


def later_tables(terms_file: str, is_large: bool) -> str:
    """The statements that make what the first page needs not.

    Args:
        terms_file: path of the table `terms`, as an SQL literal.
        is_large: keep no copy of the words of every latent, but indexes of what is looked up.
    """
    made = LATER_TABLES.format(
        bands=band_columns(),
        packed=packed_bands(),
        names=named_columns(),
        terms_file=terms_file,
        latents_kind="view" if is_large else "table",
    )
    return made + KEY_INDEXES if is_large else made
