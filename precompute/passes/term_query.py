"""Terms of a whole pass, by DuckDB: the pairs of all shards are added up and scored on disk.

The scores are those of `precompute/terms.py`, worked out in the same order of operations, so that
they are equal to the last bit (`tests/precompute/passes/test_term_query.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from precompute.config import ConfigError
from precompute.counting import Totals
from precompute.terms import MIN_SCORE, TermScores

# one group a pair of all shards; latents and words in `totals` are small beside them
SCORED = """
create temp table scored as
with pairs as (
    select latent, word, sum(n)::bigint as n, sum(units)::bigint as units
    from read_parquet($files)
    where word in (select word from frequent)
    group by latent, word
),
rated as (
    select latent, word, pairs.n,
        pairs.n::double / latents.n::double as precision,
        pairs.units::double / latents.units::double as weighted,
        pairs.n::double / frequent.n::double as recall,
        frequent.n::double / $all_words::double as base_rate
    from pairs join latents using (latent) join frequent using (word)
),
compared as (
    select latent, word, n, precision, recall, precision / base_rate as lift,
        2::double * weighted * recall / (weighted + recall) as score
    from rated
)
select * from compared where score >= $least
"""
BEST_OF_LATENTS = """
select latent, word, score, precision, recall, lift, n from scored
qualify row_number() over (partition by latent order by score desc, word) <= $most
order by latent, score desc, word
"""
BEST_OF_WORDS = """
select latent, word, score, precision, recall, lift, n from scored
qualify row_number() over (partition by word order by score desc, latent) <= $most
order by word, score desc, latent
"""
LATENTS_OF_WORDS = "select word, count(*) as n from scored group by word"


@dataclass(frozen=True)
class BestTerms:
    """The kept pairs that are shown.

    `of_latents` by latent, `of_words` by word, both best first; `n_latents` int64 [n_words] is how
    many pairs a word has before its list is cut.
    """

    of_latents: TermScores
    of_words: TermScores
    n_latents: np.ndarray


@dataclass(frozen=True)
class Limits:
    """How many terms a latent and latents a term may have, and what makes a pair worth keeping."""

    top_terms: int
    latents_per_term: int
    min_term_count: int
    min_score: float = MIN_SCORE


def best_terms(
    files: list[Path], totals: Totals, limits: Limits, memory: int, scratch: Path
) -> BestTerms:
    """Add up, score and rank.

    Args:
        files: Parquet with latent, word, n and units; a pair may stand in many of them.
        totals: of the same shards.
        memory: bytes that may be held; the rest waits in `scratch`.

    Raises:
        ConfigError: the memory is not enough even so.
    """
    try:
        return _best_terms(files, totals, limits, memory, scratch)
    except duckdb.OutOfMemoryException as error:
        raise ConfigError(
            f"{len(totals.count):,} latents on {len(totals.word_total):,} words need more than the "
            f"{memory >> 20} MB that were left to rank them. Give more with --max-memory, or lower "
            "--workers"
        ) from error


def _best_terms(
    files: list[Path], totals: Totals, limits: Limits, memory: int, scratch: Path
) -> BestTerms:
    n_words = len(totals.word_total)
    if not files:
        return BestTerms(_scores(None), _scores(None), np.zeros(n_words, np.int64))
    with _database(memory, scratch) as database:
        _give_totals(database, totals, limits.min_term_count)
        database.execute(
            SCORED,
            {
                "files": [str(file) for file in files],
                "all_words": int(totals.word_total.sum()),
                "least": limits.min_score,
            },
        )
        best_of_latents = _scores(
            database.sql(BEST_OF_LATENTS, params={"most": limits.top_terms}).to_arrow_table()
        )
        best_of_words = _scores(
            database.sql(BEST_OF_WORDS, params={"most": limits.latents_per_term}).to_arrow_table()
        )
        sizes = database.sql(LATENTS_OF_WORDS).fetchnumpy()
    n_latents = np.zeros(n_words, np.int64)
    n_latents[sizes["word"]] = sizes["n"]
    return BestTerms(best_of_latents, best_of_words, n_latents)


@contextmanager
def _database(memory: int, scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    settings = {
        "memory_limit": f"{memory >> 20}MiB",
        "temp_directory": str(scratch),
        "threads": 1,  # several SAEs are finished side by side
        "preserve_insertion_order": False,
    }
    with duckdb.connect(config=settings) as connection:
        yield connection


def _give_totals(database: duckdb.DuckDBPyConnection, totals: Totals, min_term_count: int) -> None:
    frequent = np.flatnonzero(totals.word_total >= max(1, min_term_count))
    tables = {
        "frequent": {"word": frequent.astype(np.int32), "n": totals.word_total[frequent]},
        "latents": {
            "latent": np.arange(len(totals.word_count), dtype=np.int32),
            "n": totals.word_count,
            "units": totals.word_units,
        },
    }
    for name, columns in tables.items():
        database.register(name, pa.table(columns))


def _scores(rows: pa.Table | None) -> TermScores:
    names = ("latent", "word", "score", "precision", "recall", "lift", "n")
    kinds = (np.int64, np.int64, *[np.float64] * 4, np.int64)
    if rows is None:
        return TermScores(*(np.empty(0, kind) for kind in kinds))
    return TermScores(
        *(rows[name].to_numpy().astype(kind) for name, kind in zip(names, kinds, strict=True))
    )
