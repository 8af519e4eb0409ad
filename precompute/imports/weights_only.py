"""Python objects that torch saved, read without running anything that the file says to run.

`torch.load(weights_only=True)` builds plain containers, numbers, texts and tensors, and asks for a
list of everything else. Three things are on ours, each in our own words, because files of
statistics hold them: `defaultdict` becomes a plain dict, numpy's numbers become Python's, and the
bytes of such a number are read as the text that they are stored as. Any other type ends the reading
with its name.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Any

from precompute.config import ConfigError

MOST_BYTES = 8_000_000_000  # unpacked
_FORMATS = {"f2": "e", "f4": "f", "f8": "d", "b1": "?"} | {
    f"{sign}{1 << power}": code
    for sign, row in (("i", "bhiq"), ("u", "BHIQ"))
    for power, code in enumerate(row)
}


def load_plain(path: Path) -> Any:
    """What `torch.save` wrote, made of dicts, lists, tuples, numbers, texts and tensors.

    Takes about 30 microseconds and 500 bytes for each number that numpy made.

    Raises:
        ConfigError: it is not there, not of torch's own zip format, too large, or needs a type that
            is not on the list.
    """
    import torch
    from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

    try:
        with zipfile.ZipFile(path) as archive:
            n_bytes = sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise ConfigError(f"{path} is no file of torch.save ({error})") from None
    if n_bytes > MOST_BYTES:
        raise ConfigError(f"{path} holds more than {MOST_BYTES // 1_000_000:,} MB")
    try:
        with safe_globals(_ALLOWED):
            if refused := sorted(get_unsafe_globals_in_checkpoint(path)):
                raise ConfigError(
                    f"{path} needs {', '.join(refused)}, which is not read: a file of statistics "
                    "needs no such type, and loading it could run a program"
                )
            return torch.load(path, weights_only=True, map_location="cpu")
    except ConfigError:
        raise
    except Exception as error:  # noqa: BLE001 - a damaged file fails in as many ways as torch has
        reason = str(error).strip().splitlines()
        raise ConfigError(f"{path} cannot be read ({reason[-1] if reason else error!r})") from None


class _NumberType:
    """Stands for numpy's description of a number: its code, such as `i8`."""

    def __init__(self, code: object, *_flags: object) -> None:
        if not isinstance(code, str) or code not in _FORMATS:
            raise ValueError(f"a number of type {code!r}")
        self.code = code

    def __setstate__(self, state: object) -> None:
        """Byte order and the like, of which only the order matters."""
        if isinstance(state, tuple) and ">" in state:
            raise ValueError("a number with its highest byte first")


def _number(kind: object, content: object) -> int | float | bool:
    """Stands for numpy's maker of a number from its bytes."""
    if not isinstance(kind, _NumberType) or not isinstance(content, bytes):
        raise ValueError("a number without a type")
    return struct.unpack("<" + _FORMATS[kind.code], content)[0]


def _latin1(text: object, encoding: object) -> bytes:
    """Stands for `codecs.encode`, by which older protocols write bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes as {encoding!r}")
    return text.encode("latin1")


def _plain_dict(*_factory: object) -> dict[Any, Any]:
    """Stands for `defaultdict`."""
    return {}


def _nothing(*_arguments: object) -> None:
    """Stands for what a `defaultdict` would make; it is never asked for."""


_ALLOWED: list[Any] = [
    (_plain_dict, "collections.defaultdict"),
    (_nothing, "builtins.int"),
    (_nothing, "builtins.list"),
    (_nothing, "builtins.dict"),
    (_nothing, "builtins.float"),
    (_number, "numpy.core.multiarray.scalar"),
    (_number, "numpy._core.multiarray.scalar"),
    (_NumberType, "numpy.dtype"),
    (_latin1, "_codecs.encode"),
]
