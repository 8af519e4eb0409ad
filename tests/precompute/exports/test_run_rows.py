"""Rows about some latents: the right ones, and no other row group is touched."""

from __future__ import annotations

import duckdb
import pyarrow.parquet as pq
import pytest

from precompute.exports.run_rows import LatentRows
from tests.planted import META, SMALL, WIDE


@pytest.fixture(scope="module")
def run(tmp_path_factory, fixture_run):
    """The planted run's examples in groups of 7 rows, so that SAEs share groups."""
    folder = tmp_path_factory.mktemp("rows")
    table = pq.read_table(fixture_run / "examples.parquet")
    pq.write_table(table, folder / "examples.parquet", row_group_size=7, use_dictionary=False)
    return folder


@pytest.mark.parametrize("sae_id", [SMALL, WIDE, META])
@pytest.mark.parametrize(("first", "end"), [(0, 1), (0, 32), (5, 9), (28, 29), (31, 99)])
def test_rows_of_a_range_are_those_that_a_query_finds(run, sae_id, first, end):
    found = LatentRows(run, "examples", sae_id, ("group", "rank")).between(first, end)
    expected = (
        duckdb.connect()
        .execute(
            f"""select sae_id, latent, "group", rank from '{run / "examples.parquet"}'
        where sae_id = '{sae_id}' and latent >= {first} and latent < {end}"""
        )
        .fetchall()
    )
    assert [tuple(row.values()) for row in found.to_pylist()] == expected


def test_groups_without_the_wanted_latents_are_not_read(run, tmp_path):
    """The data of all groups but those of latent 20 is destroyed, and nobody notices."""
    path = tmp_path / "examples.parquet"
    content = bytearray((run / "examples.parquet").read_bytes())
    metadata = pq.ParquetFile(run / "examples.parquet").metadata
    leaves = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    n_spoiled = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        sae, latent = (group.column(leaves.index(n)).statistics for n in ("sae_id", "latent"))
        if sae.min <= WIDE <= sae.max and latent.min <= 20 <= latent.max:
            continue
        n_spoiled += 1
        for column in range(group.num_columns):
            chunk = group.column(column)
            start = chunk.data_page_offset
            content[start : start + chunk.total_compressed_size] = bytes(
                chunk.total_compressed_size
            )
    path.write_bytes(content)
    assert n_spoiled > metadata.num_row_groups // 2
    expected = LatentRows(run, "examples", WIDE, ("positions",)).between(20, 21)
    found = LatentRows(tmp_path, "examples", WIDE, ("positions",))
    assert found.between(20, 21) == expected
    assert expected.num_rows == 7
    with pytest.raises(OSError):
        found.between(0, 32)
