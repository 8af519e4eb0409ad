"""What a caller may ask for: indices, names and page sizes held within what a run can have.

Ids come from addresses that anybody can type, so nothing here raises.
"""

from __future__ import annotations

from numbers import Integral

LARGEST_INDEX = 2**31 - 1  # indices are int32
NO_LATENT = -1
MOST_ROWS = 500  # of one page of rows, whatever a caller asks for


def as_index(value: object) -> int:
    """`value` when it can be a latent's index, else one that no latent has."""
    # numpy's integers are Integral too, and so is bool
    if not isinstance(value, Integral) or isinstance(value, bool):
        return NO_LATENT
    index = int(value)
    return index if 0 <= index <= LARGEST_INDEX else NO_LATENT


def as_text(value: object) -> str:
    """`value` when it is text, without the lone surrogates that cannot be stored; else empty."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def page_bounds(limit: int, offset: int) -> dict[str, int]:
    """Parameters for `limit $limit offset $offset`, held within what a page may ask for."""
    return {
        "limit": row_limit(limit),
        "offset": min(max(int(offset), 0), LARGEST_INDEX),
    }


def row_limit(limit: int) -> int:
    """`limit`, at least 1 and at most `MOST_ROWS`."""
    return min(max(int(limit), 1), MOST_ROWS)
