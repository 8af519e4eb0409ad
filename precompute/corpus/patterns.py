"""The pattern language of fact sentences: slots, the forms a slot may ask for, pattern sets.

A pattern is a sentence without its full stop, such as
`"{name} lies in {country:the}, where {language} is spoken"`. A slot names a column of the table,
and the words after the colon inflect it (see `FORMS`). Besides the columns there are:

- `one`: the row as a sentence subject ("Berlin", "an apple", "honey")
- `again`: a second mention, drawn from `PatternSet.again` ("it", "the city", "Berlin")
- `names`, `peers`, `all`: only in `shared` patterns; the row in a list with one or two rows of
  equal value, those other rows alone, and "both" or "all"
- `first`, `second`: only in `contrast` patterns; two rows, with `first_<column>` beside them

`a(n)` before a slot becomes "a" or "an" by sound.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Literal

from precompute.corpus.grammar import (
    decade,
    gerund,
    located,
    object_form,
    plural,
    possessive,
    third_person,
    with_the,
    without_the,
)

FIELD_PRIZES = {
    "Chemistry": "the Nobel Prize in Chemistry",
    "Economics": "the Nobel Prize in Economics",
    "Literature": "the Nobel Prize in Literature",
    "Medicine": "the Nobel Prize in Medicine",
    "Peace": "the Nobel Peace Prize",
    "Physics": "the Nobel Prize in Physics",
}
FIELD_ROLES = {
    "Chemistry": "chemist", "Economics": "economist", "Literature": "writer",
    "Medicine": "medical researcher", "Peace": "peacemaker", "Physics": "physicist",
    "anthropology": "anthropologist", "astronomy": "astronomer", "biology": "biologist",
    "botany": "botanist", "chemistry": "chemist", "computer science": "computer scientist",
    "engineering": "inventor", "geography": "geographer", "geology": "geologist",
    "mathematics": "mathematician", "medicine": "physician", "philosophy": "philosopher",
    "physics": "physicist", "psychology": "psychologist",
}  # fmt: skip

# The words that may follow the colon in a pattern, as in {country:the} or {duty:does}.
FORMS: dict[str, Callable[[str], str]] = {
    "at": located,
    "bare": without_the,
    "decade": decade,
    "does": third_person,
    "doing": gerund,
    "object": object_form,
    "plural": plural,
    "prize": FIELD_PRIZES.__getitem__,
    "role": FIELD_ROLES.__getitem__,
    "roles": lambda field: plural(FIELD_ROLES[field]),
    "s": possessive,
    "the": with_the,
}


class Fact(str):
    """A string that a pattern can inflect: `f"{fact:plural}"`."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        """Apply the named forms from left to right; `:the.s` is "the Netherlands'"."""
        value = str(self)
        for form in filter(None, spec.split(".")):
            value = FORMS[form](value)
        return value


@dataclass(frozen=True, slots=True)
class PatternSet:
    """All sentence patterns of one table.

    Attributes:
        opening: Sentences that can start a document; each names the row.
        detail: Sentences that follow and may refer back with `again`.
        shared: Column -> sentences that hold for several rows with the same value in it.
        contrast: Column -> sentences that set two rows with different values side by side.
        again: Ways to mention the row a second time, themselves patterns; the last one is clear
            even after a sentence in the plural.
        noun: How the row's name enters a sentence: as a proper name, as a country that may need
            "the", as a countable noun, or as the `noun` column says ("count" or "mass").
        countable_only: Columns that are left unsaid when the row's noun is "mass".
    """

    opening: tuple[str, ...]
    detail: tuple[str, ...]
    shared: Mapping[str, tuple[str, ...]]
    contrast: Mapping[str, tuple[str, ...]]
    again: tuple[str, ...]
    noun: Literal["proper", "country", "count", "column"] = "proper"
    countable_only: frozenset[str] = frozenset()


# Slots that name the row and state no fact about it.
NAMING_SLOTS = frozenset({"name", "one", "surname", "again", "he", "his", "names", "peers", "all"})


def speaks_in_plural(pattern: str) -> bool:
    """Whether "it" in the next sentence would point at a plural."""
    return ":plural" in pattern or pattern.startswith("{people}")


def facts_stated(pattern: str) -> frozenset[str]:
    """Return the columns that a pattern tells something about."""
    slots = {slot for _, slot, _, _ in Formatter().parse(pattern) if slot}
    return frozenset(slots - NAMING_SLOTS)
