"""Turn the fact tables into short documents of plain English.

1. Every row of every table becomes one document of two to four sentences: an opening that names
   the row, details that state further facts, and often a list with other rows that share a value.
   No fact is stated twice in a document.
2. Per table, further documents compare two or three rows: what they share, then how they differ.

Everything is drawn from `random.Random`, one per table, so a seed fixes the corpus and a new table
leaves the others as they were.
"""

import random
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from precompute.corpus.grammar import capitalised, listing, with_articles, with_the
from precompute.corpus.patterns import Fact, PatternSet, facts_stated, speaks_in_plural
from precompute.corpus.records import Document
from precompute.corpus.tables import FACTS_FOLDER, Row, read_table
from precompute.corpus.templates_activities import OCCUPATIONS, SPORTS
from precompute.corpus.templates_nature import ANIMALS, ELEMENTS, SKY
from precompute.corpus.templates_people import ARTISTS, LAUREATES, MONARCHS, SCIENTISTS
from precompute.corpus.templates_places import CITIES, COUNTRIES, LANDMARKS
from precompute.corpus.templates_things import FOODS, INSTRUMENTS, OBJECTS, TOOLS
from precompute.corpus.templates_words import LANGUAGES, VERBS

PATTERNS = {
    "animals": ANIMALS,
    "artists": ARTISTS,
    "cities": CITIES,
    "countries": COUNTRIES,
    "elements": ELEMENTS,
    "foods": FOODS,
    "instruments": INSTRUMENTS,
    "landmarks": LANDMARKS,
    "languages": LANGUAGES,
    "laureates": LAUREATES,
    "monarchs": MONARCHS,
    "objects": OBJECTS,
    "occupations": OCCUPATIONS,
    "scientists": SCIENTISTS,
    "sky": SKY,
    "sports": SPORTS,
    "tools": TOOLS,
    "verbs": VERBS,
}

SENTENCES_PER_DOCUMENT = (2, 3, 4)
SENTENCE_COUNT_WEIGHTS = (4, 4, 2)
LIST_SHARE = 0.45  # documents that mention other rows of equal value
LIST_FIRST_SHARE = 0.3  # of those, the ones that begin with the list
SURNAME_ONLY_SHARE = 0.25  # documents about a person that never give the first name
ROWS_PER_COMPARISON = 8  # one comparison document for this many rows
COMPARISONS_AT_LEAST = 6  # so that small tables have some too
COMPARISON_ATTEMPTS = 20  # draws per comparison: some rows differ in nothing, or were drawn before


def fact_documents(seed: int, folder: Path = FACTS_FOLDER) -> list[Document]:
    """Return the documents of every table: one per row, then comparisons, table by table.

    Args:
        seed: Chooses patterns, order and companions; the same seed gives the same documents.
        folder: Holds `<table>.tsv` for every name in `PATTERNS`.

    Raises:
        CorpusError: If a table breaks its format.
    """
    documents: list[Document] = []
    for table, patterns in PATTERNS.items():
        rng = random.Random(f"{seed}/{table}")
        author = _TableAuthor(table, patterns, read_table(folder / f"{table}.tsv"), rng)
        documents += author.row_documents()
        documents += author.comparison_documents()
    return documents


