"""Words and character offsets behind tokens, for word pieces and for bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from precompute.config import ConfigError, ModelConfig
from precompute.random_model import random_model
from precompute.sources import LanguageModel, load_language_model
from precompute.text import TokenisedText, tokenise
from tests.precompute.small_text import FILE_NAME, small_config


def _tokenised(language_model: LanguageModel, folder: Path, *documents: str) -> TokenisedText:
    lines = (json.dumps({"text": text}) for text in documents)
    (folder / FILE_NAME).write_text("\n".join(lines), encoding="utf-8")
    return tokenise(small_config(), language_model, folder)


def _names(text: TokenisedText) -> list[str]:
    """The word behind every token, `-` for none."""
    return [text.words[word] if word >= 0 else "-" for word in text.word_ids]


@pytest.fixture(scope="module")
def byte_model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """A causal model in a local folder whose tokens are single bytes, as in GPT-2's worst case."""
    folder = tmp_path_factory.mktemp("bytes")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=backend).save_pretrained(folder)
    random_model("gpt2")[0].save_pretrained(folder)
    return load_language_model(ModelConfig(source=str(folder), layer=1))


def test_a_word_of_several_pieces_is_one_word(tmp_path, language_models):
    text = _tokenised(language_models["bert"], tmp_path, "The zyzzyva, the Zyzzyva!")
    pieces = ["zyzzyva"] * 7  # one token a letter
    assert _names(text) == ["the", *pieces, "-", "the", *pieces, "-"]
    assert text.words == ["the", "zyzzyva"]
    later = [False] * 6
    assert text.new_word.tolist() == [True, True, *later, True, True, True, *later, True]


def test_the_same_word_twice_in_a_row_is_two_occurrences(tmp_path, language_models):
    text = _tokenised(language_models["bert"], tmp_path, "the the", "the")
    assert _names(text) == ["the"] * 3
    assert text.new_word.tolist() == [True] * 3


def test_punctuation_and_emoji_are_no_words(tmp_path, language_models):
    text = _tokenised(language_models["bert"], tmp_path, "the - ... 🙂 !? 7")
    assert text.words == ["the", "7"]


def test_offsets_slice_back_to_the_pieces(language_models, text_folder):
    model = language_models["bert"]
    text = tokenise(small_config(), model, text_folder)
    n_unknown = 0
    for context, number in zip(text.shown, text.splits["shown"], strict=True):
        ids = text.token_ids[text.starts[number] : text.starts[number + 1]]
        pieces = model.tokenizer.convert_ids_to_tokens(ids.tolist())
        assert context.token_starts[0] == 0
        assert context.token_ends[-1] == len(context.text)
        for piece, start, end in zip(pieces, context.token_starts, context.token_ends, strict=True):
            shown = context.text[start:end]
            if piece == model.tokenizer.unk_token:
                n_unknown += 1
                assert shown
                assert not shown.isspace()
            else:
                assert shown.lower() == piece.removeprefix("##")
    assert n_unknown > 0  # the text holds characters that the vocabulary lacks


def test_contexts_of_a_document_put_together_are_its_text(language_models, tmp_path):
    document = "Röntgen sah 北京 und aß naïve cafés 🙂 am zyzzyva, " * 3
    text = _tokenised(language_models["bert"], tmp_path, document.strip())
    assert len(text.shown) > 2
    position = 0
    for context in text.shown:
        position = document.index(context.text, position) + len(context.text)
    assert position == len(document.strip())


def test_bytes_of_one_character_share_its_span(byte_model, tmp_path):
    text = _tokenised(byte_model, tmp_path, "é 🙂 b")
    (context,) = text.shown
    spans = list(zip(context.token_starts, context.token_ends, strict=True))
    # é: 2 bytes; space and 🙂: 1 + 4 bytes; space and b: 2 bytes
    assert len(spans) == 2 + 5 + 2
    assert spans[:2] == [(0, 1)] * 2
    assert spans[3:7] == [(2, 3)] * 4
    assert context.text[slice(*spans[-1])] == "b"


def test_bytes_make_whole_words_without_their_space(byte_model, tmp_path):
    text = _tokenised(byte_model, tmp_path, "Der Röntgen, ein Röntgen")
    assert text.words == ["der", "röntgen", "ein"]
    roentgen = text.word_ids == text.words.index("röntgen")
    assert int(roentgen.sum()) == 2 * len(" röntgen".encode())
    assert int((roentgen & text.new_word).sum()) == 2


@pytest.fixture(scope="module")
def unsplit_model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """A causal model whose tokenizer does not split into words, as Llama's: one token a letter."""
    folder = tmp_path_factory.mktemp("unsplit")
    letters = ["<unk>", "\u2581", *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,"]
    backend = Tokenizer(models.Unigram([(letter, -1.0) for letter in letters], unk_id=0))
    backend.normalizer = normalizers.Replace(" ", "\u2581")
    PreTrainedTokenizerFast(tokenizer_object=backend).save_pretrained(folder)
    random_model("gpt2")[0].save_pretrained(folder)
    return load_language_model(ModelConfig(source=str(folder), layer=1))


def test_a_tokenizer_without_words_is_split_at_spaces(unsplit_model, tmp_path):
    document = "The Curie then the, Curie"
    encoding = unsplit_model.tokenizer(document).encodings[0]
    assert set(encoding.word_ids) == {0}  # the tokenizer sees one word
    text = _tokenised(unsplit_model, tmp_path, document)
    assert text.words == ["the", "curie", "then", "the,"]
    curie = text.word_ids == text.words.index("curie")
    # " Curie" twice: a space belongs to the word that follows
    assert int(curie.sum()) == 2 * 6
    assert int((curie & text.new_word).sum()) == 2


def test_an_empty_document_adds_nothing(language_models, tmp_path):
    text = _tokenised(language_models["bert"], tmp_path, "the river", "", "  ", "city")
    assert np.diff(text.starts).tolist() == [2, 1]
    assert text.corpus_documents == {"own": 4}


def test_text_without_a_token_is_refused(language_models, tmp_path):
    with pytest.raises(ConfigError, match="not one of the documents holds a token"):
        _tokenised(language_models["bert"], tmp_path, "", " ")
