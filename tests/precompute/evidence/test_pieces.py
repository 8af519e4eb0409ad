"""Tokens are named as the model reads them, and only those that are no words."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from precompute.evidence.pieces import piece_names


def test_word_pieces_keep_their_mark_and_whole_words_are_left_to_the_index_of_words(
    language_models,
):
    tokenizer = language_models["bert"].tokenizer
    vocabulary = tokenizer.get_vocab()
    names = piece_names(tokenizer, ["river", "a"])
    assert len(names) == len(vocabulary)
    assert [names[vocabulary[t]] for t in ("##e", ".", "e")] == ["##e", ".", "e"]
    assert [names[vocabulary[t]] for t in ("river", "a", "[CLS]", "[UNK]")] == [""] * 4
    assert names[vocabulary["##a"]] == "##a"  # inside a word it is a piece
    assert names[vocabulary["water"]] == "water"  # a word, but none of this text


@pytest.fixture(scope="module")
def byte_level() -> PreTrainedTokenizerFast:
    """A byte-level vocabulary, as GPT-2 writes it: Ġ is a space, Ã© an e acute, Ã half of it."""
    tokens = ["<|end|>", "Ġthe", "the", "ing", "ĠRÃ¶", "Ã", "©", "Ã©", "Ġ", "Ċ", ",", "Ġ,"]
    backend = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>")


def test_byte_level_tokens_are_decoded_and_keep_the_mark_of_a_space(byte_level):
    assert piece_names(byte_level, ["the", "ing"]) == [
        "",  # special
        "",  # the word the
        "the",  # inside a word, "clothe"
        "ing",
        "ĠRö",
        "token 5",  # half a character
        "token 6",
        "é",
        "token 8",  # nothing but space
        "token 9",
        ",",
        "Ġ,",
    ]


def test_names_are_unique(byte_level, language_models):
    for tokenizer in (byte_level, *(model.tokenizer for model in language_models.values())):
        names = [name for name in piece_names(tokenizer, ["river"]) if name]
        assert len(names) == len(set(names)) > 5
