"""What the layout of a run buys: sorted tables against unsorted ones and against text scans.

    python benchmarks/layout.py [--run data/minilm] [--latents 49152 --examples 100]

Without --run a run is generated in a temporary folder. Its tables are then written once more with
the same rows in random order and DuckDB's own row groups, compressed alike: what one gets without
thinking about order. DuckDB is opened on both in the same way (two threads, metadata kept), and
both are asked the same questions in turn and must answer the same:

- a term's latents: the row of one word in the index of words;
- a latent's examples, with their texts;
- a meta-latent's members.

For the first, two more baselines, on the sorted files: LIKE over all terms of the index, and, for a
viewer without an index, LIKE over all texts and a count of the latents whose examples they are.
That answers a weaker question (texts that contain the letters) and is timed only.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.large_run import Sizes, write_run  # noqa: E402
from benchmarks.turns import machine, ratio, take_turns  # noqa: E402

ASKED_TABLES = ("terms", "examples", "contexts", "members")
THREADS = 2  # as the app has
Answer = list[tuple[Any, ...]]
TERM = """
select term, latents from terms where sae_id = $sae and "index" = 'fires' and term = $term
"""
LIKE_TERMS = """
select term, latents from terms where sae_id = $sae and "index" = 'fires' and term like $pattern
"""
LIKE_TEXT = """
select e.latent, count(*) as n from contexts c join examples e using (context_id)
where c.text like $pattern and e.sae_id = $sae group by e.latent order by n desc limit 20
"""
EXAMPLES = """
select e."group", e.rank, e.position, e.activation, e.positions, e.activations, c.text,
    c.token_starts, c.token_ends
