"""The place of a latent in the answer that it was opened from: what lies before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from backend import queries, urlstate
from backend.answers import QuestionError, answers_around
from backend.links import SEARCH_PATH, Link, latent_link
from backend.question import LONGEST_PARAMETER, Question, parse_question
from backend.records import Record
from backend.store import Run
from backend.text_html import link, shortened

LONGEST_NAME = 30  # characters of the text in the crumbs


@dataclass(frozen=True)
class Place:
    """Links from here to the answer (HTML), the one before, the one after, and any of them."""

    back_html: str
    before: Link | None
    after: Link | None
    random_to: Link | None
    params: dict[str, str]
    """What the address of this page carries so that the place is not lost."""


def place_in_answer(run: Run, sae_id: str, latent: int) -> Place | None:
    """The place that the address names; None when it names none, or another latent is there."""
    packed, at = urlstate.text("in")[:LONGEST_PARAMETER], urlstate.whole_number("at")
    if not packed or at is None:
        return None
    saes = tuple(sae["sae_id"] for sae in queries.saes(run))
    question = parse_question(dict(parse_qsl(packed)), saes)
    try:
        around = answers_around(run, question, at)
    except QuestionError:
        return None
    if around is None or (around.own["sae_id"], around.own["latent"]) != (sae_id, latent):
        return None  # the address was edited, or the run is another one
    params = {"in": urlencode(question.params)}

    def to(row: Record | None, place: int | None) -> Link | None:
        if row is None:
            return None
        found = latent_link(row["sae_id"], row["latent"], row["kind"], run.name)
        if place is None:
            return found
        return Link(found.path, {**found.params, **params, "at": str(place)})

    drawn = around.drawn
    back = Link(SEARCH_PATH, {"run": run.name, **question.params})
    return Place(
        back_html=link(back.href, f"{_name(question)}, {at + 1:,} of {around.n:,}"),
        before=to(around.before, at - 1),
        after=to(around.after, at + 1),
        random_to=to(drawn, drawn["at"] if drawn else None),
        params={**params, "at": str(at)},
    )


def _name(question: Question) -> str:
    return shortened(question.text.strip() or "filtered latents", LONGEST_NAME)
