"""What the model is steered towards: a value of an attribute in the tables of facts.

1. The entities of a table are split by a hash. Prompts about those for training, with the value and
   without it, make the directions; their held-out wordings are never among them.
2. The effect is measured on prompts of two kinds. *Asked*: a held-out wording asks the attribute
   of an entity for testing that has another value. *Openings*: what the wordings of the table
   say before the entity, which begins a text that may go on with any entity.
3. Targets are first tokens of the value and of the names of all entities that have it, but not
   those with which another value or an entity without it begins.
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from precompute.atlas.prompts import WORDS, Question
from precompute.config import ConfigError
from precompute.experiments.steering.section import SteeringConfig

TEST_SHARE = 0.4  # of the entities
LEAST_ENTITIES, MOST_SHARE = 15, 0.5  # of a value that is chosen for its size
LEAD_IN = "of"  # a word before another, so that this is written as within a text


@dataclass(frozen=True)
class Concept:
    """One value, the prompts that make its directions, and those that measure them."""

    table: str
    attribute: str
    value: str
    targets: frozenset[int]
    """Ids of tokens."""
    with_value: tuple[str, ...]
    without: tuple[str, ...]
    tried: tuple[str, ...]
    """Some of `without`, to choose the best direction by."""
    asked: tuple[str, ...]
    openings: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.attribute} {self.value}"

    @property
    def measured(self) -> tuple[str, ...]:
        """The prompts on which the effect is measured."""
        return (*self.asked, *self.openings)


@dataclass(frozen=True)
class Facts:
    """Questions about one attribute of one table, and all openings of that table."""

    table: str
    attribute: str
    questions: tuple[Question, ...]
    openings: tuple[str, ...]

    def values(self) -> list[tuple[str, int]]:
        """Each value with its number of entities, most first."""
        entities: dict[str, set[str]] = defaultdict(set)
        for question in self.questions:
            entities[question.answer].add(question.entity)
        return sorted(((v, len(own)) for v, own in entities.items()), key=lambda x: (-x[1], x[0]))


def chosen_concepts(
    questions: Sequence[Question],
    tokenizer: PreTrainedTokenizerBase,
    settings: SteeringConfig,
    seed: int,
) -> list[Concept]:
    """The concepts that the settings name, or as many of the largest, table by table.

    Raises:
        ConfigError: a concept of the settings is not among the facts, or cannot be told from others
            by its first token.
    """
    facts = _facts(questions)
    if settings.concepts:
        return [_named(facts, one, tokenizer, settings, seed) for one in settings.concepts]
    found: dict[str, Concept] = {}
    waiting = {table: _by_size(facts, table) for table, _ in facts}
    while waiting and len(found) < settings.count:
        for table in list(waiting):
            concept = next(
                (
                    made
                    for own, value in waiting[table]
                    if f"{own.attribute} {value}".lower() not in found
                    and (made := _concept(own, value, tokenizer, settings, seed)) is not None
                ),
                None,
            )
            if concept is None:
                del waiting[table]
            elif len(found) < settings.count:
                found[concept.name.lower()] = concept
    return list(found.values())


def _facts(questions: Sequence[Question]) -> dict[tuple[str, str], Facts]:
    by_attribute: dict[tuple[str, str], list[Question]] = defaultdict(list)
    openings: dict[str, set[str]] = defaultdict(set)
    for question in questions:
        if question.table == WORDS:
            continue  # a letter is no concept that a text could be about
        by_attribute[question.table, question.attribute].append(question)
        before, mention, _ = question.prompt.partition(question.mention)
        if mention and before.strip():
            openings[question.table].add(before.strip())
    return {
        (table, attribute): Facts(table, attribute, tuple(own), tuple(sorted(openings[table])))
        for (table, attribute), own in by_attribute.items()
    }


def _by_size(facts: dict[tuple[str, str], Facts], table: str) -> Iterator[tuple[Facts, str]]:
    """Values of a table to choose from, each attribute's largest first, then each one's second."""
    lines: list[list[tuple[int, Facts, str]]] = []
    for (own_table, _), own in facts.items():
        if own_table == table:
            sizes = own.values()
            most = MOST_SHARE * sum(n for _, n in sizes)
            lines.append([(n, own, v) for v, n in sizes if LEAST_ENTITIES <= n <= most])
    for place in range(max(map(len, lines))):
        level = [line[place] for line in lines if place < len(line)]
        for _, own, value in sorted(level, key=lambda found: (-found[0], found[1].attribute)):
            yield own, value


def _named(
    facts: dict[tuple[str, str], Facts],
    name: str,
    tokenizer: PreTrainedTokenizerBase,
    settings: SteeringConfig,
    seed: int,
) -> Concept:
    table, attribute, value = name.split("/")
    own = facts.get((table, attribute))
    if own is None:
        known = ", ".join(sorted({f"{t}/{a}" for t, a in facts}))
        raise ConfigError(f"experiments.steering.concepts: {name!r} begins with none of {known}")
    if value not in (known := [v for v, _ in own.values()]):
        raise ConfigError(
            f"experiments.steering.concepts: {name!r} is no fact. Values of {table}/{attribute} "
            f"are {', '.join(known[:12])}, ..."
        )
    concept = _concept(own, value, tokenizer, settings, seed)
    if concept is None:
        raise ConfigError(
            f"experiments.steering.concepts: {name!r} cannot be measured: another value begins "
            "with the same token, or too few entities have it or lack it. Choose another"
        )
    return concept


def _concept(
    facts: Facts,
    value: str,
    tokenizer: PreTrainedTokenizerBase,
    settings: SteeringConfig,
    seed: int,
) -> Concept | None:
    """None: its token begins another value too, or there are no prompts on one of the sides."""
    rng = random.Random(f"{seed}/steering/{facts.table}/{facts.attribute}/{value}")
    sides: dict[tuple[bool, bool], dict[str, list[Question]]] = defaultdict(dict)
    for question in facts.questions:
        side = (question.answer == value, _is_test(question))
        sides[side].setdefault(question.entity, []).append(question)

    def prompts(has_value: bool) -> tuple[str, ...]:
        own = sides[has_value, False]
        drawn = rng.sample(sorted(own), min(settings.entities, len(own)))
        return tuple(q.prompt for entity in drawn for q in own[entity] if not q.is_held_out)

    with_value, without = prompts(True), prompts(False)
    asked = [q.prompt for own in sides[False, True].values() for q in own if q.is_held_out]
    targets = _targets(facts, value, tokenizer)
    if not (targets and with_value and without and asked and facts.openings):
        return None
    half = settings.prompts // 2
    return Concept(
        table=facts.table,
        attribute=facts.attribute,
        value=value,
        targets=targets,
        with_value=with_value,
        without=without,
        tried=tuple(rng.sample(without, min(settings.prompts, len(without)))),
        asked=tuple(rng.sample(asked, min(half, len(asked)))),
        openings=tuple(rng.sample(facts.openings, min(half, len(facts.openings)))),
    )


def _is_test(question: Question) -> bool:
    """Whether an entity is for testing, the same for all its attributes."""
    digest = hashlib.sha256(f"{question.table}/{question.entity}".encode()).hexdigest()
    return int(digest[:8], 16) / 16**8 < TEST_SHARE


def _targets(facts: Facts, value: str, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Ids of the tokens that belong to a value; none if its own begins another value too."""
    values = first_tokens(tokenizer, [other for other, _ in facts.values()])
    own = values.pop(value)
    others = set(values.values())
    if own in others:
        return frozenset()
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for question in facts.questions:
        names[question.answer == value].add(question.mention)
    others |= set(first_tokens(tokenizer, names[False]).values())
    found = {
        token
        for name, token in first_tokens(tokenizer, names[True]).items()
        # a part of a word belongs to many
        if str(tokenizer.decode([token])).strip().lower() == name.split(" ")[0].lower()
    }
    return frozenset({own} | (found - others))


def first_tokens(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str]) -> dict[str, int]:
    """Id of the token that each text begins with inside a sentence."""
    known = sorted(set(texts))
    before = len(tokenizer(LEAD_IN, add_special_tokens=False)["input_ids"])
    found = tokenizer([f"{LEAD_IN} {text}" for text in known], add_special_tokens=False)
    return {text: ids[before] for text, ids in zip(known, found["input_ids"], strict=True)}
