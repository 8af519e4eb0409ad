"""The file beside a run that keeps what a tool said; `backend/elsewhere.py` says what it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from backend.elsewhere_file import ABOUT_KEY, ROW_GROUP_ROWS, SCHEMA, VERSION
from precompute.imports.foreign import ForeignLatent, ForeignSet
from precompute.writer import write_atomically

COMPRESSION_LEVEL = 9
INT32 = 2**31 - 1


def write_evidence(path: Path, foreign: ForeignSet, about: Mapping[str, str]) -> None:
    """Write every latent of a set, sorted; an earlier file of the same name is replaced at once.

    Args:
        about: what the file says of itself, beside the version.
    """
    description = json.dumps({**about, "version": VERSION}, sort_keys=True, ensure_ascii=False)
    schema = SCHEMA.with_metadata({ABOUT_KEY: description.encode()})

    def write(temporary: Path) -> None:
        with pq.ParquetWriter(
            temporary,
            schema,
            compression="zstd",
            compression_level=COMPRESSION_LEVEL,
            write_page_checksum=True,
        ) as file:
            for rows in _groups(foreign):
                file.write_table(pa.Table.from_pylist(rows, schema))

    write_atomically(path, write)


def _groups(foreign: ForeignSet) -> Iterator[list[dict[str, Any]]]:
    indices = sorted(foreign.latents)
    for start in range(0, len(indices), ROW_GROUP_ROWS):
        chosen = indices[start : start + ROW_GROUP_ROWS]
        yield [_row(index, foreign.latents[index]) for index in chosen]


def _row(index: int, latent: ForeignLatent) -> dict[str, Any]:
    return {
        "latent": index,
        "explanations": [{"text": text, "by": by} for text, by in latent.explanations],
        "density": latent.density,
        "max_activation": latent.max_activation,
        "promoted": _tokens(latent.promoted),
        "suppressed": _tokens(latent.suppressed),
        "fires_on": _tokens(latent.fires_on),
        "examples": [
            {
                "group": example.group,
                "tokens": example.tokens,
                "values": example.values,
                "peak": example.peak,
            }
            for example in latent.examples
        ],
        "scores": [
            {"kind": kind, "accuracy": accuracy, "f1": f1, "n": n}
            for kind, accuracy, f1, n in latent.scores
        ],
        "parts": [
            {"part": min(part, INT32), "weight": weight, "label": label}
            for part, weight, label in latent.parts
        ],
    }


def _tokens(pairs: list[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"token": token, "value": value} for token, value in pairs]
