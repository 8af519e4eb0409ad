"""The label file beside a run: labels of others go in, what people wrote stays as it is.

The file is the one that people edit (`backend/edited_labels.py` says what it holds). It is replaced
at once, never half written: all rows by people, and all rows about other latents, keep their place,
their columns and their order.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.edited_labels import (
    COLUMNS,
    DELIMITERS,
    MODEL,
    MOST_BYTES,
    MOST_ROWS,
    read_labels,
    spreadsheet_cell,
)
from precompute.config import ConfigError
from precompute.writer import write_atomically

MODEL_COLUMN = "model"
BYTE_ORDER_MARK = "\ufeff"  # without it Excel does not read a file as UTF-8


class TooManyLabels(ConfigError):
    """A label file would be larger than pages read; the message says how large."""


@dataclass(frozen=True)
class ModelLabel:
    """A label by a model, asked here or imported; `note` says how it came about."""

    sae_id: str
    latent: int
    label: str
    decoder_sha256: str
    model: str
    note: str
    source: str = MODEL

    @property
    def cells(self) -> dict[str, str]:
        """The row by column, safe to open in a spreadsheet."""
        return {
            "sae_id": self.sae_id,
            "latent": str(self.latent),
            "label": spreadsheet_cell(self.label),
            "decoder_sha256": self.decoder_sha256,
            "source": self.source,
            "note": spreadsheet_cell(self.note),
            MODEL_COLUMN: spreadsheet_cell(self.model),
        }


def merge_labels(
    path: Path, labels: Iterable[ModelLabel], replaced: Collection[tuple[str, str]] = ()
) -> None:
    """Write `labels` into the file at `path`, sorted, after all rows that stay.

    Args:
        replaced: (source, sae_id) of which no earlier row stays, whatever latent it is about.

    Raises:
        ConfigError: there is a file that cannot be read in full, so that rewriting it would lose
            what somebody wrote.
        TooManyLabels: pages would not read the file that comes of it.
    """
    fresh = {(label.source, label.sae_id, label.latent): label for label in labels}
    if not fresh:
        return
    header, rows, delimiter = _existing(path)
    header = header or list(COLUMNS)
    for name in (*COLUMNS, MODEL_COLUMN):
        if name not in _names(header):
            header.append(name)
    names = _names(header)
    keys = [_row_key(names, row) for row in rows]
    kept = [
        row
        for row, key in zip(rows, keys, strict=True)
        if key not in fresh and (key is None or key[:2] not in replaced)
    ]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(kept)
    for key in sorted(fresh):
        cells = fresh[key].cells
        writer.writerow([cells.get(name, "") for name in names])
    content = (BYTE_ORDER_MARK + text.getvalue()).encode()
    if len(kept) + len(fresh) > MOST_ROWS or len(content) > MOST_BYTES:
        raise TooManyLabels(
            f"{path} would have {len(kept) + len(fresh):,} rows and {len(content):,} bytes, but "
            f"pages read {MOST_ROWS:,} rows and {MOST_BYTES:,} bytes. It was left as it is"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path.resolve(), lambda temporary: temporary.write_bytes(content))


def check_mergeable(path: Path) -> None:
    """As `merge_labels` does, before anything is paid for.

    Raises:
        ConfigError: as there.
    """
    _existing(path)


def label_texts(
    path: Path, saes: Iterable[Mapping[str, Any]], source: str = MODEL
) -> dict[tuple[str, int], str]:
    """The labels of one source by (sae_id, latent), for a test of how much they tell.

    Args:
        path: a label file.
        saes: rows of the run's `saes`; labels written for other weights are left out.
        source: one of `backend.edited_labels.SOURCES`.
    """
    found = read_labels(path, saes, (source,)).labels
    return {(label.sae_id, label.latent): label.label for label in found}


def _existing(path: Path) -> tuple[list[str], list[list[str]], str]:
    """Header, rows and delimiter of a file; all empty, and a comma, when there is none."""
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return [], [], ","
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read ({error}), so no label is added to it. Save it as CSV UTF-8, "
            "or name another file with --out"
        ) from None
    lines = content.splitlines(keepends=True)
    if lines and lines[0].lower().startswith("sep="):
        lines = lines[1:]
    if not lines:
        return [], [], ","
    delimiter = max(DELIMITERS, key=lines[0].count)
    try:
        header, *rows = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter)
        if not {"sae_id", "latent", "label"} <= set(_names(header)):
            raise csv.Error("it lacks a column sae_id, latent or label")
    except csv.Error as error:
        raise ConfigError(
            f"{path} is no label file ({error}), so no label is added to it. Mend it, or name "
            "another file with --out"
        ) from None
    return header, rows, delimiter


def _names(header: list[str]) -> list[str]:
    return [name.strip().lower() for name in header]


def _row_key(names: list[str], row: list[str]) -> tuple[str, str, int] | None:
    """Source ("" for a person), SAE and latent of a row; None when it names no latent."""
    cells = dict(zip(names, (cell.strip() for cell in row), strict=False))
    index = cells.get("latent", "")
    if not (index.isdecimal() and len(index) <= 10):
        return None
    return cells.get("source", "").lower(), cells.get("sae_id", ""), int(index)
