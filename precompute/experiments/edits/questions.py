"""Facts as prompts of token ids: each is asked in two wordings, one to choose by, one to judge by.

The wording to judge by is the one that `atlas` has never read with that entity. Answers are told
apart by their first token, as it stands after a space (the published code leaves the space out,
which makes every answer unlikely; science 1.6).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from precompute.atlas.prompts import Question
from precompute.experiments.edits.section import EditsConfig
from precompute.sources import LanguageModel

CHOOSING, JUDGING = 0, 1
UNKNOWN = -1  # no token


@dataclass(frozen=True)
class Prompt:
    """One question as the model reads it."""

    entity: int
    attribute: int
    wording: int
    """CHOOSING or JUDGING."""
    ids: np.ndarray
    """int64 [n_tokens], no special tokens."""
    is_entity: np.ndarray
    """bool [n_tokens]: the tokens that name the entity."""
    answer: int
    """First token of the right answer."""

    @property
    def last(self) -> int:
        """Place of the entity's last token."""
        return int(np.flatnonzero(self.is_entity)[-1])


@dataclass(frozen=True)
class FactTable:
    """Some entities of one table, everything that is asked about them, and the known answers."""

    name: str
    entities: tuple[str, ...]
    attributes: tuple[str, ...]
    prompts: dict[tuple[int, int, int], Prompt]
    """By entity, attribute and wording."""
    answers: np.ndarray
    """int64 [n_entities, n_attributes]: first tokens, UNKNOWN where nothing can be asked."""
    candidates: tuple[np.ndarray, ...]
    """int64, of each attribute: first tokens of all values in the whole table."""


def fact_tables(
    questions: Iterable[Question], language_model: LanguageModel, settings: EditsConfig, seed: int
) -> list[FactTable]:
    """The tables of the settings, with entities drawn."""
    by_table: dict[str, list[Question]] = {name: [] for name in settings.tables}
    for question in questions:
        if question.table in by_table:
            by_table[question.table].append(question)
    return [
        _fact_table(name, own, language_model, settings.entities, seed)
        for name, own in by_table.items()
        if own
    ]


def _fact_table(
    name: str, questions: list[Question], language_model: LanguageModel, most: int, seed: int
) -> FactTable:
    all_entities = list(dict.fromkeys(question.entity for question in questions))
    drawn = np.random.default_rng(seed).permutation(len(all_entities))[:most]
    entities = tuple(all_entities[i] for i in sorted(drawn))
    attributes = tuple(dict.fromkeys(question.attribute for question in questions))
    of_entity = {entity: number for number, entity in enumerate(entities)}
    answers = np.full((len(entities), len(attributes)), UNKNOWN, np.int64)
    candidates: list[set[int]] = [set() for _ in attributes]
    prompts: dict[tuple[int, int, int], Prompt] = {}
    by_fact: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for question in questions:
        by_fact[question.entity, question.attribute].append(question)
    asked = [two for own in by_fact.values() if (two := _two_wordings(own))]
    flat = [question for two in asked for question in two]
    read = iter(_read(flat, language_model))
    for two in asked:
        attribute = attributes.index(two[0].attribute)
        entity = of_entity.get(two[0].entity, UNKNOWN)
        found = [_prompt(next(read), entity, attribute, wording) for wording in range(len(two))]
        candidates[attribute] |= {one.answer for one in found if one}
        if entity == UNKNOWN:
            continue
        for one in found:
            if one and all(found):
                prompts[entity, attribute, one.wording] = one
                answers[entity, attribute] = one.answer
    tokens = tuple(np.array(sorted(own), np.int64) for own in candidates)
    return FactTable(name, entities, attributes, prompts, answers, tokens)


def _two_wordings(questions: Sequence[Question]) -> list[Question]:
    """One to choose by and the held-out one, or nothing."""
    seen = [question for question in questions if not question.is_held_out]
    unseen = [question for question in questions if question.is_held_out]
    return [seen[0], unseen[0]] if seen and unseen else []


@dataclass(frozen=True)
class _Read:
    """A prompt's tokens, those of its entity, and the first of its answer if it has one."""

    ids: np.ndarray
    is_entity: np.ndarray
    answer: int


def _read(questions: list[Question], language_model: LanguageModel) -> list[_Read]:
    if not questions:
        return []
    encoded = language_model.tokenizer(
        [f"{question.prompt} {question.answer}" for question in questions],
        add_special_tokens=False,
        return_offsets_mapping=True,
        verbose=False,
    )
    found = []
    for question, ids, offsets in zip(
        questions, encoded["input_ids"], encoded["offset_mapping"], strict=True
    ):
        spans = np.array(offsets, np.int64).reshape(-1, 2)
        n_asked = int((spans[:, 1] <= len(question.prompt)).sum())
        start, end = _mention(question)
        spans = spans[:n_asked]
        is_entity = (spans[:, 0] < end) & (spans[:, 1] > start) & (spans[:, 1] > spans[:, 0])
        answer = ids[n_asked] if n_asked < len(ids) else UNKNOWN
        found.append(_Read(np.array(ids[:n_asked], np.int64), is_entity, answer))
    return found


def _mention(question: Question) -> tuple[int, int]:
    """Characters of the entity's name, where it stands last; (0, 0) where it is inflected."""
    name = rf"(?<!\w){re.escape(question.mention)}(?!\w)"
    spans = [one.span() for one in re.finditer(name, question.prompt)]
    return spans[-1] if spans else (0, 0)


def _prompt(read: _Read, entity: int, attribute: int, wording: int) -> Prompt | None:
    if read.answer == UNKNOWN or not read.is_entity.any():
        return None
    return Prompt(entity, attribute, wording, read.ids, read.is_entity, read.answer)
