"""The latents that answer a question: filtered, sorted, paged, and counted for each filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb

from backend.answer_rows import with_evidence, with_labels
from backend.asked import ASKED, all_asked, asked_statement, order_of
from backend.asked_rows import AskedRows
from backend.bounds import as_text, page_bounds
from backend.facets import conditions
from backend.in_common import parts_in_common
from backend.question import Question
from backend.records import Record
from backend.search import clean_text, find_latents
from backend.store import Run, TooSlow

SECONDS = 5.0  # a question that takes longer is stopped: no word search does, a pattern might
LABELS_AT_ONCE = 1_000
MOST_FOR_PARTS = 10_000  # answers; what more of them have in common says nothing


class QuestionError(Exception):
    """A question cannot be answered; the message says why and what to do."""


@dataclass(frozen=True)
class Answer:
    """One page of an answer.

    `rows` as `answer` describes; `n` answers on all pages; `counts[facet][value]` answers that each
    value of a filter would leave, all other filters kept; `shared` the meta-latents that the
    answers have in common beyond chance: meta_sae_id, meta_latent, label, n, lift.
    """

    rows: list[Record]
    n: int
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    shared: list[Record] = field(default_factory=list)
    drawn: Record | None = None
    """One answer at random: kind, sae_id, latent, at (its place; None in a long list)."""


@dataclass(frozen=True)
class Around:
    """An answer and those beside it (kind, sae_id, latent), of `n`; `drawn` as in `Answer`."""

    before: Record | None
    own: Record
    after: Record | None
    n: int
    drawn: Record | None


def answer(run: Run, question: Question, limit: int = 20, offset: int = 0) -> Answer:
    """One page of the latents and meta-latents that answer a question.

    Columns of the rows: sae_id, kind, latent, label, label_auc, accuracy and naming (of the
    label), matched_term, matched_in, match (exact, prefix, substring, label, number; None without
    a text), score, precision, recall, lift, part_score (sum of weight x activation over the parts
    asked for), count, tokens_seen, density, n_components, explained, stability, cosine (with the
    nearest latent of its SAE), novelty (against the next smaller SAE), components (list of
    meta_sae_id, meta_latent, label, activation; None when not decomposed), the strongest example
    (context_id, position, activation, text, token_starts, token_ends, title), n.

    Raises:
        QuestionError: a regular expression is not valid, or the question takes too long.
    """
    with _asked(run, question) as asked:
        session = asked.session
        rows = with_labels(session, asked.page(**page_bounds(limit, offset)))
        rows = with_evidence(session, rows)
        n, counts = asked.count(), asked.counts()
        shared = []
        if 1 < n <= MOST_FOR_PARTS and not question.is_empty:
            shared = parts_in_common(session, asked.source, asked.params, asked.where)
        named = {part.key for part in question.parts}
        shared = [row for row in shared if (row["meta_sae_id"], row["meta_latent"]) not in named]
        return Answer(rows, n, counts, shared, asked.drawn(n))


def every_answer(run: Run, question: Question, limit: int) -> list[Record]:
    """The rows of `answer` on all pages up to `limit`, without components, example and n.

    Raises:
        QuestionError: as `answer`.
    """
    with _asked(run, question) as asked:
        rows = asked.page(max(int(limit), 1), 0)
        found: list[Record] = []
        for start in range(0, len(rows), LABELS_AT_ONCE):
            found += with_labels(asked.session, rows[start : start + LABELS_AT_ONCE])
        return found


def names_of(run: Run, latents: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Record]:
    """label, kind and count of some latents, by SAE and index; unknown ones are absent."""
    if not latents:
        return {}
    rows = run.query(
        """
        select n.sae_id, n.latent, n.label, s.kind, n.count
        from (select unnest($latents) as latent) w
        join latent_facts n using (latent) join saes s using (sae_id)
        """,
        latents=sorted({latent for _, latent in latents}),
    )
    wanted = {(as_text(sae_id), latent) for sae_id, latent in latents}
    return {key: row for row in rows if (key := (row["sae_id"], row["latent"])) in wanted}


def part_names(run: Run, question: Question) -> dict[tuple[str, int], str]:
    """Labels of the parts that a question names; a part that the run lacks has none."""
    named = names_of(run, [part.key for part in question.parts])
    return {key: row["label"] for key, row in named.items()}


def answers_around(run: Run, question: Question, at: int) -> Around | None:
    """The answer at a place (0 the first), those beside it, and one at random; None past the end.

    Raises:
        QuestionError: as `answer`.
    """
    with _asked(run, question) as asked:
        n = asked.count()
        if not 0 <= at < n:
            return None
        first = max(at - 1, 0)
        rows = asked.stops(at + 2 - first, first)
        own = at - first
        return Around(
            before=rows[0] if own else None,
            own=rows[own],
            after=rows[own + 1] if own + 1 < len(rows) else None,
            n=n,
            drawn=asked.drawn(n),
        )


@contextmanager
def _asked(run: Run, question: Question) -> Iterator[AskedRows]:
    """What a question allows.

    What a text or parts allow becomes a table, because it is asked several times; without them it
    is all latents, and a table of a million rows would only cost time.
    """
    run.load_later_tables()
    kept, order = conditions(question), order_of(question)
    params: dict[str, Any] = {"sae_id": as_text(question.sae_id)} if "sae" in kept else {}
    try:
        with run.session(SECONDS) as session:
            has_text = bool(clean_text(question.text))
            if has_text:
                find_latents(session, question)
            if has_text or question.parts:
                sql, more = asked_statement(question, has_text)
                session.query(f"create temp table hits as {sql}", **more)
                session.query(f"create temp view asked as {ASKED}")
                yield AskedRows(session, "asked", params, kept, order)
            else:
                sql, more = all_asked(question)
                yield AskedRows(session, f"({sql}) asked", params | more, kept, order)
    except TooSlow:
        raise QuestionError(
            f"This search was stopped after {SECONDS:g} seconds. Ask for something more exact."
        ) from None
    except (duckdb.InvalidInputException, duckdb.OutOfRangeException) as error:
        if question.way != "regex":
            raise
        raise QuestionError(
            f"This is not a regular expression that can be searched: {str(error)[:200]}. "
            "Brackets and signs such as * + ? ( [ have a meaning there; put \\ before them, or "
            "search for words."
        ) from error
