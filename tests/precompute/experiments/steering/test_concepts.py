"""Concepts from facts made up here, and from the project's own."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from precompute.atlas.prompts import WORDS, Question, all_questions
from precompute.config import ConfigError
from precompute.experiments.steering.concepts import chosen_concepts, first_tokens
from precompute.experiments.steering.section import SteeringConfig

COLOURS = ("red", "green", "old rose", "old gold")
WORDINGS = ("The colour of {} is", "{} is painted in", "Walls of {} are")


@pytest.fixture(scope="module", name="tokenizer")
def _tokenizer() -> PreTrainedTokenizerFast:
    """Every word is a token."""
    names = [f"thing{i}" for i in range(80)]
    prompts = " ".join(WORDINGS).replace("{}", "").split()
    words = dict.fromkeys(["[UNK]", "of", *" ".join(COLOURS).split(), *prompts, *names])
    backend = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]")


@pytest.fixture(scope="module", name="questions")
def _questions() -> list[Question]:
    """80 things, 20 of each colour; each has another held-out wording."""
    return [
        Question("things", name, "colour", name, w.format(name), COLOURS[i % 4], n == i // 4 % 3)
        for i in range(80)
        for name in [f"thing{i}"]
        for n, w in enumerate(WORDINGS)
    ]


def test_the_sides_share_no_entity_and_no_prompt_is_held_out(questions, tokenizer):
    settings = SteeringConfig(concepts=("things/colour/red",), entities=5, prompts=8)
    (concept,) = chosen_concepts(questions, tokenizer, settings, seed=0)
    by_prompt = {question.prompt: question for question in questions}
    sides = {
        name: [by_prompt[prompt] for prompt in getattr(concept, name)]
        for name in ("with_value", "without", "asked", "tried")
    }
    assert len(sides["with_value"]) == len(sides["without"]) == 5 * 2  # one of three is held out
    assert {q.answer for q in sides["with_value"]} == {"red"}
    assert "red" not in {q.answer for q in [*sides["without"], *sides["asked"]]}
    assert not any(q.is_held_out for q in [*sides["with_value"], *sides["without"]])
    assert all(q.is_held_out for q in sides["asked"])
    seen = {q.entity for q in [*sides["with_value"], *sides["without"]]}
    assert not seen & {q.entity for q in sides["asked"]}
    assert set(concept.tried) <= set(concept.without)
    assert len(concept.asked) == 4
    assert set(concept.openings) == {"The colour of", "Walls of"}
    assert concept.measured == concept.asked + concept.openings
    assert concept.name == "colour red"


def test_targets_are_the_value_and_names_that_have_it(questions, tokenizer):
    settings = SteeringConfig(concepts=("things/colour/red",))
    (concept,) = chosen_concepts(questions, tokenizer, settings, seed=0)
    words = tokenizer.convert_ids_to_tokens(sorted(concept.targets))
    assert set(words) == {"red", *(f"thing{i}" for i in range(0, 80, 4))}


def test_a_value_that_begins_like_another_is_not_chosen(questions, tokenizer):
    chosen = chosen_concepts(questions, tokenizer, SteeringConfig(), seed=0)
    assert [concept.value for concept in chosen] == ["green", "red"]
    with pytest.raises(ConfigError, match="begins with the same token"):
        settings = SteeringConfig(concepts=("things/colour/old rose",))
        chosen_concepts(questions, tokenizer, settings, seed=0)


@pytest.mark.parametrize(
    ("name", "message"),
    [("things/colour/blue", "is no fact. Values of things/colour are"),
     ("things/size/red", "begins with none of things/colour")],
)  # fmt: skip
def test_unknown_concepts_are_refused(questions, tokenizer, name, message):
    with pytest.raises(ConfigError, match=message):
        chosen_concepts(questions, tokenizer, SteeringConfig(concepts=(name,)), seed=0)
    with pytest.raises(ValueError, match="table/attribute/value"):
        SteeringConfig(concepts=("red",))


def test_the_projects_own_facts_give_a_dozen_over_many_tables(language_models):
    tokenizer = language_models["gpt2"].tokenizer
    chosen = chosen_concepts(all_questions(), tokenizer, SteeringConfig(), seed=0)
    assert len(chosen) == 12
    assert len({concept.table for concept in chosen}) >= 6
    assert len({concept.name.lower() for concept in chosen}) == 12
    for concept in chosen:
        assert set(first_tokens(tokenizer, [concept.value]).values()) <= concept.targets
        assert concept.table != WORDS
