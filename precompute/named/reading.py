"""Named directions as the run uses them: names fit to show, finite rows of unit length."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from unicodedata import category

import numpy as np

from precompute.config import ConfigError
from precompute.named.formats import LONGEST_NAME, read_matrix
from precompute.named.section import DirectionsConfig

log = logging.getLogger(__name__)

LEAST_DIRECTIONS = 2  # one row has no variance to explain and no place on a map
LEAST_LENGTH = 1e-12  # a shorter row is zero: its direction would be rounding
MOST_TOLD = 5  # rows or names in a message
# control, direction, private and surrogate characters: they hide, or turn the text around them
HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
JOINERS = "\u200c\u200d"  # parts of Persian words and of emoji


@dataclass(frozen=True)
class NamedDirections:
    """`names` without white space at their ends, `rows` float32 [n, d] of unit length."""

    names: list[str]
    rows: np.ndarray

    @property
    def sha256(self) -> str:
        """Of names and rows, whatever file they come from."""
        digest = hashlib.sha256(json.dumps(self.names).encode())
        digest.update(np.ascontiguousarray(self.rows).tobytes())
        return digest.hexdigest()


def read_directions(section: DirectionsConfig) -> NamedDirections:
    """The directions of one section; the lengths of the file's rows are dropped.

    Repeated names are told in the log and kept: two directions may be meant by one word.

    Raises:
        ConfigError: the file cannot be read, or a name or row cannot be used.
    """
    path = Path(section.path)
    try:
        names, rows = read_matrix(path)
        if len(rows) < LEAST_DIRECTIONS:
            raise ConfigError(f"{path} has {len(rows)} directions, at least 2 are needed")
        return NamedDirections(_checked_names(path, names), _unit_rows(path, names, rows))
    except ConfigError as error:
        raise ConfigError(f"directions {section.name}: {error}") from error


def _checked_names(path: Path, names: list[str]) -> list[str]:
    names = [name.strip() for name in names]
    faults = {
        "empty": [i for i, name in enumerate(names) if not name],
        f"longer than {LONGEST_NAME} characters": [
            i for i, name in enumerate(names) if len(name) > LONGEST_NAME
        ],
        "with line breaks or hidden characters": [
            i for i, name in enumerate(names) if any(_is_hidden(one) for one in name)
        ],
    }
    for fault, rows in faults.items():
        if rows:
            raise ConfigError(f"{path}: names {fault}, in {_told(rows)} (counted from 0)")
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        some = ", ".join(map(repr, repeated[:MOST_TOLD]))
        log.warning("%s: %d names occur more than once: %s", path, len(repeated), some)
    return names


def _is_hidden(letter: str) -> bool:
    return category(letter) in HIDDEN and letter not in JOINERS


def _unit_rows(path: Path, names: list[str], rows: np.ndarray) -> np.ndarray:
    """float32 [n, d]; lengths are taken in float64, where no float32 overflows."""
    wide = rows.astype(np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    for fault, is_wrong in (
        ("have a value that is no finite number", ~np.isfinite(lengths)),
        ("are zero", lengths < LEAST_LENGTH),
    ):
        if is_wrong.any():
            numbers = np.flatnonzero(is_wrong).tolist()
            raise ConfigError(
                f"{path}: {len(numbers):,} directions {fault}, in {_told(numbers)} (counted from "
                f"0; the first is named {names[numbers[0]][:LONGEST_NAME]!r})"
            )
    return (wide / lengths[:, None]).astype(np.float32)


def _told(rows: list[int]) -> str:
    more = ", ..." if len(rows) > MOST_TOLD else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {', '.join(map(str, rows[:MOST_TOLD]))}{more}"
