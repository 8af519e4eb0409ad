"""Floats rounded to fewer mantissa bits: pages show two or three digits, zero bytes compress.

A column of `backend.tables` says how many bits it keeps (`Column.mantissa_bits`); the writer
applies it, and nothing else does. With n bits the relative error is at most 2^-(n + 1).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

FLOAT32_MANTISSA = 23  # stored bits; the leading 1 is not among them
EXPONENT = np.uint32(0x7F800000)  # all ones: infinite or not a number


def rounded(values: np.ndarray, bits: int) -> np.ndarray:
    """float32 `values` with the nearest mantissa of `bits` stored bits, ties to even.

    Sign and order are kept (equal values may become equal only), a power of two and 0 stay exact,
    and no other value becomes 0. Infinite values and NaN pass through; a value within half a step
    of the largest float32 becomes infinite.

    Raises:
        ValueError: `bits` is not between 1 and 23, or `values` is not float32.
    """
    if not 1 <= bits <= FLOAT32_MANTISSA or values.dtype != np.float32:
        raise ValueError(f"{bits} mantissa bits of {values.dtype}: 1 to 23 of float32 are possible")
    drop = np.uint32(FLOAT32_MANTISSA - bits)
    if drop == 0:
        return values.copy()
    raw = np.ascontiguousarray(values).view(np.uint32)
    unit = np.uint32(1) << drop
    # just below half a unit, plus the last bit that stays: a tie goes to the even neighbour;
    # a carry out of the mantissa raises the exponent, which is what rounding up to 2^k means
    up = (unit >> np.uint32(1)) - np.uint32(1) + ((raw >> drop) & np.uint32(1))
    tiny = (raw & EXPONENT) == 0  # subnormal: its leading zeros leave no bits to keep
    kept = np.where(tiny, raw, (raw + up) & ~(unit - np.uint32(1)))
    return np.where((raw & EXPONENT) == EXPONENT, raw, kept).view(np.float32)


def rounded_column(column: pa.ChunkedArray | pa.Array, bits: int) -> pa.ChunkedArray:
    """Every float32 of an Arrow column, also inside lists and structs, by `rounded`."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return pa.chunked_array([_rounded_array(chunk, bits) for chunk in chunks], column.type)


def _rounded_array(array: pa.Array, bits: int) -> pa.Array:
    if isinstance(array, pa.ListArray):
        lengths = array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()),
            _rounded_array(array.flatten(), bits),
            type=array.type,
            mask=array.is_null() if array.null_count else None,
        )
    if isinstance(array, pa.StructArray):
        parts = [_rounded_array(part, bits) for part in array.flatten()]
        mask = array.is_null() if array.null_count else None
        return pa.StructArray.from_arrays(parts, fields=list(array.type), mask=mask)
    if array.type != pa.float32():
        return array
    values = array.fill_null(0.0).to_numpy(zero_copy_only=False)
    nulls = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    return pa.array(rounded(values, bits), pa.float32(), mask=nulls)
