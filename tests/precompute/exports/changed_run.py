"""Copies of a run with other tables, and small SAEs whose weights are known."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from backend.manifest import read_manifest
from precompute.dictionary import Dictionary
from precompute.writer import write_manifest, write_table


def changed_run(source: Path, folder: Path, tables: dict[str, pa.Table], **fields: Any) -> Path:
    """A copy of the run in `source` with other tables and fields of the manifest."""
    shutil.copytree(source, folder)
    manifest = read_manifest(source)
    # stored to the last bit, so that figures can be compared as they are
    with patch("precompute.writer.rounded_column", lambda column, _: column):
        files = {name: write_table(folder, name, table) for name, table in tables.items()}
    fields = {"files": manifest.files | files, **fields}
    write_manifest(folder, replace(manifest, content_hash="", **fields))
    return folder


def table_of(run: Path, name: str) -> pa.Table:
    return pq.read_table(run / f"{name}.parquet")


def with_column(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    """`table` with other values in one column."""
    place = table.column_names.index(name)
    return table.set_column(place, table.field(place), pa.array(values, table.field(place).type))


def random_dictionary(n_latents: int, d_in: int, seed: int, threshold: float = 0.3) -> Dictionary:
    """Random weights, unit decoder rows, a bias that is not small."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(n_latents, d_in, generator=generator)
    rows = rows / rows.norm(dim=1, keepdim=True)
    return Dictionary(
        W_enc=(rows + 0.1 * torch.randn(n_latents, d_in, generator=generator)).t().contiguous(),
        b_enc=0.1 * torch.randn(n_latents, generator=generator),
        W_dec=rows,
        b_dec=0.5 * torch.randn(d_in, generator=generator) / d_in**0.5,
        threshold=threshold,
    )
