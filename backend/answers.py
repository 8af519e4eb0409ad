"""The latents that answer a question: filtered, sorted, paged, and counted for each filter."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb

from backend.answer_rows import with_evidence, with_labels
from backend.asked import all_asked, all_of, asked_statement, facet_counts, order_of, views
from backend.bounds import as_text, page_bounds
from backend.facets import FACETS, NAMED, conditions
from backend.in_common import parts_in_common
from backend.question import Question
from backend.records import Record, column
from backend.search import clean_text, find_latents
from backend.store import Run, Session, TooSlow

SECONDS = 5.0  # a question that takes longer is stopped: no word search does, a pattern might
LABELS_AT_ONCE = 1_000
MOST_FOR_PARTS = 10_000  # answers; what more of them have in common says nothing, nor does a place


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
    with _asked(run, question) as (session, source, params, kept):
        where, order = all_of(kept), order_of(question)
        rows = _ordered(session, source, params, where, order, **page_bounds(limit, offset))
        rows = with_evidence(session, with_labels(session, rows))
        counted = _counted_in(source, kept)
        n = _count(session, counted, params, where)
        counts = _counts(session, counted, params, kept)
        drawn = _drawn(session, source, params, where, order, n)
        shared = []
        if 1 < n <= MOST_FOR_PARTS and not question.is_empty:
            shared = parts_in_common(session, source, params, where)
        named = {part.key for part in question.parts}
        shared = [row for row in shared if (row["meta_sae_id"], row["meta_latent"]) not in named]
        return Answer(rows, n, counts, shared, drawn)


def every_answer(run: Run, question: Question, limit: int) -> list[Record]:
    """The rows of `answer` on all pages up to `limit`, without components, example and n.

    Raises:
        QuestionError: as `answer`.
    """
    with _asked(run, question) as (session, source, params, kept):
        order, n = order_of(question), max(int(limit), 1)
        rows = _ordered(session, source, params, all_of(kept), order, limit=n, offset=0)
        found: list[Record] = []
        for start in range(0, len(rows), LABELS_AT_ONCE):
            found += with_labels(session, rows[start : start + LABELS_AT_ONCE])
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
    with _asked(run, question) as (session, source, params, kept):
        where, order = all_of(kept), order_of(question)
        n = _count(session, source, params, where)
        if not 0 <= at < n:
            return None
        first = max(at - 1, 0)
        rows = session.query(
            f"select kind, sae_id, latent from {source} where {where} order by {order} "
            "limit $limit offset $first",
            **params,
            limit=at + 2 - first,
            first=first,
        )
        own = at - first
        return Around(
            before=rows[0] if own else None,
            own=rows[own],
            after=rows[own + 1] if own + 1 < len(rows) else None,
            n=n,
            drawn=_drawn(session, source, params, where, order, n),
        )


@contextmanager
def _asked(
    run: Run, question: Question
) -> Iterator[tuple[Session, str, dict[str, Any], dict[str, str]]]:
    """A session, what to select from in it, the parameters of that, and the filters on top.

    What a text or parts allow becomes a table, because it is asked several times; without them it
    is all latents, and a table of a million rows would only cost time.
    """
    run.load_later_tables()
    kept = conditions(question)
    params: dict[str, Any] = {"sae_id": as_text(question.sae_id)} if "sae" in kept else {}
    try:
        with run.session(SECONDS) as session:
            has_text = bool(clean_text(question.text))
            if has_text:
                find_latents(session, question)
            if has_text or question.parts:
                sql, more = asked_statement(question, has_text)
                session.query(f"create temp table hits as {sql}", **more)
                for sql, more in views(question):
                    session.query(sql, **more)
                yield session, "asked", params, kept
            else:
                sql, more = all_asked(question)
                yield session, f"({sql}) asked", params | more, kept
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


def _ordered(
    session: Session,
    source: str,
    params: dict[str, Any],
    where: str,
    order: str,
    limit: int,
    offset: int,
) -> list[Record]:
    """Some rows in order: their keys first, so that only they are read in full."""
    keys = column(
        session.query(
            f"select key from {source} where {where} order by {order} limit $limit offset $offset",
            **params,
            limit=limit,
            offset=offset,
        ),
        "key",
    )
    if not keys:
        return []
    rows = session.query(
        f"from {source} where {where} and key in (select unnest($keys))", **params, keys=keys
    )
    place = {key: at for at, key in enumerate(keys)}
    return sorted(rows, key=lambda row: place[row["key"]])


def _drawn(
    session: Session, source: str, params: dict[str, Any], where: str, order: str, n: int
) -> Record | None:
    if n == 0:
        return None
    at = random.randrange(n)
    # the place in a long list would cost sorting all of it
    in_order = f"order by {order}" if n <= MOST_FOR_PARTS else ""
    row = session.query(
        f"select kind, sae_id, latent from {source} where {where} {in_order} limit 1 offset $at",
        **params,
        at=at,
    )[0]
    return {**row, "at": at if in_order else None}


def _counted_in(source: str, kept: dict[str, str]) -> str:
    """What to count in: names and SAEs are worked out, which costs where no filter needs them."""
    if source != "asked" or kept.keys() & NAMED:
        return source
    return "unpacked" if "sae" in kept else "banded"


def _count(session: Session, source: str, params: dict[str, Any], where: str) -> int:
    return session.query(f"select count(*) as n from {source} where {where}", **params)[0]["n"]


def _counts(
    session: Session, source: str, params: dict[str, Any], kept: dict[str, str]
) -> dict[str, dict[str, int]]:
    values = {facet.name: facet.values for facet in FACETS}
    counts: dict[str, dict[str, int]] = {}
    for row in session.query(facet_counts(source, kept), **params):
        facet, band = row["facet"], row["band"]
        if facet == "sae":
            counts.setdefault(facet, {})[row["sae_id"]] = row["n"]
        elif band is not None:
            counts.setdefault(facet, {})[values[facet][band].key] = row["n"]
    return counts
