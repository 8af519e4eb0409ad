"""Find latents by a word they fire on, a token they promote, their label, or their number.

How a text becomes hits, in four steps:

1. clean it (printable, at most `LONGEST_TEXT` characters); SQL then folds case and accents away;
2. list the terms and labels that equal it, start with it or contain it, and read it as a number;
   only the `MOST_TERMS` best terms are followed, exact before prefix before substring, then by
   frequency;
3. each latent keeps its best match: number, exact term, exact label, prefix, substring; what it
   fires on before what it promotes; then by score (F1, logit, or the label's),
   then from the widest SAE;
4. only the rows of one page get an example and a decomposition.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from backend.bounds import NO_LATENT, as_index, as_text, page_bounds, row_limit
from backend.records import Record, column
from backend.schema import TERM_INDEXES
from backend.store import Run

LONGEST_TEXT = 100  # characters; the longest word of a corpus is far shorter
MOST_TERMS = 300  # followed to their latents; a text that is part of more is too vague to rank
EDITS_PER_LETTER = 1 / 3  # "did you mean" accepts one wrong letter in three

_NUMBER = re.compile(r"(?:(?P<sae_id>[^\s/]+)\s*/\s*)?#?(?P<latent>\d{1,10})", re.ASCII)

_HITS = """
with matched as (
    select sae_id, "index" as matched_in, term, latents,
        case when folded = fold($text) then 1
            when starts_with(folded, fold($text)) then 3 else 4 end as place
    from search_terms
    where contains(folded, fold($text)) and fold($text) <> ''
        and ($sae_id is null or sae_id = $sae_id)
        and ($index = 'any' or "index" = $index)
    order by place, count desc, n_latents desc, length(term), term, sae_id, "index"
    limit $most_terms
), followed as (
    select sae_id, place, matched_in, term, unnest(latents) as found from matched
), candidates as (
    select sae_id, found.latent as latent, place, matched_in, term as matched_term,
        found.score as score, found.precision as precision, found.recall as recall
    from followed
    union all
    select sae_id, latent,
        case when folded = fold($text) then 2
            when starts_with(folded, fold($text)) then 3 else 4 end,
        'label', label, label_score, null, null
    from latent_facts
    where contains(folded, fold($text)) and fold($text) <> '' and $index = 'any'
        and ($sae_id is null or sae_id = $sae_id)
    union all
    select sae_id, latent, 0, 'index', cast(latent as varchar), null, null, null
    from latent_facts
    where latent = $number and ($sae_id is null or sae_id = $sae_id)
        and ($number_sae_id is null or sae_id = $number_sae_id)
), hits as (
    from candidates
    qualify row_number() over (
        partition by sae_id, latent
        order by place, matched_in = 'promotes', score desc nulls last, matched_in, matched_term
    ) = 1
)
"""

_ONE_PAGE = """
, page as (
    select *, count(*) over () as n_hits,
        row_number() over (
            order by place, matched_in = 'promotes', score desc nulls last, n_latents desc,
                sae_id, latent
        ) as position_in_hits
    from hits join (select sae_id, n_latents, kind from saes) using (sae_id)
    order by position_in_hits limit $limit offset $offset
), shown as (
    select parent_sae_id, min(sae_id) as meta_sae_id from saes
    where parent_sae_id is not null group by parent_sae_id
), decomposed as (
    select p.sae_id, p.latent,
        string_agg(
            printf('%.2f ', c.activation)
                || if(m.label = '', 'meta-latent ' || c.meta_latent, m.label),
            ' + ' order by c.activation desc, c.meta_latent
        ) as decomposition
    from page p
    join shown on shown.parent_sae_id = p.sae_id
    join components c on c.meta_sae_id = shown.meta_sae_id and c.latent = p.latent
    join latent_facts m on m.sae_id = c.meta_sae_id and m.latent = c.meta_latent
    group by p.sae_id, p.latent
)
select p.sae_id, p.kind, p.latent, n.label, p.matched_term, p.matched_in,
    case when p.matched_in in ('label', 'index') then p.matched_in
        else ['exact', '', 'prefix', 'substring'][p.place] end as match,
    p.score, p.precision, p.recall, n.count, n.n_components, d.decomposition,
    b.context_id, b.position, b.activation, c.text, c.token_starts, c.token_ends, c.title,
    p.n_hits
