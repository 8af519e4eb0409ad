"""A small text with phrases in it, an SAE that reads random rows, and a loop over every token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from precompute.activations import Firings
from precompute.text import TokenisedText, tokenise
from tests.precompute.small_text import small_config

N_LATENTS = 10
SHARE = 0.25  # of the tokens a latent fires on


@pytest.fixture(scope="session")
def text(language_models, text_folder) -> TokenisedText:
    """60 documents in contexts of 14 tokens; rare words have one piece a character."""
    return tokenise(small_config(), language_models["bert"], text_folder)


@dataclass
class Occurrence:
    """A word where it stands: its rows in the sample, and whether the one before touches it."""

    word: str
    context: int
    rows: list[int] = field(default_factory=list)
    follows: bool = False


def occurrences(text: TokenisedText, contexts: np.ndarray) -> list[Occurrence]:
    """Every whole word of some contexts, token by token; a word cut by its context's start is no
    word, and nothing follows a sign."""
    found: list[Occurrence] = []
    row = 0
    for context in contexts:
        current: Occurrence | None = None
        for token in range(int(text.starts[context]), int(text.starts[context + 1])):
            if text.new_word[token]:
                number = int(text.word_ids[token])
                before, current = current, None
                if number >= 0:
                    current = Occurrence(text.words[number], int(context))
                    current.follows = before is not None
                    found.append(current)
            if current is not None:
                current.rows.append(row)
            row += 1
    return found


def dense(n_rows: int, seed: int = 0) -> np.ndarray:
    """Activations [n_rows, N_LATENTS], a quarter of them above 0, exact in float32."""
    rng = np.random.default_rng(seed)
    acts = rng.integers(1, 200, (n_rows, N_LATENTS)) / 64
    acts = np.where(rng.random((n_rows, N_LATENTS)) < SHARE, acts, 0.0)
    acts[:, 3] = 0.0  # a latent that never fires
    return acts.astype(np.float32)


def in_blocks(acts: np.ndarray, size: int) -> Iterator[tuple[int, Firings]]:
    """The same as a pass over the rows gives it."""
    for start in range(0, len(acts), size):
        block = acts[start : start + size]
        row, latent = block.nonzero()
        yield len(block), Firings(row, latent, block[row, latent])
