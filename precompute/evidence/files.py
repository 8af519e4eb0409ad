"""What the evidence stage keeps: counts of each part, and finished rows, one folder an SAE.

| file | content |
|---|---|
| `phrases.npz` | the chosen phrases, for all SAEs |
| `<sae_id>/choose.npz`, `<sae_id>/test.npz` | counts of words, pieces and phrases in a part |
| `<sae_id>/cofiring.parquet` | rows of `cofiring` |
| `<sae_id>/terms.parquet` | rows of `terms`, indexes `phrases` and `pieces`; written last |
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from precompute.counting import WordCounts
from precompute.evidence.counts import PartCounts, PhraseCounts
from precompute.evidence.phrases import Phrases
from precompute.writer import write_atomically

PHRASES_NAME = "phrases.npz"
TABLES = ("terms", "cofiring")
COMPACT = {np.dtype(np.int64): np.int32}  # on disk: no count and no id needs more
WIDE = {np.dtype(np.int32): np.int64}  # in memory: keys of pairs do


def counts_path(folder: Path, sae_id: str, part: str) -> Path:
    """Where the counts of a part (`choose` or `test`) of one SAE are."""
    return folder / sae_id / f"{part}.npz"


def table_path(folder: Path, sae_id: str, table: str) -> Path:
    """Where one SAE's rows of `terms` or `cofiring` are."""
    return folder / sae_id / f"{table}.parquet"


def is_complete(folder: Path, sae_id: str) -> bool:
    """Whether the last file of an SAE is there."""
    return table_path(folder, sae_id, TABLES[0]).exists()


def load_words(folder: Path, sae_id: str, part: str) -> WordCounts:
    """Counts of whole words in a part; word numbers are those of the stored text."""
    with np.load(counts_path(folder, sae_id, part)) as arrays:
        return WordCounts(**_with_prefix(arrays, "words_"))


def load_part(folder: Path, sae_id: str, part: str) -> PartCounts:
    """Everything counted in a part."""
    with np.load(counts_path(folder, sae_id, part)) as arrays:
        return PartCounts(
            words=WordCounts(**_with_prefix(arrays, "words_")),
            pieces=WordCounts(**_with_prefix(arrays, "pieces_")),
            phrases=PhraseCounts(**_with_prefix(arrays, "phrases_")),
        )


def save_part(folder: Path, sae_id: str, part: str, counts: PartCounts) -> None:
    """Keep the counts of a part; they are there whole or not at all."""
    arrays = {
        f"{kind}_{name}": array
        for kind, table in vars(counts).items()
        for name, array in vars(table).items()
    }
    _save_arrays(counts_path(folder, sae_id, part), arrays)


def save_phrases(folder: Path, phrases: Phrases) -> None:
    """Keep the chosen phrases."""
    n_words = np.array(phrases.n_words)
    _save_arrays(folder / PHRASES_NAME, {"words": phrases.words, "n_words": n_words})


def load_phrases(folder: Path) -> Phrases | None:
    """The chosen phrases, or None when they are not there yet."""
    if not (folder / PHRASES_NAME).exists():
        return None
    with np.load(folder / PHRASES_NAME) as arrays:
        return Phrases(arrays["words"].astype(np.int64), int(arrays["n_words"]))


def save_table(folder: Path, sae_id: str, table: str, rows: pa.Table) -> None:
    """Keep finished rows."""
    path = table_path(folder, sae_id, table)
    write_atomically(path, lambda temporary: pq.write_table(rows, temporary))


def load_table(folder: Path, sae_id: str, table: str) -> pa.Table:
    """Rows of `terms` or `cofiring` of one SAE."""
    return pq.read_table(table_path(folder, sae_id, table))


def _save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    def write(temporary: Path) -> None:
        compact = {n: a.astype(COMPACT.get(a.dtype, a.dtype)) for n, a in arrays.items()}
        with temporary.open("wb") as file:  # given a path, numpy would add a suffix
            np.savez(file, allow_pickle=False, **compact)

    write_atomically(path, write)


def _with_prefix(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    found = {n.removeprefix(prefix): arrays[n] for n in arrays if n.startswith(prefix)}
    return {n: a.astype(WIDE.get(a.dtype, a.dtype)) for n, a in found.items()}
