"""Facts as token ids: where the entity stands, and what the first token of the answer is."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from precompute.atlas.prompts import Question, all_questions
from precompute.experiments.edits.questions import (
    CHOOSING,
    JUDGING,
    UNKNOWN,
    fact_tables,
)
from precompute.experiments.edits.section import TABLES, EditsConfig


def test_a_prompt_ends_before_its_answer_and_knows_its_entity(planted):
    tokenizer = planted.bench.language_model.tokenizer
    table = planted.table
    for (entity, attribute, wording), prompt in table.prompts.items():
        (question,) = [
            q
            for q in planted.questions
            if (q.entity, q.attribute) == (table.entities[entity], table.attributes[attribute])
            and q.is_held_out == (wording == JUDGING)
        ]
        assert tokenizer.decode(prompt.ids) == question.prompt
        assert tokenizer.decode(prompt.ids[prompt.is_entity]) == question.entity
        assert tokenizer.decode([prompt.answer]) == question.answer
        assert prompt.answer in table.candidates[attribute]


def test_every_fact_is_asked_in_a_wording_to_choose_and_one_to_judge_by(planted):
    wordings = {key[2] for key in planted.table.prompts}
    assert wordings == {CHOOSING, JUDGING}
    assert len(planted.table.prompts) == 16 * 3 * 2


def test_a_name_of_several_tokens_is_found_where_it_stands_last(planted):
    """Not within a longer word; a fact without the name as such is left out."""

    def asked(prompt: str, is_held_out: bool, attribute: str = "country") -> Question:
        return Question("cities", "zug", attribute, "zug", prompt, "france", is_held_out)

    questions = [
        asked("zug , or zugspitze , is in", False),
        asked("the country of zug is", True),
        asked("the language of zugs is", False, "language"),
        asked("the language of zug is", True, "language"),
    ]
    settings = EditsConfig(tables=("cities",))
    (table,) = fact_tables(questions, planted.bench.language_model, settings, seed=0)
    decoded = planted.bench.language_model.tokenizer.decode
    prompt = table.prompts[0, 0, CHOOSING]
    assert decoded(prompt.ids[prompt.is_entity]) == "z ##u ##g"
    assert prompt.is_entity[: prompt.is_entity.sum()].all()  # the first, not that in zugspitze
    assert table.answers[0].tolist() == [prompt.answer, UNKNOWN]


def test_drawn_entities_keep_every_value_of_the_table_as_a_candidate(planted):
    few = planted.bench.language_model
    settings = EditsConfig(tables=("cities",), entities=12)
    (table,) = fact_tables(planted.questions, few, settings, seed=0)
    assert len(table.entities) == 12
    assert set(table.entities) <= set(planted.table.entities)
    for ours, everyones in zip(table.candidates, planted.table.candidates, strict=True):
        np.testing.assert_array_equal(ours, everyones)


def test_the_tables_of_facts_with_three_attributes_are_asked_by_default():
    assert {"cities", "animals"} <= set(TABLES)
    assert "scientists" not in TABLES  # field and nationality only
    asked = {(q.table, q.attribute) for q in all_questions(entities_per_table=3)}
    assert all(sum(table == name for table, _ in asked) >= 3 for name in TABLES)


def test_a_table_without_three_attributes_is_refused():
    with pytest.raises(ValidationError, match="scientists: no table with 3 attributes"):
        EditsConfig(tables=("cities", "scientists"))
