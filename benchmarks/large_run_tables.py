"""The generated tables as SQL, each in the order of its key; `large_run.py` fills in the sizes."""

from __future__ import annotations

# two letters each; `qui` is the one of three
SYLLABLES = """
ba be bi co cu da de do fa fi ga go ha he ju ka ki la le lo ma me mi na no nu pa pe po qui ra re ri
sa se si ta te to tu va ve vi wa wo xa ya ze zo
"""

# `die(seed, i)` is a number from 0 to 1 that depends on nothing but its arguments; `zipf` a word
# drawn by a law that gives half of all draws to the first few hundred
BASIS = """
set preserve_insertion_order = true;
create macro die(seed, i) as (hash(i * 1000 + seed) % 1000000007) / 1000000007.0;
create macro zipf(u, n) as least(n - 1, cast(exp(u * ln(n)) as int) - 1 + cast(u * 3 as int));
create table ids as
    select 'sae-small' as sae_id, 'sae' as kind, range::int as latent, range as i
    from range({n} // 16 + (case when {n} < 256 then 16 else 0 end))
    union all select 'sae-wide', 'sae', range::int, range + 10000000 from range({n})
    union all select 'meta-wide', 'meta', range::int, range + 20000000 from range({n_meta});
"""
VOCABULARY = """
create table spelled as
    select range::int as word, (
        select string_agg(s, '' order by k) from (
            select k, (select list(s) from syllables)[
                1 + (hash(range * 7 + k) % (select count(*) from syllables))::int
            ] as s from unnest(range(1 + (2 + range % 3)::int)) as t(k)
        )
    ) as term from range({words});
create table vocabulary as
    select word, if(row_number() over (partition by term order by word) = 1, term,
        term || word::varchar) as term from spelled;
create table texts as
    select range::int as context_id, (
        select list(zipf(die(k, range + 50000000), {words}) order by k)
        from unnest(range(24)) as t(k)
    ) as words from range({contexts});
"""
STATEMENTS = {
    "saes": """
        select sae_id, any_value(kind) as kind,
            if(any_value(kind) = 'meta', 'sae-wide', null) as parent_sae_id,
            'generated' as model_id, 'blocks.8' as hook_name, 'batchtopk' as architecture,
            768 as d_in, count(*)::int as n_latents, 20.0 as k, 0.1 as threshold, 20.0 as l0,
            0.8 as variance_explained, 0.75 as variance_explained_heldout, 0.0 as dead_fraction,
            0 as seed, sae_id as decoder_sha256, 'unembedding' as logits_through
        from ids group by sae_id order by sae_id
    """,
    "latents": """
        with drawn as (
            select *, [zipf(die(k, i), {words}) for k in range(3)] as own,
                if(kind = 'meta', {n}, {seen}) as seen,
                exp(ln(1e-7) * die(5, i) * 0.9 + ln(0.1) * 0.1) as density
            from ids
        ), named as (
            select d.*, list_transform(own, lambda w: (v[w + 1]).term) as terms,
                if(die(6, i) < 0.01, 0, greatest(1, (density * seen)::bigint)) as fired
            from drawn d, (select list(vocabulary order by word) as v from vocabulary)
        )
        select sae_id, latent, array_to_string(terms[:1 + (i % 3)], ', ') as label,
            'terms' as label_source,
            case when die(7, i) < 0.6 then 'word' when die(7, i) < 0.8 then 'meaning'
                when die(7, i) < 0.95 then 'spelling' else 'none' end as label_kind,
            die(8, i) as label_score, 0.5 + die(9, i) / 2 as label_accuracy,
            0.5 + die(9, i) / 2 as label_auc, 50 as label_tests, fired as count,
            seen as tokens_seen, 1.0 as mean_activation, 2.0 as max_activation,
            [0.1, 1.0, 2.0] as histogram_edges, [fired // 2, fired - fired // 2]::int[]
                as histogram_counts,
            list_transform(terms, lambda t: {{'term': t, 'score': 0.5, 'precision': 0.5,
                'recall': 0.5, 'count': 10}}) as top_terms,
            list_transform(terms, lambda t: {{'token': t, 'logit': 1.0}}) as promoted,
            list_transform(terms, lambda t: {{'token': t, 'logit': -1.0}}) as suppressed,
            die(10, i) * 100 as x, die(11, i) * 100 as y,
            if(sae_id = 'sae-wide', 1 + (i % 6), null)::int as n_components,
            if(sae_id = 'sae-wide', 0.7, null) as decomposition_cosine,
            if(sae_id = 'sae-wide', die(12, i), null) as decomposition_variance_explained,
            if(sae_id = 'sae-wide', 0.05, null) as bias_share,
            if(sae_id = 'sae-wide', 0.4, null) as residual_share
        from named order by sae_id, latent
    """,
    "components": """
        select 'meta-wide' as meta_sae_id, latent,
            ((hash(latent * 31 + k) % ({n_meta} // 8)) * 8 + k)::int as meta_latent,
            0.6 - k * 0.08 as activation, 0.6 - k * 0.08 as cosine, 0.3 - k * 0.04 as share,
            die(13, latent * 8 + k) as stability
        from ids, unnest(range(6)) as t(k)
        where sae_id = 'sae-wide' and k < 1 + (i % 6) order by latent, meta_latent
    """,
    "members": """
        select 'meta-wide' as meta_sae_id, latent,
            ((hash(latent * 31 + k) % ({n_meta} // 8)) * 8 + k)::int as meta_latent,
            0.6 - k * 0.08 as activation, 0.6 - k * 0.08 as cosine, 0.3 - k * 0.04 as share,
            die(13, latent * 8 + k) as stability
        from ids, unnest(range(6)) as t(k)
        where sae_id = 'sae-wide' and k < 1 + (i % 6) order by meta_latent, latent
    """,
    "contexts": """
        select context_id, 'generated' as source, 'text ' || context_id as title,
            array_to_string(list_transform(words, lambda w: (v[w + 1]).term), ' ') as text,
            list_transform(range(24), lambda k: list_sum(list_transform(words[:k], lambda w:
                length((v[w + 1]).term) + 1))::int) as starts,
            list_transform(starts, lambda s: coalesce(s, 0)) as token_starts,
            list_transform(list_zip(token_starts, words), lambda p:
                p[1] + length((v[p[2] + 1]).term)) as token_ends
        from texts, (select list(vocabulary order by word) as v from vocabulary)
        order by context_id
    """,
    "examples": """
        select sae_id, latent, case when r < {examples} * 0.6 then 'top'
                when r < {examples} * 0.7 then 'interval 1' when r < {examples} * 0.8
                then 'interval 2' when r < {examples} * 0.9 then 'interval 3' else 'random' end
                as "group",
            row_number() over (partition by sae_id, latent, "group" order by r) - 1 as rank,
            (hash(i * 64 + r) % {contexts})::int as context_id, (r % 24)::int as position,
            2.0 - r / {examples} as activation, [r % 24] as positions,
            [2.0 - r / {examples}] as activations
        from ids, unnest(range({examples})) as t(r)
        where kind = 'sae' order by sae_id, latent, "group", rank
    """,
    "terms": """
        with drawn as (
            select sae_id, index, word, ({per_term} * (1 - ln(word + 1) / ln({words} + 1)))::int + 1
                as kept, range as salt
            from (values ('sae-small', 16), ('sae-wide', 1)) as s(sae_id, part),
                (values ('fires', 1), ('phrases', 2), ('promotes', 3)) as t(index, range),
                vocabulary
            where word % part = 0
        )
        select sae_id, index, if(index = 'phrases',
                term || ' ' || (v[(word * 17) % {words} + 1]).term, term) as term,
            if(index = 'promotes', 0, ({seen} // (word + 10)))::int as count,
            kept as n_latents, list_transform(range(kept), lambda k: {{
                'latent': (hash(word * 64 + k * 3 + salt) %
                    if(sae_id = 'sae-wide', {n}, {n_small}))::int,
                'score': 0.9 / (k + 1), 'precision': 0.9 / (k + 1), 'recall': 0.5, 'lift': 100.0
            }}) as latents
        from drawn join vocabulary using (word),
            (select list(vocabulary order by word) as v from vocabulary)
        order by sae_id, index, term
    """,
    "neighbours": """
        select sae_id, latent, if(r < 5, sae_id, if(sae_id = 'sae-wide', 'sae-small', 'sae-wide'))
                as other_sae_id, if(r < 5, r, r - 5) as rank,
            (hash(i * 16 + r) % {n_small})::int as other_latent,
            0.95 - die(14, i) * 0.6 - r * 0.01 as cosine
        from ids, unnest(range(7)) as t(r)
        where kind = 'sae' order by sae_id, latent, other_sae_id, rank
    """,
    "cofiring": """
        select sae_id, latent, r as rank, (hash(i * 16 + r) % {n_small})::int as other_latent,
            10 - r as together, 20 as fired, 20 as other_fired, 1000000 as tokens_seen
        from ids, unnest(range(4)) as t(r) where kind = 'sae' order by sae_id, latent, rank
    """,
    "stitching": """
        select 'sae-small' as small_sae_id, 'sae-wide' as large_sae_id, latent,
            die(15, i) - 0.3 as delta_mse, delta_mse - 0.01 as ci_low, delta_mse + 0.01 as ci_high,
            100 as fired, if(delta_mse < 0, 'novel', 'reconstruction') as kind,
            (hash(i) % {n_small})::int as nearest_latent, die(16, i) as max_cosine, 50 as together
        from ids where sae_id = 'sae-wide' order by latent
    """,
    "stitch_curve": """
        select 'sae-small' as small_sae_id, 'sae-wide' as large_sae_id, range as step,
            if(range = 0, 'start', 'swap') as action, {n_small} * (1 - range) as n_small,
            {n} * range as n_large, 20.0 as l0, 0.2 as mse, 0.8 as variance_explained,
            0.1 as effect, 0.09 as effect_low, 0.11 as effect_high
        from range(2)
    """,
}
