"""Questions to begin with, each a link, chosen by fixed rules from what the run holds."""

from __future__ import annotations

from dataclasses import dataclass

from backend.decompositions import components
from backend.featured import featured_decompositions
from backend.links import Link, ask_link, map_link, search_link, stitching_link
from backend.question import Part, Question
from backend.records import Record
from backend.store import Run
from backend.sum_question import SumQuestion
from backend.text_html import latent_name

RARITY = 3_000  # a word on more than one token in so many has no sense of its own
SAME_LETTERS = 4  # two names that begin alike say the same twice


@dataclass(frozen=True)
class Stop:
    """One question: what is asked (untrusted words), and where it is answered."""

    words: str
    to: Link


def tour(run: Run, saes: list[Record]) -> list[Stop]:
    """Up to seven questions; those that the run cannot answer are left out.

    Args:
        saes: the rows of `queries.saes`.
    """
    name = run.name
    stops = []
    sense = run.fixed_row(
        """
        with phrases as (
            select distinct term, string_split(term, ' ')[1] as before,
                string_split(term, ' ')[-1] as word
            from terms where "index" = 'phrases'
        )
        select word from phrases join terms t on t.term = word and t."index" = 'fires'
        where length(word) > 3
            and t.count::bigint * $rarity <= (select max(tokens_seen) from latent_facts)
        group by word order by count(distinct before) desc, word limit 1
        """,
        rarity=RARITY,
    )
    if sense is not None:
        word = sense["word"]
        stops.append(
            Stop(f"Which latents fire on “{word}”, in which phrases?", search_link(word, run=name))
        )
    for row, strongest in _telling(run):
        part = Part(row["meta_sae_id"], int(strongest["meta_latent"]))
        called = latent_name(strongest["label"], part.latent, "meta")
        asked = Question(required=(part,))
        stops.append(
            Stop(
                f"Which latents share the part “{called}” with “{row['label']}”?",
                ask_link(asked.params, name),
            )
        )
        less = SumQuestion(Part(row["sae_id"], int(row["latent"])), less=(part,))
        stops.append(
            Stop(
                f"What is “{row['label']}” without “{called}”, or with another part instead?",
                ask_link(less.params, name),
            )
        )
    if any(sae["kind"] == "meta" for sae in saes):
        spelled = Question(kind="meta", naming="spelling")
        stops.append(
            Stop(
                "Which parts are a spelling rather than a meaning?",
                Link(search_link("").path, {"run": name, **spelled.params}),
            )
        )
    pair = run.fixed_row(
        """
        select small.sae_id as small_sae_id, large.sae_id as large_sae_id
        from suite small, suite large order by small.n_latents, large.n_latents desc limit 1
        """
    )
    if pair is not None and pair["small_sae_id"] != pair["large_sae_id"]:
        novel = Question(sae_id=pair["large_sae_id"], novelty="novel", against=pair["small_sae_id"])
        stops.append(
            Stop(
                f"What does {pair['large_sae_id']} know that {pair['small_sae_id']} does not?",
                Link(search_link("").path, {"run": name, **novel.params}),
            )
        )
        stops.append(
            Stop(
                f"How do the latents of {pair['small_sae_id']} and the next larger SAE relate?",
                stitching_link(run=name),
            )
        )
    parents = [sae["parent_sae_id"] for sae in saes if sae["parent_sae_id"]]
    shown = parents[0] if parents else saes[-1]["sae_id"]
    stops.append(Stop(f"What do all latents of {shown} look like?", map_link(shown, run=name)))
    return stops


def _telling(run: Run) -> list[tuple[Record, Record]]:
    """The first featured latent whose strongest part is called something else, and that part."""
    for row in featured_decompositions(run):
        strongest = components(run, row["meta_sae_id"], row["latent"])[0]
        same = strongest["label"][:SAME_LETTERS] == row["label"][:SAME_LETTERS]
        if row["label"].isalpha() and not same:
            return [(row, strongest)]
    return []
