"""Words inside a prompt, what is asked of them, and what the model holds at them."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from precompute.sources import LanguageModel
from precompute.splicing import SplicedModel

LEAST_LETTERS = 3


@dataclass(frozen=True)
class Word:
    """A word inside a prompt: the prompt's token ids, and which of them is the word's last."""

    text: str
    ids: np.ndarray
    position: int
    n_tokens: int = 1
    """Of the word alone."""

    @property
    def letter(self) -> str:
        return self.text[0].lower()


@dataclass(frozen=True)
class WordActivations:
    """Activations x float32 [n_words, d_in] for words with a label each."""

    words: tuple[Word, ...]
    positions: np.ndarray
    """int64 [n_words]: the token of each word's prompt that is read."""
    x: torch.Tensor
    labels: np.ndarray
    """Of each word, the letter or the class that it has."""
    is_test: np.ndarray
    """bool [n_words]"""


def placed(tokenizer: PreTrainedTokenizerBase, prompt: str, text: str) -> Word | None:
    """A word in a prompt with `{word}` in it; None if tokens do not begin and end as it does."""
    before = prompt.index("{word}")
    end = before + len(text)
    whole = prompt.replace("{word}", text)
    encoded = tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True)
    spans = encoded["offset_mapping"]
    own = [i for i, (start, stop) in enumerate(spans) if start < end and stop > before]
    # some tokenizers count the space before a word to it
    if not own or spans[own[0]][0] not in (before, before - 1) or spans[own[-1]][1] != end:
        return None
    return Word(text, np.array(encoded["input_ids"], np.int64), own[-1], len(own))


def words_in_prompt(
    language_model: LanguageModel, prompt: str, most: int, seed: int
) -> tuple[Word, ...]:
    """Up to `most` words, drawn from the vocabulary, that are one token in the prompt.

    Args:
        prompt: with `{word}` in it.
    """
    tokenizer = language_model.tokenizer
    texts = {str(tokenizer.decode([i])).strip() for i in range(len(tokenizer))}
    plain = sorted(t for t in texts if len(t) >= LEAST_LETTERS and t.isascii() and t.isalpha())
    random.Random(seed).shuffle(plain)
    found: dict[str, Word] = {}
    for text in plain:
        if text.lower() in found:
            continue
        word = placed(tokenizer, prompt, text)
        if word is not None and word.n_tokens == 1:
            found[text.lower()] = word
        if len(found) == most:
            break
    return tuple(found.values())


def read_at(
    model: SplicedModel, rows: torch.Tensor, positions: np.ndarray, chosen: np.ndarray
) -> torch.Tensor:
    """Activations [n_chosen, d_in] at one token of each chosen prompt.

    Args:
        rows: of all tokens of all prompts of the model.
        positions: int64 [n_prompts].
        chosen: numbers of prompts.
    """
    starts = np.flatnonzero(model.position == 0)
    return rows[torch.from_numpy((starts + positions)[chosen])].cpu()


def split_alike(labels: np.ndarray, test_share: float, seed: int) -> np.ndarray:
    """bool [n_words]: words for testing, the same share of every label's."""
    order = np.random.default_rng(seed).permutation(len(labels))
    is_test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        own = order[labels[order] == label]
        is_test[own[: round(test_share * len(own))]] = True
    return is_test