from examples e join contexts c using (context_id)
where e.sae_id = $sae and e.latent = $latent order by e."group", e.rank
"""
MEMBERS = """
select latent, activation, share from members
where meta_sae_id = $meta_sae and meta_latent = $meta_latent order by activation desc, latent
"""


@dataclass(frozen=True)
class Question:
    """One question, its SQL, the scans that also answer it, and what is asked each time."""

    name: str
    sql: str
    scans: dict[str, str]
    parameters: list[dict[str, Any]]


def shuffled_copy(run: Path, folder: Path) -> None:
    """Write the asked tables to `folder`, rows in random order, row groups as DuckDB has them."""
    connection = duckdb.connect()
    for table in ASKED_TABLES:
        source = run / f"{table}.parquet"
        connection.execute(
            f"copy (select * exclude (file_row_number) "
            f"from read_parquet('{source}', file_row_number = true) "
            f"order by hash(file_row_number)) "
            f"to '{folder / source.name}' (format parquet, compression zstd)"
        )
    connection.close()


def opened(folder: Path) -> duckdb.DuckDBPyConnection:
    """Views over the asked tables."""
    connection = duckdb.connect(config={"threads": THREADS})
    connection.execute("set parquet_metadata_cache = true")
    for table in ASKED_TABLES:
        file = folder / f"{table}.parquet"
        connection.execute(f"create view {table} as select * from read_parquet('{file}')")
    return connection


def drawn_questions(run: Path, n: int) -> list[Question]:
    """`n` of each kind: words, latents and meta-latents drawn at random from the run."""
    connection = opened(run)

    def rows(sql: str) -> Answer:
        return connection.execute(sql).fetchall()

    draw = random.Random(0)
    terms = rows(
        """
        select sae_id, term from terms where "index" = 'fires' and
        regexp_full_match(term, '[a-z]{4,}') order by hash(term) limit 1000
        """
    )
    latents = rows("select distinct sae_id, latent from examples order by hash(latent) limit 1000")
    metas = rows("select distinct meta_sae_id, meta_latent from members order by all limit 100000")
    connection.close()
    words = [draw.choice(terms) for _ in range(n)]
    shown = [draw.choice(latents) for _ in range(n)]
    parts = [draw.choice(metas) for _ in range(n)]
    return [
        Question(
            "a term's latents",
            TERM,
            {"LIKE over the terms": LIKE_TERMS, "LIKE over the texts": LIKE_TEXT},
            [{"sae": sae, "term": term, "pattern": f"%{term}%"} for sae, term in words],
        ),
        Question(
            "a latent's examples",
            EXAMPLES,
            {},
            [{"sae": s, "latent": latent} for s, latent in shown],
        ),
        Question(
            "a meta-latent's members",
            MEMBERS,
            {},
            [{"meta_sae": sae, "meta_latent": meta} for sae, meta in parts],
        ),
    ]


def ask(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any]
) -> tuple[float, Answer]:
    """Seconds until all rows are there, and the rows."""
    used = {name: value for name, value in parameters.items() if f"${name}" in sql}
    started = time.perf_counter()
    found = connection.execute(sql, used).fetchall()
    return time.perf_counter() - started, found


def measure(question: Question, layouts: dict[str, duckdb.DuckDBPyConnection]) -> None:
    """Print the rows of one question.

    Raises:
        AssertionError: the layouts answer differently.
    """
    ways = {name: (connection, question.sql) for name, connection in layouts.items()}
    ways |= {name: (layouts["sorted"], sql) for name, sql in question.scans.items()}
    answers: dict[tuple[str, int], Answer] = {}

    def timed(name: str, number: int) -> float:
        seconds, answers[name, number] = ask(*ways[name], question.parameters[number])
        return seconds

    for connection, sql in ways.values():
        ask(connection, sql, question.parameters[0])  # the first opens the files
    n = len(question.parameters)
    figures = take_turns({name: partial(timed, name) for name in ways}, n)
    for number in range(n):
        same = answers["sorted", number] == answers["unsorted", number]
        assert same, f"{question.name}: {question.parameters[number]}"
    for name, seconds in figures.items():
        p50, p95 = 1000 * np.percentile(seconds, [50, 95])
        share = "" if name == "sorted" else str(ratio(seconds, figures["sorted"]))
        print(f"{question.name:24} {name:20} {n:4} {p50:8.1f} {p95:8.1f}  {share}", flush=True)


def compare(run: Path, n: int) -> None:
    """Write the shuffled copy, ask everything of both, print the table."""
    with tempfile.TemporaryDirectory() as temporary:
        shuffled = Path(temporary)
        shuffled_copy(run, shuffled)
        connections = {"sorted": opened(run), "unsorted": opened(shuffled)}
        for table in ASKED_TABLES:
            (rows,) = connections["sorted"].execute(f"select count(*) from {table}").fetchall()
            sizes = [(x / f"{table}.parquet").stat().st_size / 1e6 for x in (run, shuffled)]
            megabytes = f"sorted {sizes[0]:6.1f} MB, unsorted {sizes[1]:6.1f} MB"
            print(f"{table:9} {rows[0]:>10,} rows, {megabytes}")
        head = f"{'question':24} {'way':20} {'n':>4} {'p50 ms':>8} {'p95 ms':>8}"
        print(f"\n{head}  it / sorted [95 %]")
        for question in drawn_questions(run, n):
            measure(question, connections)
        for connection in connections.values():
            connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, help="folder of a run; without it one is generated")
    parser.add_argument("--latents", type=int, default=49_152, help="of the generated run")
    parser.add_argument("--meta-latents", type=int, default=2_304)
    parser.add_argument("--examples", type=int, default=100, help="of each latent")
    parser.add_argument("--questions", type=int, default=40, help="of each kind")
    options = parser.parse_args()
    print(machine())
    if options.run is not None:
        compare(options.run.resolve(), options.questions)
        return
    with tempfile.TemporaryDirectory() as temporary:
        sizes = Sizes(options.latents, options.meta_latents, options.examples)
        compare(write_run(Path(temporary), sizes), options.questions)


if __name__ == "__main__":
    main()
