"""Columns of downloads: those of the stored tables, and the label that joins add to an id."""

from __future__ import annotations

from backend.tables.columns import LATENT, SAE_ID, Column, Table
from backend.tables.types import STRING

LABEL = Column("label", STRING, "short name made offline; empty when it has none")
IDS = (SAE_ID, LATENT)


def of(table: Table, *names: str) -> tuple[Column, ...]:
    """Some columns of a table, in this order."""
    known = {column.name: column for column in table.columns}
    return tuple(known[name] for name in names)
