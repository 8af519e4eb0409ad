"""Each question gets the planted answer, and nonsense gets an empty one."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

from backend import queries
from backend.latent import Latent, TermScore, TokenLogit
from backend.records import column
from backend.schema import EXAMPLE_GROUPS
from backend.store import Run
from tests import experimented, stitched, trusted
from tests.planted import DEAD, DENSE, META, NO_COMPONENT, SMALL, WIDE

EINSTEIN, BERLIN = 0, 1

NO_INDEX: list[Any] = [-1, 32, 2**31, 2**63, 10**40, "1", "abc", None, 1.0, math.nan, True, [1]]
NO_SAE: list[Any] = ["", "sae-99", "sae-32' or '1'='1", "x" * 10_000, "a\x00b", "\ud800", None, 7]


def the_latent(run: Run, sae_id: str, latent: int) -> Latent:
    found = queries.latent(run, sae_id, latent)
    assert found is not None
    return found


def test_saes_come_small_to_wide_then_meta(run: Run) -> None:
    assert column(queries.saes(run), "sae_id") == [SMALL, WIDE, META]


def test_only_the_wide_sae_has_a_meta_sae(run: Run) -> None:
    assert queries.meta_sae_of(run, WIDE) == META
    assert queries.meta_sae_of(run, SMALL) is None
    assert queries.meta_sae_of(run, META) is None


def test_latent_is_the_typed_row(run: Run) -> None:
    einstein = the_latent(run, WIDE, EINSTEIN)
    assert (einstein.label, einstein.count, einstein.n_components) == ("einstein", 100, 3)
    assert einstein.density == 100 / 100_000
    assert einstein.histogram_edges == (0, 1, 2)
    assert sum(einstein.histogram_counts) == einstein.count
    [term] = einstein.top_terms
    assert isinstance(term, TermScore)
    assert term.precision == 1.0
    assert einstein.promoted[1] == TokenLogit("##s", 1.0)
    assert einstein.suppressed == (TokenLogit("<b>no</b>", -1.5),)


def test_numpy_index_from_a_frame_is_an_index(run: Run) -> None:
    assert the_latent(run, WIDE, np.int32(BERLIN)).label == "berlin"  # pyright: ignore


def test_dead_dense_lonely_and_undecomposed_say_so(run: Run) -> None:
    dead, dense = the_latent(run, WIDE, DEAD), the_latent(run, WIDE, DENSE)
    assert dead.is_dead
    assert not dead.is_dense
    assert dead.density == 0
    assert dead.histogram_edges == dead.top_terms == ()
    assert dead.label_score is None
    assert dense.is_dense  # 60,000 of 100,000 tokens
    assert not the_latent(run, WIDE, EINSTEIN).is_dense
    lonely = the_latent(run, WIDE, NO_COMPONENT)
    assert lonely.has_meta_sae
    assert lonely.n_components == 0
    assert not the_latent(run, SMALL, 0).has_meta_sae


def test_density_of_no_tokens_is_zero_not_an_error(run: Run) -> None:
    values = {**vars(the_latent(run, WIDE, DEAD)), "tokens_seen": 0}
    assert Latent(**values).density == 0


def test_examples_come_in_group_order_with_their_text(run: Run) -> None:
    rows = queries.examples(run, WIDE, BERLIN)
    assert column(rows, "group") == ["top"] * 3 + list(EXAMPLE_GROUPS[1:])
    assert column(rows, "rank") == [0, 1, 2, 0, 0, 0, 0]
    first = rows[0]
    start, end = first["token_starts"][first["position"]], first["token_ends"][first["position"]]
    assert first["text"][start:end] == "berlin"
    assert list(first["positions"]) == [0, 2]
    assert list(first["activations"]) == [1, 2]


def test_offsets_count_characters_and_pieces_may_overlap(run: Run) -> None:
    row = queries.examples(run, WIDE, BERLIN)[2]
    spans = list(zip(row["token_starts"], row["token_ends"], strict=True))
    pieces = " ".join(row["text"][start:end] for start, end in spans)
    assert pieces == "Röntgen naïvely visited 東京 with 🙂 🙂 and left ."


def test_dead_latent_has_no_example(run: Run) -> None:
    assert not queries.examples(run, WIDE, DEAD)


def test_neighbours_own_sae_first_then_others_by_width(run: Run) -> None:
    rows = queries.neighbours(run, SMALL, 3)
    assert column(rows, "other_sae_id") == [SMALL] * 3 + [WIDE] * 3 + [META] * 3
    assert column(rows, "rank") == [0, 1, 2] * 3
    assert column(rows, "cosine")[:3] == pytest.approx([0.9, 0.7, 0.5], rel=2e-3)
    assert column(rows, "label")[:2] == ["paris", "eagle"]  # 4 and 5 of the small SAE
    assert column(rows, "kind") == ["sae"] * 6 + ["meta"] * 3


def test_random_latent_is_alive_and_fixed_by_its_seed(run: Run) -> None:
    chosen = [queries.random_latent(run, WIDE, seed) for seed in range(300)]
    assert set(chosen) == set(range(32)) - {DEAD}
    assert chosen[:5] == [queries.random_latent(run, WIDE, seed) for seed in range(5)]
    assert queries.random_latent(run, "sae-99", 0) is None


def test_random_latents_are_drawn_evenly_however_they_are_counted(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the n-th of those that fire, in order, where n is drawn with the seed: blocks change nothing
    alive = [latent for latent in range(32) if latent != DEAD]
    expected = [alive[random.Random(seed).randrange(len(alive))] for seed in range(60)]
    for size in (1, 5, 4096):
        monkeypatch.setattr(queries, "BLOCK_LATENTS", size)
        assert [queries.random_latent(run, WIDE, seed) for seed in range(60)] == expected


def test_adjacent_latents_end_at_the_ends(run: Run) -> None:
    assert queries.adjacent_latents(run, WIDE, 0) == (None, 1)
    assert queries.adjacent_latents(run, WIDE, 15) == (14, 16)
    assert queries.adjacent_latents(run, WIDE, 31) == (30, None)
    assert queries.adjacent_latents(run, META, 3) == (2, None)


def test_measurements_all_or_of_one_experiment(run: Run) -> None:
    assert len(queries.measurements(run)) == 3 + len(
        [
            *stitched.measurement_rows(),
            *trusted.measurement_rows(),
            *experimented.measurement_rows(),
        ]
    )
    rows = queries.measurements(run, "meta_sae")
    assert column(rows, "setting") == ["all rows", "gaussian null"]
    assert not queries.measurements(run, "nothing")


def test_answers_that_are_remembered_cannot_be_spoilt(run: Run) -> None:
    queries.saes(run)[0]["spoilt"] = 1
    assert "spoilt" not in queries.saes(run)[0]
    queries.totals(run).clear()
    assert queries.totals(run)["n_saes"] == 2


def test_totals_count_the_planted_run(run: Run) -> None:
    totals = queries.totals(run)
    assert (totals["n_saes"], totals["n_meta_saes"]) == (2, 1)
    assert (totals["n_latents"], totals["n_meta_latents"]) == (8 + 32, 4)
    assert totals["n_dead"] == 1
    assert totals["n_decomposed"] == 31  # all of sae-32 but the lonely one
    assert totals["n_components"] == 46
    assert totals["tokens_seen"] == 100_000  # not the 32 decoder rows that meta-latents have seen


@pytest.mark.parametrize("latent", NO_INDEX, ids=repr)
def test_an_index_that_cannot_be_one_finds_nothing(run: Run, latent: Any) -> None:
    assert queries.latent(run, WIDE, latent) is None
    for rows in (
        queries.components(run, META, latent),
        queries.members(run, META, latent),
        queries.member_terms(run, META, latent),
        queries.member_examples(run, META, latent),
        queries.examples(run, WIDE, latent),
        queries.neighbours(run, WIDE, latent),
        queries.decomposition_graph(run, META, latent).nodes,
    ):
        assert rows == []


@pytest.mark.parametrize("sae_id", NO_SAE, ids=lambda value: repr(value)[:20])
def test_an_unknown_sae_finds_nothing(run: Run, sae_id: Any) -> None:
    assert queries.latent(run, sae_id, 0) is None
    assert queries.meta_sae_of(run, sae_id) is None
    assert queries.random_latent(run, sae_id, 0) is None
    assert queries.adjacent_latents(run, sae_id, 0) == (None, None)
    assert not queries.components(run, sae_id, 0)
    assert not queries.members(run, sae_id, 0)
    assert not queries.examples(run, sae_id, 0)
    assert not queries.neighbours(run, sae_id, 0)
