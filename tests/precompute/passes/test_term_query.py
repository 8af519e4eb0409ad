"""What DuckDB ranks on disk equals what `score_terms` works out in memory, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from precompute.config import ConfigError
from precompute.counting import Totals, WordCounts
from precompute.passes import files
from precompute.passes.plan import Shard
from precompute.passes.sums import summed
from precompute.passes.term_query import Limits, best_terms
from precompute.term_columns import chosen
from precompute.terms import TermScores, score_terms
from precompute.topk import rank_within

N_LATENTS, N_WORDS, N_FILES = 60, 200, 3
UNIT = 2.0**-20
LIMITS = Limits(top_terms=3, latents_per_term=4, min_term_count=6)
MEMORY = 1 << 27


@pytest.fixture(scope="module")
def pairs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latents, words and units of 20,000 firings; few different strengths, so that scores tie."""
    rng = np.random.default_rng(0)
    latents = rng.integers(0, N_LATENTS - 1, 20_000)  # the last one never fires
    words = np.minimum(rng.geometric(0.02, 20_000) + latents, N_WORDS - 1)
    units = rng.integers(1, 4, 20_000) << 40  # sums pass 2^53, where doubles round
    return latents, words, units


@pytest.fixture(scope="module")
def totals(pairs) -> Totals:
    latents, words, units = pairs
    word_units = np.zeros(N_LATENTS, np.int64)
    np.add.at(word_units, latents, units)
    count = np.bincount(latents, minlength=N_LATENTS)
    return Totals(
        tokens_seen=0,
        most_units=0.0,
        count=count,
        units=word_units,
        max_activation=np.ones(N_LATENTS, np.float32),
        word_count=count,
        word_units=word_units,
        word_total=np.bincount(words, minlength=N_WORDS) * 2,
    )


@pytest.fixture(scope="module")
def parts(pairs, tmp_path_factory) -> list[Path]:
    """The firings dealt to three shards, so that most pairs stand in several files."""
    latents, words, units = pairs
    folder, owner = tmp_path_factory.mktemp("parts"), np.arange(len(latents)) % N_FILES
    found = []
    for i in range(N_FILES):
        own = owner == i
        shard = Shard("train", i, i + 1)
        keys = latents[own] * N_WORDS + words[own]
        files.save_pairs(
            folder, shard, 0, summed((keys, np.ones(own.sum(), np.int64), units[own])), N_WORDS
        )
        found.append(folder / f"{shard.name}-pairs-0.parquet")
    return found


@pytest.fixture(scope="module")
def scores(pairs, totals) -> TermScores:
    latents, words, units = pairs
    keys, count, total = summed((latents * N_WORDS + words, np.ones(len(words), np.int64), units))
    latent, word = np.divmod(keys, N_WORDS)
    counts = WordCounts(
        pair_latent=latent,
        pair_word=word,
        pair_count=count,
        pair_sum=total * UNIT,
        word_total=totals.word_total,
        latent_count=totals.word_count,
        latent_sum=totals.word_units * UNIT,
    )
    return score_terms(counts, LIMITS.min_term_count)


def _assert_equal(found: TermScores, expected: TermScores) -> None:
    for name, values in vars(expected).items():
        own = getattr(found, name)
        assert own.dtype == values.dtype, name
        assert np.array_equal(own, values), name


def test_terms_of_latents_and_latents_of_terms_equal_those_in_memory(
    parts, totals, scores, tmp_path
):
    best = best_terms(parts, totals, LIMITS, MEMORY, tmp_path / "scratch")
    assert len(np.unique(scores.score)) < len(scores.score)  # some tie, and are told apart by id
    kept = np.flatnonzero(rank_within(scores.latent) < LIMITS.top_terms)
    _assert_equal(best.of_latents, chosen(scores, kept))
    order = np.lexsort((scores.latent, -scores.score, scores.word))
    order = order[rank_within(scores.word[order]) < LIMITS.latents_per_term]
    _assert_equal(best.of_words, chosen(scores, order))
    assert best.n_latents.tolist() == np.bincount(scores.word, minlength=N_WORDS).tolist()
    assert best.n_latents.max() > LIMITS.latents_per_term  # lists were cut


def test_the_order_of_the_files_does_not_matter(parts, totals, tmp_path):
    one = best_terms(parts, totals, LIMITS, MEMORY, tmp_path / "scratch")
    other = best_terms(parts[::-1], totals, LIMITS, MEMORY, tmp_path / "scratch")
    _assert_equal(other.of_latents, one.of_latents)
    _assert_equal(other.of_words, one.of_words)


def test_without_a_single_pair_every_list_is_empty(totals, tmp_path):
    best = best_terms([], totals, LIMITS, MEMORY, tmp_path / "scratch")
    assert [len(column) for column in vars(best.of_latents).values()] == [0] * 7
    assert best.n_latents.tolist() == [0] * N_WORDS


def test_too_little_memory_is_told_plainly(parts, totals, tmp_path):
    with pytest.raises(ConfigError, match=r"more than the 1 MB that were left.*--max-memory"):
        best_terms(parts, totals, LIMITS, 1 << 20, tmp_path / "scratch")
