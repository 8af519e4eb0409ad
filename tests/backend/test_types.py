"""Types of columns: their words in DuckDB and in Arrow are those of the same Parquet file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.schema import TABLES
from backend.tables.types import FLOAT64, INT16, PLAIN, STRING, ListOf, Struct, Type, named

OF_TABLES = {column.type for table in TABLES.values() for column in table.columns}
NESTED = ListOf(Struct((("order", ListOf(INT16)), ("kind", STRING))))  # names that are keywords
ALL = sorted({*PLAIN, *OF_TABLES, NESTED}, key=str)


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_a_file_written_by_arrow_has_the_type_in_duckdb(tmp_path: Path, kind: Type) -> None:
    path = tmp_path / "one.parquet"
    pq.write_table(pa.table({"value": pa.array([None], kind.arrow)}), path)
    found = duckdb.connect().execute(
        "select duckdb_type from parquet_schema($file) where name = 'value'", {"file": str(path)}
    )
    assert found.fetchall()[0][0].replace('"', "") == kind.in_duckdb
    assert pq.read_schema(path).field("value").type.equals(kind.arrow)


@pytest.mark.parametrize("kind", PLAIN, ids=str)
def test_names_are_those_of_arrow_but_for_its_short_words(kind: Type) -> None:
    short = {"float": "float32", "double": "float64"}  # what Arrow prints; its functions say more
    assert str(kind) == short.get(str(kind.arrow), str(kind.arrow))
    assert named(kind.in_duckdb) == str(kind)


def test_words_of_types_with_parts() -> None:
    assert str(NESTED) == "list<struct<order: list<int16>, kind: string>>"
    assert named("DATE") == "DATE"  # none of ours
    assert named("DOUBLE") == str(FLOAT64)
