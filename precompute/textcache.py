"""Tokenised text on disk, so that a resumed run does not tokenise again."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from precompute.config import RunConfig
from precompute.sources import LanguageModel
from precompute.text import SPLITS, ShownContext, TokenisedText, tokenise

ARRAYS_NAME = "tokens.npz"
STRINGS_NAME = "strings.json"


def save_text(text: TokenisedText, folder: Path) -> None:
    """Write arrays and strings; the strings come last and mark the folder complete."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {f"split_{name}": text.splits[name] for name in SPLITS}
    for name in ("token_ids", "word_ids", "new_word", "starts"):
        arrays[name] = getattr(text, name)
    np.savez(folder / ARRAYS_NAME, allow_pickle=False, **arrays)
    strings = {
        "words": text.words,
        "shown": [asdict(context) for context in text.shown],
        "corpus_documents": text.corpus_documents,
        "corpus_tokens": text.corpus_tokens,
    }
    temporary = folder / f"{STRINGS_NAME}.tmp"
    temporary.write_text(json.dumps(strings))
    temporary.replace(folder / STRINGS_NAME)


def made_text(
    config: RunConfig, language_model: LanguageModel, folder: Path, text_folder: Path
) -> TokenisedText:
    """The text saved in `folder`, or the config's text from `text_folder`, tokenised and saved."""
    text = load_text(folder)
    if text is None:
        text = tokenise(config, language_model, text_folder)
        save_text(text, folder)
    return text


def stored_text(folder: Path) -> TokenisedText:
    """The text saved in `folder`, for the stages after the one that saves it.

    Raises:
        RuntimeError: it was never completed.
    """
    text = load_text(folder)
    if text is None:
        raise RuntimeError(f"{folder} is incomplete although a later stage needs it")
    return text


def load_text(folder: Path) -> TokenisedText | None:
    """The text saved in `folder`, or None when it was never completed."""
    if not (folder / STRINGS_NAME).exists():
        return None
    strings = json.loads((folder / STRINGS_NAME).read_text())
    arrays = np.load(folder / ARRAYS_NAME)
    return TokenisedText(
        token_ids=arrays["token_ids"],
        word_ids=arrays["word_ids"],
        new_word=arrays["new_word"],
        words=strings["words"],
        starts=arrays["starts"],
        splits={name: arrays[f"split_{name}"] for name in SPLITS},
        shown=[ShownContext(**context) for context in strings["shown"]],
        corpus_documents=strings["corpus_documents"],
        corpus_tokens=strings["corpus_tokens"],
    )
