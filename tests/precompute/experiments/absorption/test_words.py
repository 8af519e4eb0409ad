"""Words of one token, found in a prompt by either kind of tokenizer."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from precompute.experiments.absorption.letters import letter_tokens, spelled
from precompute.experiments.absorption.section import AbsorptionConfig
from precompute.experiments.absorption.words import placed, split_alike, words_in_prompt

PROMPT = "The word {word} starts with the letter"
SETTINGS = AbsorptionConfig(words=300, least_test_words=5, least_probe_f1=0.01)


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
def test_each_word_is_one_token_of_its_prompt(benches, kind):
    tokenizer = benches(kind).language_model.tokenizer
    words = words_in_prompt(benches(kind).language_model, PROMPT, 50, seed=0)
    assert len(words) == 50
    assert len({word.text.lower() for word in words}) == 50
    for word in words:
        assert str(tokenizer.decode([word.ids[word.position]])).strip() == word.text
        assert word.letter == word.text[0].lower()


def test_other_seeds_draw_other_words(benches):
    model = benches("gpt2").language_model
    one, other = (words_in_prompt(model, PROMPT, 50, seed) for seed in (0, 1))
    assert {w.text for w in one} != {w.text for w in other}


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
def test_a_word_of_several_tokens_is_known_by_its_last(benches, kind):
    tokenizer = benches(kind).language_model.tokenizer
    for text in ("Xyzzyville", "New York City"):
        word = placed(tokenizer, "We spoke of {word}.", text)
        assert word is not None
        own = word.ids[word.position - word.n_tokens + 1 : word.position + 1]
        assert word.n_tokens > 1
        read = "".join(tokenizer.convert_ids_to_tokens(own.tolist()))
        assert read.replace("##", "").lower() == text.replace(" ", "").lower()
        after = tokenizer.convert_ids_to_tokens([int(word.ids[word.position + 1])])
        assert after == ["."]


@pytest.mark.parametrize("where", ["word", "end"])
def test_activations_are_those_at_the_word_or_at_the_end(benches, where):
    bench = benches("gpt2")
    held = spelled(bench, SETTINGS).at[where]
    assert len(held.words) > 3
    for number in (0, 3):
        word = held.words[number]
        place = word.position if where == "word" else len(word.ids) - 1
        assert held.positions[number] == place
        alone = bench.spliced([word.ids]).rows()[place]
        np.testing.assert_allclose(held.x[number], alone, atol=1e-5)


def test_an_encoder_is_read_at_the_word_and_says_nothing(benches):
    read = spelled(benches("bert"), SETTINGS)
    assert list(read.at) == ["word"]
    assert read.is_said is None
    assert len(read.held.words) == SETTINGS.words


def test_a_causal_model_is_asked_about_words_whose_letter_it_says(benches):
    bench = benches("gpt2")
    tokens = letter_tokens(bench.language_model.tokenizer)
    assert tokens is not None
    read = spelled(bench, SETTINGS)
    assert read.is_said is not None
    assert len(read.held.words) == read.is_said.sum()
    for word in read.held.words[:5]:
        logits = bench.spliced([word.ids]).next_logits(None)[0, tokens]
        assert chr(ord("a") + int(logits.argmax())) == word.letter


def test_each_label_has_the_same_share_of_test_words():
    labels = np.array(["a"] * 50 + ["b"] * 10)
    is_test = split_alike(labels, 0.4, seed=3)
    assert (is_test[:50].sum(), is_test[50:].sum()) == (20, 4)


@pytest.mark.parametrize("field", ["prompt", "class_prompt"])
def test_a_prompt_without_a_place_for_the_word_is_refused(field):
    with pytest.raises(ValidationError, match=r"write \{word\} where the word belongs"):
        AbsorptionConfig.model_validate({field: "It starts with the letter"})


@pytest.mark.parametrize("of", [[], ["letter", "letter"], ["verse"]])
def test_what_is_asked_of_words_is_a_letter_or_a_class(of):
    with pytest.raises(ValidationError, match="of"):
        AbsorptionConfig.model_validate({"of": of})
