"""A generated run of any size, to see how the app behaves when there are a million latents.

    python benchmarks/large_run.py --out data --latents 1000000 --examples 20

Everything about it is made up, but it has the shape of a real run: words by Zipf's law, a few
components a latent, lists capped as in a real index, keys sorted, the files of the contract. The
tables of directions, controls and curves stay empty. Made by DuckDB in key order, so that it needs
minutes and little memory.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from backend.manifest import CorpusRecord, FileRecord, Manifest  # noqa: E402
from backend.schema import SCHEMA_VERSION, TABLES  # noqa: E402
from benchmarks.large_run_tables import BASIS, STATEMENTS, SYLLABLES, VOCABULARY  # noqa: E402
from precompute.writer import sha256_of, write_manifest  # noqa: E402

WORDS = 100_000
CONTEXTS = 200_000
TOKENS_SEEN = 100_000_000
PER_TERM = 50  # latents kept for a term
BATCH_ROWS = 200_000


@dataclass(frozen=True)
class Sizes:
    """Latents of the large SAE, meta-latents of its meta-SAE, examples of each latent."""

    latents: int
    meta_latents: int
    examples: int


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a generated run.")
    parser.add_argument("--out", type=Path, required=True, help="folder of runs")
    parser.add_argument("--latents", type=int, default=1_000_000, help="of the large SAE")
    parser.add_argument("--examples", type=int, default=20, help="examples of each latent")
    parser.add_argument("--meta-latents", type=int, help="of its meta-SAE; a 21st of the latents")
    options = parser.parse_args()
    n_meta = options.meta_latents or max(16, options.latents // 21)
    write_run(options.out, Sizes(options.latents, n_meta, options.examples))


def write_run(out: Path, sizes: Sizes) -> Path:
    """Write `out/generated-<latents>`, print its tables and return its folder."""
    name = f"generated-{sizes.latents}"
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    connection = duckdb.connect()
    connection.execute(BASIS.format(n=sizes.latents, n_meta=sizes.meta_latents))
    connection.execute("create table syllables as select unnest($s) as s", {"s": SYLLABLES.split()})
    connection.execute(VOCABULARY.format(words=WORDS, contexts=CONTEXTS))
    files = {}
    for table in TABLES:
        sql = STATEMENTS.get(table)
        files[table] = _write(connection, folder, table, sql, sizes)
        print(f"{table:22} {files[table].rows:>12,} rows {files[table].bytes / 1e6:8.1f} MB")
    manifest = write_manifest(folder, _manifest(name, files))
    took = time.perf_counter() - started
    print(f"{folder} ({manifest.short_hash}) in {took:.0f} s")
    return folder


def _write(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    name: str,
    sql: str | None,
    sizes: Sizes,
) -> FileRecord:
    """One table, batch by batch in the order of its key."""
    table = TABLES[name]
    path = folder / f"{name}.parquet"
    n_rows = 0
    with pq.ParquetWriter(path, table.arrow, compression="zstd", compression_level=3) as writer:
        if sql is not None:
            filled = sql.format(
                n=sizes.latents,
                n_meta=sizes.meta_latents,
                n_small=max(16, sizes.latents // 16),
                examples=sizes.examples,
                per_term=PER_TERM,
                words=WORDS,
                contexts=CONTEXTS,
                seen=TOKENS_SEEN,
            )
            counted = connection.sql(f"select count(*) from ({filled})").fetchall()
            group_rows = table.rows_of_a_group(counted[0][0])
            reader = connection.sql(filled).to_arrow_reader(
                max(BATCH_ROWS // group_rows, 1) * group_rows
            )
            for batch in reader:
                rows = pa.Table.from_batches([batch])
                arrays = {
                    column.name: rows[column.name].cast(column.type.arrow)
                    if column.name in rows.column_names
                    else pa.nulls(len(rows), column.type.arrow)
                    for column in table.columns
                }
                rows = pa.Table.from_pydict(arrays, schema=table.arrow)
                writer.write_table(rows, row_group_size=group_rows)
                n_rows += len(rows)
    size, digest = path.stat().st_size, sha256_of(path)
    return FileRecord(path.name, n_rows, size, digest, table.sort_key)


def _manifest(name: str, files: dict[str, FileRecord]) -> Manifest:
    return Manifest(
        schema_version=SCHEMA_VERSION,
        run=name,
        title="Generated, for measuring speed only",
        config='title = "generated"\n',
        model_id="generated",
        model_sha256="0" * 64,
        corpora=(CorpusRecord("generated", "CC0-1.0", CONTEXTS, TOKENS_SEEN, True),),
        seeds={"generator": 0},
        library_versions={"duckdb": duckdb.__version__, "pyarrow": pa.__version__},
        files=files,
    )


if __name__ == "__main__":
    main()
