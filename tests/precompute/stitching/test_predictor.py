"""Maximum cosine as a predictor of novelty, on latents whose answer is set by hand."""

from __future__ import annotations

import numpy as np
import pytest

from precompute.stitching.predictor import predictor


def test_a_perfect_cosine_tells_all():
    cosine = np.array([0.1, 0.2, 0.3, 0.8, 0.9])
    found = predictor(cosine, cosine < 0.5, cut=0.7)
    assert found is not None
    assert (found.auc, found.accuracy, found.best_accuracy) == (1, 1, 1)
    assert 0.3 <= found.best_cut < 0.8
    assert found.majority == 0.6


def test_figures_of_an_imperfect_one():
    # novel: .1 .6 .75; reconstruction: .5 .8 .9. Of the nine pairs only (.6, .5) and (.75, .5) are
    # in the wrong order: AUC 7/9. Below .7: .1 .6 right, .5 wrong; above: .75 wrong: 4 of 6
    cosine = np.array([0.1, 0.6, 0.75, 0.5, 0.8, 0.9])
    novel = np.array([1, 1, 1, 0, 0, 0], bool)
    found = predictor(cosine, novel, cut=0.7)
    assert found is not None
    assert found.auc == pytest.approx(7 / 9)
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.best_accuracy == pytest.approx(5 / 6)  # a cut of .75 misses only .5
    assert found.best_cut == pytest.approx(0.75)
    assert found.true_positive[0] == found.false_positive[0] == 0
    assert found.true_positive[-1] == found.false_positive[-1] == 1


def test_cosines_without_information_have_an_auc_of_a_half():
    rng = np.random.default_rng(0)
    found = predictor(rng.uniform(size=4000), rng.uniform(size=4000) < 0.5, cut=0.5)
    assert found is not None
    assert abs(found.auc - 0.5) < 1.5 * found.auc_half_width
    # an AUC of 1/2 over n1 = n0 = 2,000 has a standard error of sqrt((n + 1) / (12 n1 n0)) = .0091
    assert found.auc_half_width == pytest.approx(1.96 * 0.0091, rel=0.02)


@pytest.mark.parametrize("kind", [True, False])
def test_one_kind_alone_has_nothing_to_tell(kind):
    assert predictor(np.array([0.1, 0.9]), np.array([kind, kind]), 0.7) is None
