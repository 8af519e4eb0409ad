"""What the rows of the experiment `edits` say: scores by method, winners, choices; no HTML.

A score is 0 to 1. `cause`: the edited answer became the other entity's. `isolate`: the other
answers stayed. `disentangle` is their mean, so that doing nothing reaches exactly one half.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from backend.records import Record
from backend.trust_figures import highest, verdict

NOTHING, RANDOM, WHOLE = "nothing", "random", "whole latent"
CEILING = "other's activation"  # all of it put in place: not an edit, but what one may reach
AS_TEXT, AS_CODE = "meta as text", "meta as code"
META = (AS_TEXT, AS_CODE)
NO_ERROR, RANDOM_META = ", no error term", ", random meta-latents"
CONTROLS = (*(method + RANDOM_META for method in META), RANDOM, NOTHING)
METHODS = (AS_TEXT, AS_CODE, WHOLE, "difference of means", "probe", CEILING, *CONTROLS)
CAUSE, ISOLATE, DISENTANGLE = "cause", "isolate", "disentangle"
SCORES = (DISENTANGLE, CAUSE, ISOLATE)
NOTHING_SCORE = 0.5  # no edit changes no answer and keeps all others
CHOICES = ("kind", "entity", "other", "attribute")

Methods = dict[str, Record]  # rows of one score by method


@dataclass(frozen=True)
class Place:
    """One edit of the table `edits`, and what else could be chosen.

    Attributes:
        chosen: a value for each of `CHOICES`.
        known: what each may be, given the ones before it.
        missed: of the four, those that the address asked for in vain.
    """

    chosen: dict[str, str]
    known: dict[str, list[str]]
    missed: list[str]


def plain_method(method: str) -> str:
    """A method without the words that the SAE's error was left out."""
    return method.removesuffix(NO_ERROR)


def short_name(method: str) -> str:
    """For a legend or a head of a column, where ten of them stand beside each other."""
    return method.replace(RANDOM_META, ", random")


def kind_of(method: str) -> str:
    """The colour of a method: `own` for edits by meta-latents, `null` for controls."""
    method = plain_method(method)
    if method in META:
        return "own"
    return "null" if method in CONTROLS or RANDOM in method else "other"


def place_of(method: str) -> tuple[int, bool, str]:
    """Sort key: ours, the methods to compare with, the controls; each without error term last."""
    plain = plain_method(method)
    place = METHODS.index(plain) if plain in METHODS else len(METHODS)
    return place, method != plain, method


def ordered(rows: Iterable[Record], name: str = "method") -> list[Record]:
    """Rows in the order of `place_of` their method."""
    return sorted(rows, key=lambda row: place_of(row[name]))


def scores(rows: Iterable[Record], metric: str) -> Methods:
    """The rows of one score over all pairs and attributes by method, in their order."""
    found = ordered((row for row in rows if row["metric"] == metric), "setting")
    return {row["setting"]: row for row in found}


def attribute_scores(rows: Iterable[Record], score: str) -> dict[str, Methods]:
    """One score for every table and attribute, e.g. `cities/country`, by method."""
    found: dict[str, Methods] = {}
    for row in ordered(rows, "setting"):
        name, colon, where = row["metric"].partition(": ")
        if colon and name == score:
            found.setdefault(where, {})[row["setting"]] = row
    return dict(sorted(found.items()))


def best_meta(found: Methods) -> Record | None:
    """The best of the edits by meta-latents."""
    return highest(row for name, row in found.items() if plain_method(name) in META)


def best_other(found: Methods) -> Record | None:
    """The best of the edits that need no meta-latent, controls and the ceiling left out."""
    return highest(
        row
        for name, row in found.items()
        if kind_of(name) == "other" and plain_method(name) != CEILING
    )


def controls_of(method: str, found: Methods) -> list[Record]:
    """What an edit must beat, hardest first: random directions, and random meta-latents chosen as
    its own were."""
    own = {RANDOM, plain_method(method) + RANDOM_META}
    rows = [row for name, row in found.items() if plain_method(name) in own]
    return sorted(rows, key=lambda row: -row["value"])


def is_above_nothing(row: Record) -> str:
    """Whether a disentangle score is above that of doing nothing: as `trust_figures.verdict`."""
    still = {"value": NOTHING_SCORE, "ci_low": None, "ci_high": None}
    return verdict(row, still)


def beats_controls(row: Record, found: Methods) -> str:
    """Yes when a score is clearly above doing nothing and all of its controls, No when it is
    clearly below one of them, else Not clearly."""
    controls = controls_of(row["setting"], found)
    told = {is_above_nothing(row), *(verdict(row, control) for control in controls)}
    if "No" in told:
        return "No"
    return "Yes" if told == {"Yes"} else "Not clearly"


def chosen_place(
    values: Callable[[str, dict[str, str]], list[str]], wanted: dict[str, str]
) -> Place:
    """The edit to show: what the address asks for as far as there is such, else the first.

    Args:
        values: gives what one of `CHOICES` may be, never none, when those before it are chosen.
        wanted: of these four what the address names.
    """
    chosen: dict[str, str] = {}
    known: dict[str, list[str]] = {}
    missed = []
    for name in CHOICES:
        known[name] = values(name, dict(chosen))
        value = wanted.get(name, "")
        if value and value not in known[name]:
            missed.append(name)
        chosen[name] = value if value in known[name] else known[name][0]
    return Place(chosen, known, missed)
