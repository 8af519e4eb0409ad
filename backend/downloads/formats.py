"""Rows as a file: CSV, Parquet or JSON, with the columns and types that a download declares.

Figures stored in 32 bits are written with as few digits as tell them from their neighbours, so 0.6
stays 0.6 and reads back as the same number. What is missing, infinite or NaN is an empty cell in
CSV and null elsewhere.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from backend.records import Record
from backend.tables.columns import Column
from backend.tables.types import FLOAT32, FLOATS, STRING, ListOf, Struct, Type

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
FORMATS = tuple(MEDIA_TYPES)
ROW_GROUP_ROWS = 10_000

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def written(
    form: str, rows: Sequence[Record], columns: Sequence[Column], about: dict[str, Any]
) -> bytes:
    """A file of some rows.

    Args:
        form: one of `FORMATS`.
        rows: what `columns` do not name is left out, what a row lacks is missing.
        columns: names, types and meanings, in order.
        about: where the rows come from; stands before them in JSON and in Parquet's metadata, and
            nowhere in CSV, which has no place for it.
    """
    if form == "csv":
        return _csv(rows, columns)
    if form == "parquet":
        return _parquet(rows, columns, about)
    return _json(rows, columns, about)


def plain_value(value: Any, kind: Type) -> Any:
    """`value` as JSON may hold it: short figures, None for what is no number."""
    if value is None:
        return None
    if isinstance(kind, ListOf):
        return [plain_value(item, kind.item) for item in value]
    if isinstance(kind, Struct):
        return {name: plain_value(value.get(name), part) for name, part in kind.parts}
    if kind in FLOATS:
        if not math.isfinite(value):
            return None
        return float(str(np.float32(value))) if kind == FLOAT32 else float(value)
    if kind == STRING:
        # half of a surrogate pair is no text in UTF-8
        return str(value).encode("utf-8", "replace").decode()
    return value


def guarded(text: str) -> str:
    """Text that a spreadsheet would run as a formula, with an apostrophe before it.

    Numbers stay as they are, so "-1" is not changed and "-1+1" is. Text that starts so behind
    apostrophes gets one more: who takes one off such a text again has what it was.
    """
    if not _FORMULA.match(text):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def plain_rows(rows: Iterable[Record], columns: Sequence[Column]) -> Iterator[Record]:
    """Rows as JSON may hold them: these columns in this order, values as in `plain_value`."""
    for row in rows:
        yield {column.name: plain_value(row.get(column.name), column.type) for column in columns}


def _csv(rows: Sequence[Record], columns: Sequence[Column]) -> bytes:
    """RFC 4180 in UTF-8 with a head; lists and structs are JSON text in their cell."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    writer.writerows([_cell(value) for value in row.values()] for row in plain_rows(rows, columns))
    return made.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return guarded(value) if isinstance(value, str) else str(value)


def _json(rows: Sequence[Record], columns: Sequence[Column], about: dict[str, Any]) -> bytes:
    """One object with `about` and `rows`; a line for each row, so that it can be read and cut."""
    made = io.BytesIO()
    made.write(f'{json.dumps(about, ensure_ascii=False)[:-1]}, "rows": [\n'.encode())
    for place, row in enumerate(plain_rows(rows, columns)):
        line = json.dumps(row, ensure_ascii=False, allow_nan=False)
        made.write((",\n" if place else "").encode() + line.encode())
    made.write(b"\n]}\n")
    return made.getvalue()


def _parquet(rows: Sequence[Record], columns: Sequence[Column], about: dict[str, Any]) -> bytes:
    # imported here, because only this format needs them
    import pyarrow as pa
    import pyarrow.json as pj
    import pyarrow.parquet as pq

    metadata = {key: value if isinstance(value, str) else json.dumps(value)
                for key, value in about.items()}  # fmt: skip
    schema = pa.schema(
        [pa.field(c.name, c.type.arrow, metadata={"meaning": c.meaning}) for c in columns], metadata
    )
    # by way of JSON: pyarrow asks pandas about every list of Python values, and importing that
    # would cost a server more memory than all of this
    options = pj.ParseOptions(explicit_schema=schema)
    read_options = pj.ReadOptions(use_threads=False)  # a pool of threads would keep its memory
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for start in range(0, len(rows), ROW_GROUP_ROWS):
            some = plain_rows(rows[start : start + ROW_GROUP_ROWS], columns)
            lines = "\n".join(json.dumps(row, allow_nan=False) for row in some)
            read = pj.read_json(io.BytesIO(lines.encode()), read_options, options)
            writer.write_table(read.select(schema.names).cast(schema))
    pa.default_memory_pool().release_unused()
    return sink.getvalue()
