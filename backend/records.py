"""Rows as plain Python: what queries return, and what pages and HTML builders read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Record = dict[str, Any]
"""One row by column name; what is missing is None."""


def column(rows: Iterable[Record], name: str) -> list[Any]:
    """One column of some rows."""
    return [row[name] for row in rows]


def grouped(rows: Iterable[Record], name: str) -> dict[Any, list[Record]]:
    """Rows by the value of one column, groups in the order in which they first appear."""
    groups: dict[Any, list[Record]] = {}
    for row in rows:
        groups.setdefault(row[name], []).append(row)
    return groups
