"""First letters: the words, the token where a letter is read, and whether the model says it."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase

import numpy as np
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from precompute.experiments.absorption.section import AbsorptionConfig
from precompute.experiments.absorption.words import (
    WordActivations,
    read_at,
    split_alike,
    words_in_prompt,
)
from precompute.experiments.bench import Bench


@dataclass(frozen=True)
class Spelled:
    """Words with their letters, read at one token or another of the same prompts."""

    at: dict[str, WordActivations]
    """By where: at the `word`, and in a causal model at the `end` of the prompt."""
    chosen: str
    is_said: np.ndarray | None
    """bool, of all words drawn: the model puts their letter first among letters. None where a
    model says nothing, or no letter is one token."""

    @property
    def held(self) -> WordActivations:
        return self.at[self.chosen]


def spelled(bench: Bench, settings: AbsorptionConfig) -> Spelled:
    """Words of the vocabulary; of a causal model only those whose letter it says.

    Without that, what a probe misses could be what the model never knew.
    """
    seed = bench.config.seed
    words = words_in_prompt(bench.language_model, settings.prompt, settings.words, seed)
    model = bench.spliced([word.ids for word in words])
    rows = model.rows()
    places = {"word": np.array([word.position for word in words], np.int64)}
    letters = np.array([word.letter for word in words])
    is_said, kept = None, np.arange(len(words))
    if model.is_causal:
        places["end"] = np.array([len(word.ids) - 1 for word in words], np.int64)
        tokens = letter_tokens(bench.language_model.tokenizer)
        if tokens is not None:
            said = model.next_logits(None)[:, tokens].argmax(1).cpu().numpy()
            is_said = letters == np.array(list(ascii_uppercase.lower()))[said]
            kept = np.flatnonzero(is_said)
    is_test = split_alike(letters[kept], settings.test_share, seed)
    own = tuple(words[i] for i in kept)
    at = {
        name: WordActivations(
            own, place[kept], read_at(model, rows, place, kept), letters[kept], is_test
        )
        for name, place in places.items()
    }
    return Spelled(at, settings.letter_at or ("end" if model.is_causal else "word"), is_said)


def letter_tokens(tokenizer: PreTrainedTokenizerBase) -> np.ndarray | None:
    """int64 [26]: the token of each capital letter after a space; None if one is no token."""
    ids = [tokenizer(f" {one}", add_special_tokens=False)["input_ids"] for one in ascii_uppercase]
    if any(len(one) != 1 for one in ids) or len({one[0] for one in ids}) < len(ids):
        return None
    return np.array([one[0] for one in ids], np.int64)
