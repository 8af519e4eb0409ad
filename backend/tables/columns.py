"""What a table and a column are, and the columns that several tables share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.tables.types import FLOAT32, INT32, STRING, Struct, Type

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP_ROWS = 40_000  # a lookup asks every group whether it has the id, so not too many
SHOWN_BITS = 8  # what pages show with two digits: to 0.2 %
WIDE_ROW_GROUP_ROWS = 2_000  # one wide row costs its whole group, so not too large
TEXT_ROW_GROUP_ROWS = 1_250  # a page of hits wants twenty texts, each from another group
MOST_CHUNKS = 4_800  # columns times row groups of a file, before its groups grow


@dataclass(frozen=True)
class Column:
    """One column: its type, its meaning and unit, and whether it may be null.

    `mantissa_bits`: its floats, also inside lists, are stored with that many bits after the
    leading one, a relative error of at most 2^-(bits + 1); None stores all 23.
    """

    name: str
    type: Type
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
        import pyarrow as pa

        return pa.schema(
            [pa.field(c.name, c.type.arrow, nullable=c.nullable) for c in self.columns]
        )


TERM_SCORE = Struct(
    (
        ("term", STRING),
        ("score", FLOAT32),
        ("precision", FLOAT32),
        ("recall", FLOAT32),
        ("count", INT32),
    )
)
TOKEN_LOGIT = Struct((("token", STRING), ("logit", FLOAT32)))
LATENT_SCORE = Struct(
    (
        ("latent", INT32),
        ("score", FLOAT32),
        ("precision", FLOAT32),
        ("recall", FLOAT32),
        ("lift", FLOAT32),
    )
)

SAE_ID = Column("sae_id", STRING, "SAE (or meta-SAE) the row belongs to, as in `saes`")
LATENT = Column("latent", INT32, "index of the latent in its SAE, from 0")
