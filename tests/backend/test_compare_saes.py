"""Whole SAEs side by side: every figure of the planted run worked out by hand."""

from __future__ import annotations

import pytest

from backend.compare_saes import found_in, sae_figures
from backend.store import Run
from tests.planted import META, SMALL, WIDE


def test_one_sae_found_in_another(run: Run) -> None:
    found = found_in(run, WIDE, SMALL)
    assert found is not None
    # the stored figures: 8, 16 and 8 latents around 0.375, 0.625 and 0.875, a quarter similar;
    # 15 of the 31 that fired are novel
    assert (found.n, found.similar_share) == (32, 0.25)
    assert found.mean == pytest.approx(0.625)
    assert found.novel_share == pytest.approx(15 / 31)
    assert found_in(run, "no", SMALL) is None


def test_without_a_histogram_the_stored_neighbours_say_it(run: Run) -> None:
    found = found_in(run, SMALL, WIDE)
    assert found is not None
    # every latent has its nearest at 0.9
    assert (found.n, found.similar_share) == (8, 1.0)
    assert found.mean == pytest.approx(0.9, rel=0.002)
    assert sum(found.counts) == 8
    assert len(found.edges) == len(found.counts) + 1
    assert found.edges[0] - 1e-6 <= found.mean <= found.edges[-1] + 1e-6  # float32
    assert found.novel_share is None  # latents of the smaller SAE are not tested


def test_figures_of_a_whole_sae(run: Run) -> None:
    figures = sae_figures(run, SMALL)
    # 100, 99, ... 93 tokens of 100,000
    assert figures["median_density"] == pytest.approx(96.5e-5)
    assert figures["kinds"] == {"word": 8}
    assert sae_figures(run, META)["kinds"] == {"meaning": 3, "spelling": 1}
