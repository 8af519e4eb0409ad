"""Decoder directions of a run: one row, all rows of an SAE, cosines, the nearest to any vector.

The table `directions` holds them in 8 bits (value = byte x scale), for the decomposed SAEs and
their meta-SAEs only; of any other SAE every answer here is None or empty. An SAE's bytes stay in
memory once they were searched (9.4 MB for 24,576 x 384; as float32 they would be 38 MB) and are
multiplied in blocks.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backend.bounds import as_index, as_text
from backend.store import Run

MOST_IN_MEMORY = 2  # SAEs whose bytes are kept: one of latents, one of meta-latents
BLOCK_ROWS = 2_048  # multiplied at once: as float32 they fit a processor's cache
FETCH_BYTES = 8 << 20  # read at once, so that no second copy of all rows is ever in memory

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class _Packed:
    """All rows of one SAE: bytes [n, d_in], scale and index of each row [n], indices ascending."""

    rows: NDArray[np.int8]
    scales: Vector
    latents: NDArray[np.int32]

    @cached_property
    def lengths(self) -> Vector:
        """Of each row; made for the first who looks for the nearest, a sum of rows needs none."""
        lengths = np.empty_like(self.scales)
        for start in range(0, len(self.rows), BLOCK_ROWS):
            block = self.rows[start : start + BLOCK_ROWS].astype(np.float32)
            lengths[start : start + BLOCK_ROWS] = np.sqrt(np.einsum("ij,ij->i", block, block))
        return lengths * self.scales


_kept: OrderedDict[tuple[str, str], _Packed] = OrderedDict()
_lock = threading.Lock()


def row(run: Run, sae_id: str, latent: int) -> Vector | None:
    """The decoder row of one latent or meta-latent, float32 [d_in]; None when it is not stored."""
    index = as_index(latent)
    packed = _kept.get(_key(run, sae_id))  # without the lock: who reads all rows holds it for long
    if packed is not None:
        return _some(packed, [index]).get(index)
    found = run.row(
        """
        select decoder, decoder_scale from directions where sae_id = $sae_id and latent = $latent
        """,
        sae_id=as_text(sae_id),
        latent=index,
    )
    if found is None:
        return None
    return np.frombuffer(found["decoder"], np.int8).astype(np.float32) * found["decoder_scale"]


def matrix(run: Run, sae_id: str) -> Vector | None:
    """Decoder rows of an SAE in the order of their index, float32 [n_latents, d_in]; None when
    they are not stored. It is made anew each time and as large as it looks: do not keep it."""
    packed = _packed(run, sae_id)
    if packed is None:
        return None
    return packed.rows.astype(np.float32) * packed.scales[:, None]


def nearest(run: Run, sae_id: str, vector: ArrayLike, k: int) -> list[tuple[int, float]]:
    """The `k` latents of highest decoder cosine with a vector, as (latent, cosine), best first.

    Args:
        vector: [d_in], of any length but 0; a row of the same SAE finds itself first.

    Returns:
        Nothing when the SAE's rows are not stored, or the vector has no direction.

    Raises:
        ValueError: the vector has another dimension than the rows.
    """
    packed = _packed(run, sae_id)
    wanted = np.asarray(vector, dtype=np.float32)
    if packed is None or k < 1:
        return []
    n_rows, d_in = packed.rows.shape
    if wanted.shape != (d_in,):
        raise ValueError(f"a direction of {sae_id} has {d_in} numbers, not {wanted.shape}")
    length = float(np.linalg.norm(wanted))
    if not np.isfinite(length) or length == 0:
        return []
    unit = wanted / np.float32(length)
    cosines = np.empty(n_rows, np.float32)
    for start in range(0, n_rows, BLOCK_ROWS):
        block = packed.rows[start : start + BLOCK_ROWS].astype(np.float32)
        cosines[start : start + BLOCK_ROWS] = block @ unit
    # a row of zeros has no direction and is near to nothing
    cosines *= packed.scales / np.maximum(packed.lengths, np.finfo(np.float32).tiny)
    k = min(k, n_rows)
    best = np.argpartition(-cosines, k - 1)[:k]
    best = best[np.lexsort((packed.latents[best], -cosines[best]))]
    return [(int(packed.latents[i]), min(float(cosines[i]), 1.0)) for i in best]


def cosine(first: ArrayLike, second: ArrayLike) -> float | None:
    """Cosine of two vectors, -1 to 1; None when their dimensions differ or one has no length."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        return None
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return min(max(float(a @ b) / lengths, -1.0), 1.0) if lengths > 0 else None


def _packed(run: Run, sae_id: str) -> _Packed | None:
    """The rows of an SAE, read when they are not in memory; the one used longest ago makes way."""
    key = _key(run, sae_id)
    with _lock:  # two pages that ask at once must not both read
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
        packed = _read(run, as_text(sae_id))
        if packed is not None:
            _kept[key] = packed
            while len(_kept) > MOST_IN_MEMORY:
                _kept.popitem(last=False)
        return packed


def _read(run: Run, sae_id: str) -> _Packed | None:
    bounds = run.row(
        """
        select count(*) as n, max(latent) as last, any_value(saes.d_in) as d_in
        from directions join saes using (sae_id) where sae_id = $sae_id
        """,
        sae_id=sae_id,
    )
    if bounds is None or not bounds["n"]:
        return None
    rows = np.empty((bounds["n"], bounds["d_in"]), np.int8)
    scales = np.empty(bounds["n"], np.float32)
    latents = np.empty(bounds["n"], np.int32)
    at, step = 0, max(1, FETCH_BYTES // max(1, bounds["d_in"]))
    for start in range(0, bounds["last"] + 1, step):
        # the file is sorted by SAE and latent: a range is in few row groups, and comes in order
        batch = run.arrays(
            """
            select latent, decoder, decoder_scale from directions
            where sae_id = $sae_id and latent >= $start and latent < $end
            """,
            sae_id=sae_id,
            start=start,
            end=start + step,
        )
        some = slice(at, at + len(batch["latent"]))
        rows[some] = np.frombuffer(b"".join(batch["decoder"]), np.int8).reshape(-1, rows.shape[1])
        scales[some], latents[some] = batch["decoder_scale"], batch["latent"]
        at = some.stop
    return _Packed(rows, scales, latents)


def rows(run: Run, sae_id: str, latents: Sequence[int]) -> dict[int, Vector]:
    """Decoder rows of some latents, float32 [d_in] each; those that are not stored are absent."""
    packed = _packed(run, sae_id)
    return {} if packed is None else _some(packed, latents)


def _key(run: Run, sae_id: str) -> tuple[str, str]:
    return run.manifest.content_hash, as_text(sae_id)


def _some(packed: _Packed, latents: Sequence[int]) -> dict[int, Vector]:
    """`rows` of an SAE in memory, whose latents ascend."""
    places = np.searchsorted(packed.latents, np.asarray(latents, packed.latents.dtype))
    return {
        latent: packed.rows[place].astype(np.float32) * packed.scales[place]
        for latent, place in zip(latents, places.tolist(), strict=True)
        if place < len(packed.latents) and packed.latents[place] == latent
    }
