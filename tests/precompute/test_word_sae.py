"""The SAE of words: which words, a decoder that stays, names as labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from precompute.config import ModelConfig, RunConfig, load_config
from precompute.dictionary import Dictionary
from precompute.sources import load_language_model
from precompute.words import whole_words
from tests.precompute.command_line import TINY

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def names(tiny_run: Path) -> list[str]:
    (path,) = (tiny_run.parents[1] / "work" / "tiny").glob("saes-*/words-64/names.json")
    return json.loads(path.read_text(encoding="utf-8"))


def test_whole_words_are_told_from_their_parts_and_from_signs():
    tokenizer = load_language_model(ModelConfig(source="random:bert", layer=1)).tokenizer
    vocabulary = tokenizer.get_vocab()
    tokens = ["the", "##a", "[CLS]", "."]
    pieces = np.array([vocabulary[token] for token in tokens])
    assert whole_words(tokenizer, pieces) == ["the", "", "", ""]


def test_byte_level_words_begin_with_a_space():
    class Tokenizer:
        """Two tokens as GPT-2 writes them: only the second begins a word."""

        def get_vocab(self) -> dict[str, int]:
            return {"ing": 0, "ĠKing": 1}

        def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
            return [list(self.get_vocab())[i] for i in ids]

    words = whole_words(Tokenizer(), np.array([0, 1]))  # pyright: ignore[reportArgumentType]
    assert words == ["", "king"]


def test_labels_are_the_words_most_frequent_first(tiny_rows: Rows, names: list[str]):
    latents = [row for row in tiny_rows["latents"] if row["sae_id"] == "words-64"]
    assert [row["label"] for row in latents] == names
    assert {row["label_source"] for row in latents} == {"name"}
    assert len(set(names)) == 64
    counts = {  # how often each word occurs in the text, as the search index counts it
        row["term"]: row["count"] for row in tiny_rows["terms"] if row["index"] == "fires"
    }
    known = [counts[name] for name in names if name in counts]
    assert np.corrcoef(known, np.arange(len(known)))[0, 1] < -0.5


def test_scores_are_those_of_the_word_among_the_terms(tiny_rows: Rows):
    scored = 0
    for row in tiny_rows["latents"]:
        if row["sae_id"] == "words-64":
            own = [t["score"] for t in row["top_terms"] if t["term"] == row["label"]]
            assert row["label_score"] == (own[0] if own else None)
            scored += bool(own)
    assert scored > 32  # the encoder learned: most latents fire on their own word


def test_decoder_rows_are_word_directions(tiny_run: Path):
    work = tiny_run.parents[1] / "work" / "tiny"
    (folder,) = work.glob("saes-*/words-64")
    (matrix,) = work.glob("trust-*/word directions.npy")
    directions = torch.from_numpy(np.load(matrix))
    words = Dictionary.load(folder).W_dec
    # each row is still one of the directions it started at, which the trust stage makes anew
    assert float((words @ directions.t()).max(1).values.min()) > 0.9999


def test_words_are_decomposed_by_a_meta_sae_of_their_own(tiny_rows: Rows, tiny_config: RunConfig):
    saes = {row["sae_id"]: row for row in tiny_rows["saes"]}
    assert saes["words-64"]["architecture"] == "batchtopk, decoder kept at word directions"
    meta = saes["meta-words-8"]
    assert (meta["kind"], meta["parent_sae_id"]) == ("meta", "words-64")
    own = [row for row in tiny_rows["components"] if row["meta_sae_id"] == "meta-words-8"]
    counts = np.bincount([row["latent"] for row in own], minlength=64)
    assert counts.mean() == pytest.approx(tiny_config.meta.k, abs=0.05)
    latents = [row for row in tiny_rows["latents"] if row["sae_id"] == "words-64"]
    assert [row["n_components"] for row in latents] == counts.tolist()


@pytest.mark.parametrize("count", [3, 16])
def test_too_few_words_to_decompose_are_refused(count: int):
    config = load_config(TINY).model_dump() | {"words": {"count": count}}
    with pytest.raises(ValidationError, match=f"words.count = {count} is too small"):
        RunConfig.model_validate(config)