class _TableAuthor:
    """Writes the documents of one table, drawing every choice from one generator."""

    def __init__(
        self, table: str, patterns: PatternSet, rows: list[Row], rng: random.Random
    ) -> None:
        self.source = f"facts/{table}"
        self.patterns = patterns
        self.rng = rng
        self.rows = [_with_derived_slots(row, patterns) for row in rows]
        self.rows_by_value: dict[str, dict[str, list[Row]]] = {}
        for column in patterns.shared:
            groups: dict[str, list[Row]] = defaultdict(list)
            for row in self.rows:
                groups[row[column]].append(row)
            self.rows_by_value[column] = groups

    def row_documents(self) -> list[Document]:
        return [
            Document(capitalised(row["key"]), self.source, self._describe(row)) for row in self.rows
        ]

    def comparison_documents(self) -> list[Document]:
        wanted = max(COMPARISONS_AT_LEAST, len(self.rows) // ROWS_PER_COMPARISON)
        groups = [
            (column, members)
            for column, by_value in self.rows_by_value.items()
            for members in by_value.values()
            if len(members) > 1
        ]
        documents: list[Document] = []
        compared: set[frozenset[str]] = set()
        for _ in range(wanted * COMPARISON_ATTEMPTS):
            if len(documents) == wanted:
                break
            column, members = self.rng.choice(groups)
            rows = self.rng.sample(members, min(len(members), self.rng.choice((2, 3))))
            keys = frozenset(row["key"] for row in rows)
            sentences = self._compare(column, rows)
            if keys in compared or len(sentences) == 1:
                continue
            compared.add(keys)
            title = capitalised(listing([row["key"] for row in rows]))
            documents.append(Document(title, self.source, " ".join(sentences)))
        return documents

    def _describe(self, row: Row) -> str:
        if "surname" in row and self.rng.random() < SURNAME_ONLY_SHARE:
            row = _by_surname(row)
        wanted = self.rng.choices(SENTENCES_PER_DOCUMENT, SENTENCE_COUNT_WEIGHTS)[0]
        opening = self.rng.choice(self.patterns.opening)
        stated = facts_stated(opening)
        if row.get("noun") == "mass":
            stated |= self.patterns.countable_only
        sentences = [self._sentence(opening, row)]

        companions, list_sentence = None, ""
        if self.rng.random() < LIST_SHARE:
            companions = self._list_with_companions(row, stated)
        if companions:
            column, list_sentence = companions
            stated |= {column}
            wanted -= 1

        previous = opening
        details = list(self.patterns.detail)
        self.rng.shuffle(details)
        details.sort(key=lambda pattern: not facts_stated(pattern))  # fillers last
        for pattern in details:
            if len(sentences) >= wanted:
                break
            if not facts_stated(pattern) & stated:
                stated |= facts_stated(pattern)
                sentences.append(self._sentence(pattern, row, previous))
                previous = pattern

        if list_sentence:
            begins = self.rng.random() < LIST_FIRST_SHARE
            sentences.insert(0 if begins else len(sentences), list_sentence)
        return " ".join(sentences)

    def _list_with_companions(self, row: Row, stated: frozenset[str]) -> tuple[str, str] | None:
        """Return a column not yet `stated` and a sentence on the rows that share its value."""
        columns = [
            column
            for column, by_value in self.rows_by_value.items()
            if column not in stated and len(by_value[row[column]]) > 1
        ]
        if not columns:
            return None
        column = self.rng.choice(columns)
        others = [
            other for other in self.rows_by_value[column][row[column]]
            if other["key"] != row["key"]
        ]  # fmt: skip
        peers = self.rng.sample(others, min(len(others), self.rng.choice((1, 2, 2, 2))))
        if row["name"] == row.get("surname"):
            peers = [_by_surname(peer) for peer in peers]
        return column, self._shared_sentence(column, row, peers)

    def _compare(self, column: str, rows: list[Row]) -> list[str]:
        """Return a sentence on what the rows share and up to two on how they differ."""
        head, *peers = rows
        sentences = [self._shared_sentence(column, head, peers)]
        pairs = list(pairwise(rows))
        differing = [
            (other, pair)
            for other in self.patterns.contrast
            for pair in pairs
            if pair[0][other] != pair[1][other]
        ]
        self.rng.shuffle(differing)
        told: set[str] = set()
        for other, (first, second) in differing:
            if other not in told and len(told) < 2:
                told.add(other)
                slots = {"first": first["one"], "second": second["one"]}
                slots |= {f"first_{key}": value for key, value in first.items()}
                slots |= {f"second_{key}": value for key, value in second.items()}
                sentences.append(_finish(self.rng.choice(self.patterns.contrast[other]), slots))
        return sentences

    def _shared_sentence(self, column: str, row: Row, peers: list[Row]) -> str:
        together = [row["one"], *(peer["one"] for peer in peers)]
        self.rng.shuffle(together)
        slots = row | {
            "names": Fact(listing(together)),
            "peers": Fact(listing([peer["one"] for peer in peers])),
            "all": Fact("both" if len(together) == 2 else "all"),
        }
        return self._sentence(self.rng.choice(self.patterns.shared[column]), slots)

    def _sentence(self, pattern: str, slots: Row, previous: str = "") -> str:
        ways = self.patterns.again[-1:] if speaks_in_plural(previous) else self.patterns.again
        again = Fact(self.rng.choice(ways).format_map(slots))
        return _finish(pattern, slots | {"again": again})


def _with_derived_slots(row: Row, patterns: PatternSet) -> Row:
    """Add what patterns need beyond the columns: subject form, pronouns, age at the award."""
    row = {"name": row["base"]} | row if "base" in row else dict(row)
    row["key"] = row["name"]
    row["one"] = _as_subject(row, patterns)
    if "gender" in row:
        is_male = row["gender"] == "male"
        row["he"] = Fact("he" if is_male else "she")
        row["his"] = Fact("his" if is_male else "her")
    if "award_year" in row:
        row["age"] = Fact(int(row["award_year"]) - int(row["birth_year"]))
    return row


def _as_subject(row: Row, patterns: PatternSet) -> Fact:
    name = row["name"]
    if patterns.noun == "country":
        return Fact(with_the(name))
    if patterns.noun == "count" or row.get("noun") == "count":
        return Fact(with_articles(f"a(n) {name}"))
    return name


def _by_surname(row: Row) -> Row:
    return row | {"name": row["surname"], "one": row["surname"]}


def _finish(pattern: str, slots: Row) -> str:
    sentence = with_articles(capitalised(pattern.format_map(slots)))
    return sentence if sentence.endswith(("?", "!", ".")) else f"{sentence}."
