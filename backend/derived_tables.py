"""The tables that a run makes from its files when it opens: what every page reads."""

from __future__ import annotations

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
