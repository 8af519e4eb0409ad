"""What a table and a column are, and the columns that several tables share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pyarrow as pa

ROW_GROUP_ROWS = 40_000  # a lookup asks every group whether it has the id, so not too many
SHOWN_BITS = 8  # what pages show with two digits: to 0.2 %
WIDE_ROW_GROUP_ROWS = 2_000  # one wide row costs its whole group, so not too large
TEXT_ROW_GROUP_ROWS = 1_250  # a page of hits wants twenty texts, each from another group
MOST_CHUNKS = 4_800  # columns times row groups of a file, before its groups grow


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, its meaning and unit, and whether it may be null.

    `mantissa_bits`: its floats, also inside lists, are stored with that many bits after the
    leading one, a relative error of at most 2^-(bits + 1); None stores all 23.
    """

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = False
    mantissa_bits: int | None = None


@dataclass(frozen=True)
class Table:
    """One table: `key` is unique; rows are stored sorted by `sort` (the key unless said)."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    sort: tuple[str, ...] = ()
    row_group_rows: int = ROW_GROUP_ROWS

    @property
    def sort_key(self) -> tuple[str, ...]:
        return self.sort or self.key

    def rows_of_a_group(self, n_rows: int) -> int:
        """Rows of one row group in a file of `n_rows`.

        A lookup pays for every group, column by column, and for the rows of the one it wants, so in
        a large file the best size grows with the root of its rows.
        """
        n_chunks = n_rows / self.row_group_rows * len(self.columns)
        return round(self.row_group_rows * math.sqrt(max(n_chunks / MOST_CHUNKS, 1.0)))

    @property
    def arrow(self) -> pa.Schema:
        """The exact Arrow schema of the file, nullability included."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns])


TERM_SCORE = pa.struct(
    [
        ("term", pa.string()),
        ("score", pa.float32()),
        ("precision", pa.float32()),
        ("recall", pa.float32()),
        ("count", pa.int32()),
    ]
)
TOKEN_LOGIT = pa.struct([("token", pa.string()), ("logit", pa.float32())])
LATENT_SCORE = pa.struct(
    [
        ("latent", pa.int32()),
        ("score", pa.float32()),
        ("precision", pa.float32()),
        ("recall", pa.float32()),
        ("lift", pa.float32()),
    ]
)

SAE_ID = Column("sae_id", pa.string(), "SAE (or meta-SAE) the row belongs to, as in `saes`")
LATENT = Column("latent", pa.int32(), "index of the latent in its SAE, from 0")
