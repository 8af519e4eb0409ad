"""What a text finds: latents by what they fire on or promote, by their label, by their number.

How a text becomes hits, in three steps:

1. clean it (printable, at most `LONGEST_TEXT` characters); SQL then folds case and accents away;
2. list the terms (words, phrases, word pieces, promoted tokens) and labels that equal it, start
   with it or contain it, or that a regular expression matches, and read it as a number; only the
   `MOST_TERMS` best terms are followed, exact before prefix before substring, then by frequency;
3. each latent keeps its best match: number, exact term, exact label, prefix, substring; what it
   fires on before what it promotes; then by score (F1, logit, or the label's).

`backend.answers` filters, sorts and pages these hits.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from backend.bounds import NO_LATENT, as_index, as_text, row_limit
from backend.question import Question
from backend.records import column
from backend.store import Run, Session

LONGEST_TEXT = 100  # characters; the longest word of a corpus is far shorter
MOST_TERMS = 160  # followed to their latents; a text that is part of more is too vague to rank
EDITS_PER_LETTER = 1 / 3  # "did you mean" accepts one wrong letter in three
TERM_INDEXES_OF = {
    "any": ["fires", "phrases", "pieces", "promotes"],
    "fires": ["fires", "phrases", "pieces"],
    "promotes": ["promotes"],
}

_NUMBER = re.compile(r"(?:(?P<sae_id>[^\s/]+)\s*/\s*)?#?(?P<latent>\d{1,10})", re.ASCII)

# how well a folded name fits the folded text; only names that contain it come this far
_WORDS = {
    "fits": "contains(folded, fold($text)) and fold($text) <> ''",
    "place": "case when folded = fold($text) then 0 "
    "when starts_with(folded, fold($text)) then 2 else 3 end",
}
_REGEX = {
    "fits": "regexp_matches(folded, strip_accents($text), 'i') and $text <> ''",
    "place": "case when regexp_full_match(folded, strip_accents($text), 'i') then 0 else 3 end",
}

# a latent has one label, so of those that are found by it alone none has to be the best;
# the terms first, without their lists, which are then read for those alone; `materialized` because
# DuckDB 2.0.0 stops with an internal error ("dict-surviving cache") where those joins are chained
_MATCHED = """
create temp table matched as
with fitting as (
    select spelling, term, {place} as place from spellings where {fits}
)
select t.sae_number, t."index", f.term, f.place, t.file_row
from term_list t join fitting f using (spelling)
where t.sae_number in (select number from sae_numbers where $sae_id in ('', sae_id))
    and list_contains($indexes, t."index")
order by f.place, t.count desc, t.n_latents desc, length(f.term), f.term, t.sae_number, t."index"
limit $most_terms
"""
_FOUND = """
create temp table found as
with lists as materialized (
    from postings where file_row in (select file_row from matched)
), followed as materialized (
    select m.sae_number, m.place, m."index" as matched_in, m.term as matched_term,
        unnest(l.latents) as found
    from lists l join matched m using (file_row)
), others as materialized (
    select b.first_key + f.found.latent as key, if(place = 0, 1, place + 1) as place, matched_in,
        matched_term, f.found.score as score, f.found.precision as precision,
        f.found.recall as recall, f.found.lift as lift
    from followed f join sae_numbers b on b.number = f.sae_number
    union all
    select first_key + $number, 0, 'number', cast($number as varchar), null, null, null, null
    from sae_numbers
    where $number between 0 and n_latents - 1 and ($sae_id = '' or sae_id = $sae_id)
        and ($number_sae_id is null or sae_id = $number_sae_id)
), named as materialized (
    select key, {place} + if(folded = fold($text), 2, 1) as place, 'label' as matched_in,
        null::varchar as matched_term, label_score as score, null::float as precision,
        null::float as recall, null::float as lift
    from latent_facts
    where $labels and {fits} and ($sae_id = '' or sae_id = $sae_id)
)
from (
    from others union all (select n.* from named n semi join others using (key))
) qualify row_number() over (
    partition by key
    order by place, matched_in = 'promotes', score desc nulls last, matched_in, matched_term
) = 1
union all
(select n.* from named n anti join others using (key))
"""


def find_latents(session: Session, question: Question) -> None:
    """Make the table `found` of all hits of a question's text.

    Columns: key (as in `facets`, unique), place (0 best), matched_in
    (fires, phrases, pieces, promotes, label, number), matched_term (null for a label: it would be
    copied for each of many hits), score (F1 when it fires, logit when it promotes, label_score),
    precision, recall, lift (null but for what it fires on).
    """
    cleaned = clean_text(question.text)
    rules = _REGEX if question.way == "regex" else _WORDS
    number = _NUMBER.fullmatch(cleaned) if question.index in ("any", "number") else None
    asked: dict[str, Any] = {"text": cleaned, "sae_id": as_text(question.sae_id)}
    session.query(
        _MATCHED.format(**rules),
        **asked,
        indexes=TERM_INDEXES_OF.get(question.index, []),
        most_terms=MOST_TERMS,
    )
    session.query(
        _FOUND.format(**rules),
        **asked,
        labels=question.index in ("any", "label"),
        number=as_index(int(number["latent"])) if number else NO_LATENT,
        number_sae_id=number["sae_id"] if number else None,
    )


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


def phrases_with(run: Run, text: str, limit: int = 8) -> list[tuple[str, int]]:
    """Phrases of the corpus that contain the text as whole words, and how often they occur.

    Those with many latents of their own come first: they tell the senses of a word apart.
    """
    cleaned = clean_text(text)
    run.load_later_tables()
    rows = run.query(
        """
        select term, phrase_count as occurrences from spellings
        where phrase_count is not null and fold($text) <> '' and folded <> fold($text)
            and contains(folded, fold($text))
            and contains(' ' || folded || ' ', ' ' || fold($text) || ' ')
        order by phrase_latents desc, phrase_count desc, term limit $limit
        """,
        text=cleaned,
        limit=row_limit(limit),
    )
    return [(row["term"], row["occurrences"]) for row in rows]


def clean_text(text: object) -> str:
    """Printable characters of what was typed, runs of space made one, cut to `LONGEST_TEXT`."""
    typed = unicodedata.normalize("NFC", as_text(text)[: 4 * LONGEST_TEXT])
    # bidi overrides and other format characters stay: a term may hold them
    printable = "".join(" " if unicodedata.category(c) == "Cc" else c for c in typed)
    return " ".join(printable.split())[:LONGEST_TEXT]
