"""Rows of a table about some latents of one SAE, without reading the rest of the table.

The tables about latents are sorted by SAE and latent, and a Parquet file keeps the first and the
last value of every row group, so only the groups that hold the wanted latents are read: as much
memory for a million latents as for a thousand.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.compute import Expression, field

LARGEST_INDEX = (1 << 31) - 1


class LatentRows:
    """One table of a run, asked for ranges of latents of one SAE."""

    def __init__(self, run: Path, table: str, sae_id: str, columns: tuple[str, ...]) -> None:
        self._file = pq.ParquetFile(run / f"{table}.parquet")
        self._sae_id = sae_id
        self._columns = list(dict.fromkeys(("sae_id", "latent", *columns)))
        metadata = self._file.metadata
        leaves = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
        places = [leaves.index(name) for name in ("sae_id", "latent")]
        self._groups: list[tuple[int, int, int]] = []
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            sae, latent = (group.column(place).statistics for place in places)
            if sae is None or latent is None or not (sae.has_min_max and latent.has_min_max):
                self._groups.append((number, 0, LARGEST_INDEX))
            elif sae.min <= sae_id <= sae.max:
                self._groups.append((number, latent.min, latent.max))

    def between(self, first: int, end: int, also: Expression | None = None) -> pa.Table:
        """Rows of the latents from `first` up to, not with, `end`, in the order of the file.

        Args:
            also: what else must hold of a row.
        """
        groups = [number for number, low, high in self._groups if low < end and high >= first]
        found = self._file.read_row_groups(groups, columns=self._columns, use_threads=False)
        here = field("sae_id") == self._sae_id
        wanted = here & (field("latent") >= first) & (field("latent") < end)
        return found.filter(wanted if also is None else wanted & also)
