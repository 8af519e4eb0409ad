"""The files of `backend.elsewhere`: their columns, and one latent's row of one, checked.

Read with pyarrow alone, which only a server with such files loads.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

VERSION = "1"
ABOUT_KEY = b"subatomic"
MOST_ABOUT_BYTES = 100_000
ROW_GROUP_ROWS = 256  # one latent costs its whole group
MOST_GROUP_BYTES = 64_000_000


def _list_of(**fields: pa.DataType) -> pa.DataType:
    """A list of structs without a null anywhere, which readers need not look for."""
    struct = pa.struct([pa.field(name, type_, nullable=False) for name, type_ in fields.items()])
    return pa.list_(pa.field("element", struct, nullable=False))


_NUMBERS = pa.list_(pa.field("element", pa.float32(), nullable=False))
_TEXTS = pa.list_(pa.field("element", pa.string(), nullable=False))
_TOKENS = _list_of(token=pa.string(), value=pa.float32())
_COLUMNS = {
    "latent": pa.int32(),
    # the last is the label; `by` names the model or person that wrote it, "" when not known
    "explanations": _list_of(text=pa.string(), by=pa.string()),
    "density": pa.float64(),  # share of tokens, null when not known; so is the next
    "max_activation": pa.float32(),
    "promoted": _TOKENS,
    "suppressed": _TOKENS,
    "fires_on": _TOKENS,  # of its strongest examples; the value is how many
    "examples": _list_of(group=pa.string(), tokens=_TEXTS, values=_NUMBERS, peak=pa.int32()),
    # of an explanation; NaN where a figure cannot be worked out
    "scores": _list_of(kind=pa.string(), accuracy=pa.float32(), f1=pa.float32(), n=pa.int32()),
    # meta-latents of the decomposition made there, strongest first
    "parts": _list_of(part=pa.int32(), weight=pa.float32(), label=pa.string()),
}
NULLABLE = ("density", "max_activation")
SCHEMA = pa.schema([pa.field(name, t, name in NULLABLE) for name, t in _COLUMNS.items()])


class Unusable(Exception):
    """A file cannot be used; the message says why, and may quote the file."""


@dataclass(frozen=True)
class _Opened:
    about: dict[str, str]
    metadata: pq.FileMetaData
    bounds: tuple[tuple[int, int], ...]  # first and last latent of each row group


def latent_in(path: Path, decoder_sha256: str, latent: int) -> tuple[dict[str, str], Any] | None:
    """The description of a file and its row of a latent; None when the latent is not in it.

    Args:
        path: of the file, which exists.
        decoder_sha256: of the SAE that the file must be about.
        latent: index of the latent.

    Raises:
        Unusable: it is damaged, not made by the importer, or about other weights.
    """
    try:
        stamp = path.stat()
        opened = _open(path, (stamp.st_mtime_ns, stamp.st_size, stamp.st_ino))
        if opened.about.get("decoder_sha256") != decoder_sha256:
            raise Unusable("was imported for other weights than this run's")
        row = _row(path, opened, latent)
    except (OSError, pa.ArrowException) as error:
        raise Unusable(f"cannot be read ({error})") from error
    return None if row is None else (opened.about, row)


@lru_cache(maxsize=16)
def _open(path: Path, _stamp: tuple[int, int, int]) -> _Opened:
    """What is checked once for a file as it is now; `_stamp` changes when the file does."""
    with pq.ParquetFile(path) as file:
        metadata, schema = file.metadata, file.schema_arrow
    if not schema.equals(SCHEMA):
        raise Unusable("has other columns than an imported file")
    about = _about((schema.metadata or {}).get(ABOUT_KEY, b""))
    bounds = []
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        statistics = group.column(0).statistics
        if statistics is None or not statistics.has_min_max:
            raise Unusable("does not say which latents it has")
        if group.total_byte_size > MOST_GROUP_BYTES:
            raise Unusable(f"has more than {MOST_GROUP_BYTES // 1_000_000} MB in one piece")
        bounds.append((statistics.min, statistics.max))
    return _Opened(about, metadata, tuple(bounds))


def _about(content: bytes) -> dict[str, str]:
    """The description of a file: an object of texts."""
    try:
        about = json.loads(content) if len(content) <= MOST_ABOUT_BYTES else None
    except (ValueError, RecursionError):
        about = None
    if not isinstance(about, dict) or not all(isinstance(text, str) for text in about.values()):
        raise Unusable("does not say what it is")
    if about.get("version") != VERSION:
        raise Unusable("was made by another version of the import")
    return about


def _row(path: Path, opened: _Opened, latent: int) -> dict[str, Any] | None:
    for number, (first, last) in enumerate(opened.bounds):
        if first <= latent <= last:
            with pq.ParquetFile(
                path, metadata=opened.metadata, page_checksum_verification=True
            ) as file:
                group = file.read_row_group(number)
            at = group.column("latent").to_numpy().searchsorted(latent)
            row = group.slice(int(at), 1).to_pylist()
            return row[0] if row and row[0]["latent"] == latent else None
    return None