from page p
join latent_facts n on n.sae_id = p.sae_id and n.latent = p.latent
left join decomposed d on d.sae_id = p.sae_id and d.latent = p.latent
left join best_examples b on b.sae_id = p.sae_id and b.latent = p.latent
left join contexts c on c.context_id = b.context_id
order by p.position_in_hits
"""


def search_latents(
    run: Run,
    text: str,
    sae_id: str | None = None,
    index: str = "any",
    limit: int = 25,
    offset: int = 0,
) -> list[Record]:
    """One page of the latents and meta-latents that a text finds, best first.

    Args:
        run: an open run.
        text: a word or part of one, a label, or a number: `123` in every SAE, `sae-8/123` in one.
        sae_id: only latents of this SAE.
        index: `fires`, `promotes` (only terms of that index) or `any` (both, and labels).
        limit: rows of a page.
        offset: hits before this page.

    Columns: sae_id, kind (`sae` or `meta`), latent, label, matched_term, matched_in (fires,
    promotes, label, index), match (exact, prefix, substring, label, index), score (F1 when it
    fires, logit when it promotes, label_score), precision, recall, count, n_components,
    decomposition ("0.60 scientist + 0.50 german"; None without components), the strongest
    example (context_id, position, activation, text, token_starts, token_ends, title; missing when
    there is none) and n_hits, the number of hits on all pages.
    """
    run.load_later_tables()
    return run.query(_HITS + _ONE_PAGE, **_asked(text, sae_id, index), **page_bounds(limit, offset))


def count_hits(run: Run, text: str, sae_id: str | None = None, index: str = "any") -> int:
    """Latents and meta-latents that `search_latents` finds on all pages together."""
    run.load_later_tables()
    row = run.row(_HITS + "select count(*) as n from hits", **_asked(text, sae_id, index))
    return row["n"] if row else 0


def did_you_mean(run: Run, text: str, limit: int = 3) -> list[str]:
    """Terms of the corpus spelled nearly like `text`: fewest wrong letters, then most frequent."""
    cleaned = clean_text(text)
    run.load_later_tables()
    found = run.query(
        """
        select term, damerau_levenshtein(folded, fold($text)) as edits
        from words
        where folded <> fold($text) and edits <= $edits
            and abs(length(folded) - length(fold($text))) <= $edits
        order by edits, count desc, term limit $limit
        """,
        text=cleaned,
        edits=max(1, int(len(cleaned) * EDITS_PER_LETTER)) if cleaned else NO_LATENT,
        limit=row_limit(limit),
    )
    return column(found, "term")


def clean_text(text: object) -> str:
    """Printable characters of what was typed, runs of space made one, cut to `LONGEST_TEXT`."""
    typed = unicodedata.normalize("NFC", as_text(text)[: 4 * LONGEST_TEXT])
    # bidi overrides and other format characters stay: a term may hold them
    printable = "".join(" " if unicodedata.category(c) == "Cc" else c for c in typed)
    return " ".join(printable.split())[:LONGEST_TEXT]


def _asked(text: str, sae_id: str | None, index: str) -> dict[str, Any]:
    """The parameters of `_HITS`."""
    cleaned = clean_text(text)
    number = _NUMBER.fullmatch(cleaned)
    return {
        "text": cleaned,
        "sae_id": None if sae_id is None else as_text(sae_id),
        "index": index if index in TERM_INDEXES else "any",
        "most_terms": MOST_TERMS,
        "number": as_index(int(number["latent"])) if number else NO_LATENT,
        "number_sae_id": number["sae_id"] if number else None,
    }
