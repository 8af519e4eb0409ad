"""Files of others, read without trusting their size or their form.

A compressed file of a few kilobytes can hold gigabytes, and one line can be as long as a file:
lines are read up to a bound, and what a file holds when it is unpacked is counted as it is read.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from precompute.config import ConfigError

MOST_LINE_BYTES = 64_000_000
MOST_FILE_BYTES = 4_000_000_000  # of one file, unpacked
MOST_JSON_BYTES = 1_000_000_000  # of a file that is one JSON value: it is in memory as a whole
_NUMBER = re.compile(r"(\d+)")


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line of a `.jsonl` or `.jsonl.gz` file; blank ones are left.

    Raises:
        ConfigError: a line is too long or no JSON object, the file is damaged or too large.
    """
    n_bytes = line = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as handle:
            while content := handle.readline(MOST_LINE_BYTES + 1):
                line += 1
                n_bytes += len(content)
                if len(content) > MOST_LINE_BYTES:
                    raise ConfigError(f"{path}, line {line}: longer than {_mb(MOST_LINE_BYTES)}")
                if n_bytes > MOST_FILE_BYTES:
                    raise ConfigError(f"{path} holds more than {_mb(MOST_FILE_BYTES)}")
                if content.strip():
                    yield line, _object(content, f"{path}, line {line}")
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(f"{path}, after line {line}: cannot be read ({error})") from None


def json_value(path: Path, most_bytes: int = MOST_JSON_BYTES) -> Any:
    """The one JSON value of a file.

    Raises:
        ConfigError: it is too large, not there, or not JSON.
    """
    try:
        if path.stat().st_size > most_bytes:
            raise ConfigError(f"{path} is larger than {_mb(most_bytes)}")
        return _parsed(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror})") from None


def json_object(path: Path, most_bytes: int = MOST_JSON_BYTES) -> dict[str, Any]:
    """As `json_value`, which must be an object."""
    value = json_value(path, most_bytes)
    if not isinstance(value, dict):
        raise ConfigError(f"{path} is not a JSON object")
    return value


def in_order(paths: list[Path]) -> list[Path]:
    """Files by name, with numbers in names by value: batch-2 before batch-10."""

    def key(path: Path) -> list[tuple[int, int | str]]:
        parts = _NUMBER.split(str(path))
        return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts]

    return sorted(paths, key=key)


def index_of(value: object) -> int | None:
    """The index of a latent as files write it, a whole number or its digits; None when not."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 10:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None


def _object(content: bytes, place: str) -> dict[str, Any]:
    value = _parsed(content, place)
    if not isinstance(value, dict):
        raise ConfigError(f"{place}: not a JSON object")
    return value


def _parsed(content: bytes, place: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{place}: not JSON ({error})") from None


def _mb(n_bytes: int) -> str:
    return f"{n_bytes // 1_000_000:,} MB"
