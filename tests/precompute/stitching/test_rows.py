"""The stitching tables of a real (tiny) run: what must hold whatever the model is."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise
from typing import Any

import pytest

Row = dict[str, Any]
IDS = ("sae-64", "sae-128", "sae-256")


@pytest.fixture(scope="module")
def by_pair(tiny_rows: dict[str, list[Row]]) -> dict[tuple[str, str], list[Row]]:
    """Rows of `stitching` by pair."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in tiny_rows["stitching"]:
        found.setdefault((row["small_sae_id"], row["large_sae_id"]), []).append(row)
    return found


@pytest.fixture(scope="module")
def curves(tiny_rows: dict[str, list[Row]]) -> dict[tuple[str, str], list[Row]]:
    """Rows of `stitch_curve` by pair, by step."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in tiny_rows["stitch_curve"]:
        found.setdefault((row["small_sae_id"], row["large_sae_id"]), []).append(row)
    return found


def test_every_latent_of_every_larger_sae_is_compared(by_pair, curves):
    assert set(by_pair) == set(combinations(IDS, 2))
    for (_, large), rows in by_pair.items():
        assert [row["latent"] for row in rows] == list(range(int(large.removeprefix("sae-"))))
    assert set(curves) == set(pairwise(IDS))


def test_the_kind_follows_from_the_change(by_pair):
    for rows in by_pair.values():
        for row in rows:
            sign = "novel" if row["delta_mse"] < 0 else "reconstruction"
            assert row["kind"] == ("silent" if row["fired"] == 0 else sign)
            assert row["ci_low"] <= row["delta_mse"] <= row["ci_high"]
            assert 0 <= row["together"] <= row["fired"]
        assert {"novel", "reconstruction"} <= {row["kind"] for row in rows}


def test_the_nearest_latent_is_the_first_neighbour(by_pair, tiny_rows):
    neighbours = {
        (row["sae_id"], row["latent"], row["other_sae_id"]): row
        for row in tiny_rows["neighbours"]
        if row["rank"] == 0
    }
    for (small, large), rows in by_pair.items():
        for row in rows:
            near = neighbours[large, row["latent"], small]
            assert row["nearest_latent"] == near["other_latent"]
            assert row["max_cosine"] == pytest.approx(near["cosine"], abs=2.0**-9)


def test_the_ends_of_a_curve_are_the_two_saes(curves, saes):
    # the curve reads the tokens that the SAEs' own held-out figures come from
    for (small, large), rows in curves.items():
        for sae_id, row in ((small, rows[0]), (large, rows[-1])):
            own = saes[sae_id]
            assert row["variance_explained"] == pytest.approx(
                own["variance_explained_heldout"], abs=1e-5
            )
            assert row["l0"] == pytest.approx(own["l0"], rel=1e-5)
        assert (rows[0]["n_small"], rows[0]["n_large"]) == (saes[small]["n_latents"], 0)
        assert (rows[-1]["n_small"], rows[-1]["n_large"]) == (0, saes[large]["n_latents"])
        assert all(row["effect_low"] <= row["effect"] <= row["effect_high"] for row in rows)
        assert sum(row["refit_variance_explained"] is not None for row in rows) >= 3


def test_inserted_latents_are_the_novel_ones(curves, by_pair):
    for pair, rows in curves.items():
        kinds = Counter(row["kind"] for row in by_pair[pair])
        inserted = max(row["n_large"] for row in rows if row["action"] in ("start", "insert"))
        assert inserted == kinds["novel"]


def test_groups_hold_every_latent_with_a_counterpart_once(tiny_rows, by_pair):
    groups = {
        (row["small_sae_id"], row["large_sae_id"], row["group"]): row
        for row in tiny_rows["swap_groups"]
    }
    for small, large in pairwise(IDS):
        own = [row for key, row in groups.items() if key[:2] == (small, large)]
        members = [latent for row in own for latent in row["large_latents"]]
        assert len(members) == len(set(members))
        assert all(row["mean_cosine"] >= 0.7 and row["small_latents"] for row in own)
        for row in by_pair[small, large]:
            if row["group"] is not None:
                assert row["latent"] in groups[small, large, row["group"]]["large_latents"]
        assert set(members) == {
            row["latent"] for row in by_pair[small, large] if row["group"] is not None
        }


def test_measurements_say_how_good_all_that_is(tiny_rows):
    figures = {
        (row["experiment"], row["subject"], row["setting"], row["metric"]): row
        for row in tiny_rows["measurements"]
    }
    merged = [figures["merged", i, "held-out", "n_latents"]["value"] for i in IDS]
    assert merged[0] == 64 and merged == sorted(merged)
    own = figures["stitching", "sae-64 to sae-128", "effect_own", "effect"]["value"]
    mean = figures["stitching", "sae-64 to sae-128", "effect_mean", "effect"]["value"]
    assert abs(own) < 0.01 * mean  # the model's own activations, but for float16
    for sae_id in IDS[:2]:
        share = figures["splitting", sae_id, "ancestor is a component", "share"]
        assert 0 <= share["ci_low"] <= share["value"] <= share["ci_high"] + 1e-9
        assert 0 <= figures["splitting", sae_id, "ancestor is a component", "chance"]["value"] < 1
