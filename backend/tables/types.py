"""Types of columns: what they are called, in DuckDB and in Arrow.

Arrow is imported when somebody writes a table, never to know its columns: a server reads Parquet
through DuckDB, and Arrow would cost its start 0.1 s and its memory 30 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Plain:
    """A type without parts: its name, what DuckDB calls it, its function in pyarrow."""

    name: str
    in_duckdb: str
    in_arrow: str

    def __str__(self) -> str:
        return self.name

    @cached_property
    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return getattr(pa, self.in_arrow)()


@dataclass(frozen=True)
class ListOf:
    """Lists of values of one type."""

    item: Type

    def __str__(self) -> str:
        return f"list<{self.item}>"

    @cached_property
    def in_duckdb(self) -> str:
        return f"{self.item.in_duckdb}[]"

    @cached_property
    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return pa.list_(self.item.arrow)


@dataclass(frozen=True)
class Struct:
    """Named parts, in order."""

    parts: tuple[tuple[str, Type], ...]

    def __str__(self) -> str:
        return f"struct<{', '.join(f'{name}: {part}' for name, part in self.parts)}>"

    @cached_property
    def in_duckdb(self) -> str:
        parts = ", ".join(f"{name} {part.in_duckdb}" for name, part in self.parts)
        return f"STRUCT({parts})"

    @cached_property
    def arrow(self) -> pa.DataType:
        import pyarrow as pa

        return pa.struct([(name, part.arrow) for name, part in self.parts])


Type = Plain | ListOf | Struct

BOOL = Plain("bool", "BOOLEAN", "bool_")
INT16 = Plain("int16", "SMALLINT", "int16")
INT32 = Plain("int32", "INTEGER", "int32")
INT64 = Plain("int64", "BIGINT", "int64")
FLOAT32 = Plain("float32", "FLOAT", "float32")
FLOAT64 = Plain("float64", "DOUBLE", "float64")
STRING = Plain("string", "VARCHAR", "string")
BINARY = Plain("binary", "BLOB", "binary")
INTEGERS = (INT16, INT32, INT64)
FLOATS = (FLOAT32, FLOAT64)
PLAIN = (BOOL, STRING, BINARY, *INTEGERS, *FLOATS)


def named(in_duckdb: str) -> str:
    """Our name of a plain type of DuckDB; of any other, DuckDB's."""
    return next((one.name for one in PLAIN if one.in_duckdb == in_duckdb), in_duckdb)
