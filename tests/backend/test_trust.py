"""What the Trust page and a latent's page ask of the planted run."""

from __future__ import annotations

import duckdb
import pytest

from backend import trust
from backend.store import Run
from tests.planted import NO_COMPONENT, SMALL, WIDE
from tests.trusted import CONTROLS, HISTOGRAMS, OTHER_METHODS

NOT_A_LATENT = [-1, 2**40, None, "0", 1.5]


def test_figures_come_by_experiment_and_others_stay_away(run: Run) -> None:
    found = trust.figures(run)
    assert set(found) <= set(trust.EXPERIMENTS)
    assert "stitching" not in found
    # three figures a subject: held out, in sample, between seeds
    assert len(found["controls"]) == 3 * len(CONTROLS)
    assert {row["experiment"] for row in found["k"]} == {"k"}


def test_histograms_hold_their_lists(run: Run) -> None:
    rows = trust.cosine_histograms(run)
    assert {(row["from_id"], row["to_id"]) for row in rows} == set(HISTOGRAMS)
    for row in rows:
        assert len(row["edges"]) == len(row["counts"]) + 1
        assert sum(row["counts"]) == row["n"]


def test_other_decompositions_of_one_latent_by_method_and_rank(run: Run) -> None:
    rows = trust.other_decompositions(run, WIDE, 3)
    assert [(row["method"], row["rank"]) for row in rows] == [
        (method, rank) for method in sorted(OTHER_METHODS) for rank in (0, 1)
    ]
    first = next(row for row in rows if row["part_sae_id"])
    assert (first["method"], first["part_sae_id"], first["part"]) == (
        f"pursuit on {SMALL}",
        SMALL,
        3,
    )
    assert first["label"] == "scientist"  # of the latent itself, not what the stage had written
    assert trust.other_decompositions(run, WIDE, NO_COMPONENT) == []


@pytest.mark.parametrize(
    ("latent", "chain"),
    [
        (3, [(SMALL, 3, "scientist", 0.99)]),
        (11, [(SMALL, 3, "scientist", 0.75)]),
        (20, [(SMALL, 4, "paris", 0.32)]),  # below 0.7: where the chain ends
    ],
)
def test_ancestors_go_down_to_the_smallest_sae(
    run: Run, latent: int, chain: list[tuple[str, int, str, float]]
) -> None:
    found = trust.ancestors(run, WIDE, latent)
    assert [(row["sae_id"], row["latent"], row["label"]) for row in found] == [
        step[:3] for step in chain
    ]
    assert [row["cosine"] for row in found] == pytest.approx([step[3] for step in chain])


def test_a_chain_goes_through_every_size_and_ends_below_the_cosine(run: Run) -> None:
    """Sizes 4, 3, 2, 1: the second link is weak, so nothing is asked of the smallest."""
    connection = duckdb.connect()
    connection.execute(
        "create table links as from (values ('c', 'd', 0, 7, 0.9), "
        "('b', 'c', 7, 3, 0.69), ('a', 'b', 3, 1, 0.99)) "
        "t(small_sae_id, large_sae_id, latent, nearest_latent, max_cosine);"
        "create table latent_facts as from (values ('c', 7, 'seven'), ('b', 3, 'three'), "
        "('a', 1, 'one'), ('a', 5, 'five')) t(sae_id, latent, label)"
    )
    sizes = Run(run.folder, run.manifest, connection)
    found = trust.ancestors(sizes, "d", 0)
    assert [(row["sae_id"], row["label"]) for row in found] == [("c", "seven"), ("b", "three")]
    assert [row["label"] for row in trust.ancestors(sizes, "b", 3)] == ["one"]
    sizes.close()


def test_the_smallest_sae_and_a_meta_sae_have_no_ancestors(run: Run) -> None:
    assert trust.ancestors(run, SMALL, 0) == []
    assert trust.ancestors(run, "meta-4", 0) == []
    assert trust.ancestors(run, "' or 1=1 --", 0) == []


@pytest.mark.parametrize("latent", NOT_A_LATENT)
def test_latents_that_cannot_be_have_no_rows(run: Run, latent: int) -> None:
    assert trust.other_decompositions(run, WIDE, latent) == []
    assert trust.ancestors(run, WIDE, latent) == []
