"""Frames as plain Python rows: what pages and HTML builders read, one dict a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

Record = dict[str, Any]


def records(frame: pd.DataFrame) -> list[Record]:
    """The rows of a frame; a missing float stays NaN, a missing text is None or NaN."""
    names = [str(name) for name in frame.columns]
    columns = [frame[name].tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def grouped(rows: Iterable[Record], name: str) -> dict[Any, list[Record]]:
    """Rows by the value of one column, groups in the order in which they first appear."""
    groups: dict[Any, list[Record]] = {}
    for row in rows:
        groups.setdefault(row[name], []).append(row)
    return groups
