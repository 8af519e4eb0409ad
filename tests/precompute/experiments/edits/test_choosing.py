"""What is chosen is what scored best where it was tried."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from precompute.dictionary import Dictionary
from precompute.experiments.edits.choosing import chosen_strengths, chosen_subsets
from precompute.experiments.edits.directions import along
from precompute.experiments.edits.laboratory import Edit, Item, Laboratory
from precompute.experiments.edits.latent_edits import Parts, Subsets
from precompute.experiments.edits.pairs import Pair
from precompute.experiments.edits.scoring import scores

from .conftest import SETTINGS, Planted

HARM = 100 * torch.eye(32)[0]  # one answer to everything, by chance one of the wanted


@pytest.fixture(scope="module")
def lab(planted: Planted) -> Laboratory:
    return Laboratory(planted.bench, planted.sae, planted.table, SETTINGS)


def _swap(lab: Laboratory, pair: Pair) -> torch.Tensor:
    means = lab.scenes.entity_means()
    return means[pair.other] - means[pair.entity]


def test_the_strength_with_the_best_score_is_taken(lab):
    """At 1 everything is swapped (0.5), far beyond nothing is right; of equals the least."""
    found = chosen_strengths(lab, lambda item: along(item.pair, _swap(lab, item.pair)), (300, 2, 1))
    assert found.tried == (1, 2, 300)
    mean = [one.disentangle.mean() for one in found.rehearsed]
    assert mean[0] == 0.5 > mean[2]
    assert set(found.chosen) == {1}


def test_sets_are_chosen_by_their_score_on_the_pair(planted, lab):
    """Sets with meta-latent 0 to remove change nothing (0.5); others make one answer of all."""
    meta = planted.bench.meta_sae()
    own = torch.tensor([1.0, 1, 0, 0, 0, 0, 0, 0])
    parts = [Parts(pair, torch.zeros(32), own, own.flip(0)) for pair in lab.pairs]

    def make(_meta: Dictionary, of: Parts, subsets: Subsets) -> Edit:
        vector = torch.zeros(32) if 0 in subsets[0] else HARM
        return Edit(of.pair, along(of.pair, vector).delta, *subsets)

    chosen = chosen_subsets(lab, meta, parts, make)
    items: list[Item] = lab.items
    assert [edit.pair for edit in chosen] == [item.pair for item in items]
    found = scores(lab.rehearse(chosen), np.array([item.target for item in items])).disentangle
    assert (found >= 0.5).all()
    did_nothing = np.array([0 in edit.removed for edit in chosen])
    assert did_nothing.any()
    assert (found[did_nothing] == 0.5).all()
