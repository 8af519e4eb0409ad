"""Examples are exact: compared with a plain loop over contexts."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from precompute import examples
from precompute.activations import Firings
from precompute.config import LatentConfig
from precompute.examples import example_rows

N_CONTEXTS, N_LATENTS, THRESHOLD = 80, 6, 0.25
SILENT, RARE = 5, 4
CONFIG = LatentConfig(top_examples=5, interval_examples=2, random_examples=3)


def _rows(acts: np.ndarray, row_starts: np.ndarray) -> list[dict[str, Any]]:
    row, latent = acts.nonzero()
    firing = Firings(row, latent, acts[row, latent])
    table = example_rows("sae-6", firing, row_starts, N_LATENTS, THRESHOLD, CONFIG)
    return table.to_pylist()


@pytest.fixture(scope="module")
def row_starts() -> np.ndarray:
    lengths = np.random.default_rng(0).integers(1, 30, N_CONTEXTS)
    return np.concatenate([[0], np.cumsum(lengths)])


@pytest.fixture(scope="module")
def acts(row_starts: np.ndarray) -> np.ndarray:
    """Activations [n_rows, 6] above the threshold or 0, in steps of 1/64 so that ties occur."""
    rng = np.random.default_rng(1)
    n = row_starts[-1]
    values = np.round(rng.exponential(1.0, (n, N_LATENTS)) * 64) / 64 + THRESHOLD + 1 / 64
    fires = rng.random((n, N_LATENTS)) < np.array([0.3, 0.2, 0.1, 0.1, 0.0, 0.0])
    fires[10, RARE] = True
    return (values * fires).astype(np.float32)


@pytest.fixture(scope="module")
def rows(acts: np.ndarray, row_starts: np.ndarray) -> list[dict[str, Any]]:
    return _rows(acts, row_starts)


def _grouped(rows: list[dict[str, Any]]) -> dict[tuple[int, str], list[dict[str, Any]]]:
    found = defaultdict(list)
    for row in rows:
        found[row["latent"], row["group"]].append(row)
    return found


def _maxima(acts: np.ndarray, row_starts: np.ndarray, latent: int) -> dict[int, tuple[float, int]]:
    """Strongest activation and its first position in each context where the latent fires."""
    found = {}
    for context in range(N_CONTEXTS):
        own = acts[row_starts[context] : row_starts[context + 1], latent]
        if own.max() > 0:
            found[context] = (float(own.max()), int(own.argmax()))
    return found


def test_top_examples_are_the_strongest_contexts(rows, acts, row_starts):
    grouped = _grouped(rows)
    for latent in range(N_LATENTS):
        best = _maxima(acts, row_starts, latent)
        expected = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
        assert [
            (row["context_id"], (row["activation"], row["position"]))
            for row in grouped[latent, "top"]
        ] == expected[: CONFIG.top_examples]


def test_every_group_shows_a_context_once_by_rank_and_at_its_strongest_token(
    rows, acts, row_starts
):
    for (latent, group), own in _grouped(rows).items():
        best = _maxima(acts, row_starts, latent)
        assert [row["rank"] for row in own] == list(range(len(own))), (latent, group)
        assert len({row["context_id"] for row in own}) == len(own)
        strengths = [row["activation"] for row in own]
        assert strengths == sorted(strengths, reverse=True)
        for row in own:
            assert (row["activation"], row["position"]) == best[row["context_id"]]


def test_intervals_are_equal_widths_from_threshold_to_maximum_highest_first(rows, acts, row_starts):
    grouped = _grouped(rows)
    for latent in range(4):
        best = _maxima(acts, row_starts, latent)
        maximum = max(strength for strength, _ in best.values())
        for number in (1, 2, 3):
            high = THRESHOLD + (maximum - THRESHOLD) * (4 - number) / 3
            low = THRESHOLD + (maximum - THRESHOLD) * (3 - number) / 3
            inside = {c for c, (strength, _) in best.items() if low < strength <= high + 1e-6}
            shown = {row["context_id"] for row in grouped[latent, f"interval {number}"]}
            assert shown <= inside
            assert len(shown) == min(CONFIG.interval_examples, len(inside))


def test_a_latent_that_fires_once_has_that_context_in_top_first_interval_and_random(rows):
    grouped = _grouped(rows)
    groups = {group for latent, group in grouped if latent == RARE}
    assert groups == {"top", "interval 1", "random"}
    assert all(len(grouped[RARE, group]) == 1 for group in groups)


def test_a_silent_latent_has_no_example(rows):
    assert SILENT not in {row["latent"] for row in rows}


def test_every_firing_of_the_context_comes_with_the_example(rows, acts, row_starts):
    for row in rows:
        begin, end = row_starts[row["context_id"]], row_starts[row["context_id"] + 1]
        own = acts[begin:end, row["latent"]]
        assert row["positions"] == own.nonzero()[0].tolist()
        np.testing.assert_allclose(row["activations"], own[own > 0], rtol=1e-3)  # float16 steps


def test_a_random_draw_follows_latent_and_context_not_the_order_of_firings(acts, row_starts, rows):
    row, latent = acts.nonzero()
    order = np.random.default_rng(2).permutation(len(row))
    shuffled = Firings(row[order], latent[order], acts[row, latent][order])
    again = example_rows("sae-6", shuffled, row_starts, N_LATENTS, THRESHOLD, CONFIG).to_pylist()
    names = ("latent", "group", "rank", "context_id", "position", "activation")
    assert [[r[name] for name in names] for r in again] == [
        [r[name] for name in names] for r in rows
    ]


def test_a_random_draw_of_one_latent_does_not_depend_on_the_others(acts, row_starts, rows):
    without = acts.copy()
    without[:, 0] = 0
    drawn, alone = _grouped(rows), _grouped(_rows(without, row_starts))
    assert (0, "random") not in alone
    for latent in range(1, 4):
        assert alone[latent, "random"] == drawn[latent, "random"]


def test_random_draws_differ_between_latents_and_spread_over_contexts():
    row_starts = np.arange(N_CONTEXTS + 1)
    everywhere = np.ones((N_CONTEXTS, N_LATENTS), np.float32)
    grouped = _grouped(_rows(everywhere, row_starts))
    draws = [
        {row["context_id"] for row in grouped[latent, "random"]} for latent in range(N_LATENTS)
    ]
    assert all(len(draw) == 3 for draw in draws)
    assert len({frozenset(draw) for draw in draws}) == N_LATENTS
    assert len(set.union(*draws)) > 12  # of 18 drawn from 80; drawn alike it would be 3


def test_without_any_firing_the_table_is_empty(row_starts):
    assert _rows(np.zeros((row_starts[-1], N_LATENTS), np.float32), row_starts) == []


@pytest.mark.parametrize("at_once", [1, 300, 1000])
def test_made_for_a_few_latents_at_a_time_the_rows_are_the_same(
    at_once, acts, row_starts, rows, monkeypatch
):
    """A latent here has up to 350 firings: 1 makes each on its own, 300 some together."""
    monkeypatch.setattr(examples, "FIRINGS_AT_ONCE", at_once)
    assert _rows(acts, row_starts) == rows
