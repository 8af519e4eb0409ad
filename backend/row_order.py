"""Whether the rows of a Parquet file rise strictly in their key, read a row group at a time.

With pyarrow, which the app never loads for it: only `python -m precompute check` and other commands
read the keys of all rows (see `backend.verify`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.compute import call_function


def has_increasing_keys(path: Path, sort_key: Sequence[str]) -> bool:
    """`is_strictly_increasing` over a whole file, one row group in memory at a time.

    Raises:
        OSError, pyarrow.ArrowException: it cannot be read, or a column of the key is not there.
    """
    last: pa.Table | None = None
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            keys = file.read_row_group(group, columns=list(sort_key), use_threads=False)
            joined = keys if last is None else pa.concat_tables([last, keys])
            if not is_strictly_increasing(joined):
                return False
            last = joined.slice(max(joined.num_rows - 1, 0))  # a table may be empty
    return True


def is_strictly_increasing(keys: pa.Table) -> bool:
    """Whether each row's key (all columns, first one most significant) exceeds the row before."""
    if keys.num_rows < 2:
        return True
    before, after = keys.slice(0, keys.num_rows - 1), keys.slice(1)
    tied: Any = None  # rows equal to their predecessor in all columns so far
    for name in keys.column_names:
        falls = _call("greater", before[name], after[name])
        if _holds_anywhere(falls if tied is None else _call("and", tied, falls)):
            return False
        equal = _call("equal", before[name], after[name])
        tied = equal if tied is None else _call("and", tied, equal)
    return not _holds_anywhere(tied)


def _holds_anywhere(flags: Any) -> bool:
    return bool(_call("any", flags).as_py())


def _call(function: str, *arguments: Any) -> Any:
    # by name, because pyarrow makes its functions where a type checker cannot see them
    return call_function(function, list(arguments))
