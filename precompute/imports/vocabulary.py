"""Tokens of a tokenizer by id, from its `tokenizer.json` or `vocab.json`, without the tokenizer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from precompute.config import ConfigError
from precompute.imports.bounded_files import index_of, json_object
from precompute.imports.token_texts import OUT_OF_RANGE

MOST_BYTES = 200_000_000


class Vocabulary:
    """Token strings, as the vocabulary writes them, by id."""

    def __init__(self, tokens: Mapping[int, str]) -> None:
        self._tokens = tokens

    def tokens(self, ids: list[int]) -> list[str]:
        """The tokens of some ids; one that there is not is `OUT_OF_RANGE`."""
        return [self._tokens.get(number, OUT_OF_RANGE) for number in ids]


def read_vocabulary(path: Path) -> Vocabulary:
    """The vocabulary of a tokenizer of the `tokenizers` library, or a plain table of ids.

    Raises:
        ConfigError: it is not there, or is neither.
    """
    content = json_object(path, MOST_BYTES)
    model = content.get("model")
    table = model.get("vocab") if isinstance(model, dict) else content
    tokens: dict[int, str] = {}
    if isinstance(table, dict):
        tokens = {at: token for token, number in table.items() if (at := _id(number)) is not None}
    elif isinstance(table, list):  # of pairs (token, score), in the order of their ids
        tokens = {
            at: pair[0]
            for at, pair in enumerate(table)
            if isinstance(pair, list) and pair and isinstance(pair[0], str)
        }
    added = content.get("added_tokens") if isinstance(model, dict) else None
    for entry in added if isinstance(added, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("content"), str):
            at = _id(entry.get("id"))
            if at is not None:
                tokens[at] = entry["content"]
    if not tokens:
        raise ConfigError(f"{path} is no tokenizer.json and no vocab.json: no token with an id")
    return Vocabulary(tokens)


def _id(value: Any) -> int | None:
    return None if isinstance(value, str) else index_of(value)
