"""A GPT-2 that knows nothing and a text for it, of any size and without a download."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from precompute.random_model import random_model
from precompute.text import TokenisedText

CONTEXT = 128  # tokens
HEADS = 4
EMBEDDING_SCALE = 50.0  # from GPT-2's start to numbers of size 1, as a trained model's rows have


def make_model(folder: Path, d_model: int, layers: int) -> int:
    """Save a random GPT-2 with a tokenizer; the size of its vocabulary."""
    tokenizer = random_model("gpt2")[1]
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_embd=d_model, n_layer=layers, n_head=HEADS, n_positions=CONTEXT
    )
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        model.transformer.wte.weight.mul_(EMBEDDING_SCALE)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return len(tokenizer)


def random_text(n_tokens: int, n_heldout: int, n_vocabulary: int) -> TokenisedText:
    """Contexts of random tokens, frequent ones first as in any text; the last `n_heldout` apart."""
    n = n_tokens // CONTEXT + n_heldout
    share = np.random.default_rng(0).random(n * CONTEXT)
    ids = (n_vocabulary**share - 1).astype(np.int32)
    train = np.arange(n - n_heldout)
    return TokenisedText(
        token_ids=ids,
        word_ids=np.full(len(ids), -1, np.int32),
        new_word=np.zeros(len(ids), bool),
        words=[],
        starts=np.arange(n + 1, dtype=np.int64) * CONTEXT,
        splits={"train": train, "heldout": np.arange(len(train), n)},
        shown=[],
        corpus_documents={},
        corpus_tokens={},
    )
