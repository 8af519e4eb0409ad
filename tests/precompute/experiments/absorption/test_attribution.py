"""Effects of latents on what a model says, where they are known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse

from precompute.experiments.absorption.absorbed import Absorbed
from precompute.experiments.absorption.attribution import (
    effects_on_m,
    path_gradient,
    taken_over,
)
from precompute.experiments.absorption.concepts import Asked, Concept, word_acts
from precompute.experiments.absorption.letters import letter_tokens, spelled
from precompute.experiments.absorption.probes import Probe, SparseProbe
from precompute.experiments.absorption.section import AbsorptionConfig
from precompute.experiments.absorption.spelling import Slopes, candidates, judged, slopes

D, N_LATENTS, N_WORDS = 12, 5, 8
MAIN, OWN, SIDE = 0, 1, 2  # the letter's latent, that of one word, and one that is no letter's
SETTINGS = AbsorptionConfig(words=300)


def test_effects_are_exact_where_the_model_is_linear():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(N_LATENTS, D))
    f = rng.random((N_WORDS, N_LATENTS)) * (rng.random((N_WORDS, N_LATENTS)) > 0.4)
    readout, x = rng.normal(size=D), rng.normal(size=(N_WORDS, D))

    def m(points: torch.Tensor) -> torch.Tensor:
        return points @ torch.from_numpy(readout)

    gradient = path_gradient(m, torch.from_numpy(x), torch.from_numpy(f @ rows), steps=1)
    effects = effects_on_m(sparse.csr_matrix(f), gradient.numpy(), rows).toarray()
    for latent in range(N_LATENTS):  # m without the latent, less m with it
        without = x - f[:, [latent]] * rows[latent]
        np.testing.assert_allclose(effects[:, latent], (without - x) @ readout, atol=1e-12)


def test_six_middles_are_exact_for_a_square():
    # m = |x|^2 along x - t: the gradient is linear in the path, so its middle is its mean
    x = torch.arange(6.0, dtype=torch.float64).reshape(2, 3)
    taken = torch.ones_like(x)
    gradient = path_gradient(lambda p: p.pow(2).sum(1), x, taken, steps=6)
    whole = x.pow(2).sum(1) - (x - taken).pow(2).sum(1)
    assert torch.allclose((gradient * taken).sum(1), whole)


def test_effects_add_up_to_what_the_model_loses(benches):
    """Completeness, within 2 % of the mean change at 6 steps and a tenth of that at 24."""
    bench = benches("gpt2")
    sae = bench.sae("sae-48")
    held = spelled(bench, SETTINGS).held
    acts = word_acts(sae, held.x)
    words = np.arange(len(held.words))
    tokens = letter_tokens(bench.language_model.tokenizer)
    assert tokens is not None
    errors = []
    for steps in (6, 24):
        settings = AbsorptionConfig(words=300, steps=steps)
        found = slopes(bench, sae, held, acts, words, tokens, settings)
        rows = sae.W_dec.double().numpy()
        total = effects_on_m(acts, found.gradient, rows).toarray().sum(1)
        errors.append(np.abs(total - found.change).mean() / np.abs(found.change).mean())
    assert np.abs(found.change).mean() > 1e-3  # there is something to add up
    assert errors[0] < 0.02
    assert errors[1] < max(errors[0] / 4, 1e-4)


def _planted(cosine: float = 0.6, size: float = 4.0) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Decoder rows and activations of two words: one fires the letter's latent, one its own.

    The probe is axis 0; the second word's latent stands at `cosine` to it.
    """
    rows = np.zeros((3, D))
    rows[MAIN, 0] = 1.0
    rows[OWN, :2] = cosine, np.sqrt(1 - cosine**2)
    rows[SIDE, 2] = 1.0
    return rows, sparse.csr_matrix([[size, 0.0, 1.0], [0.0, size, 1.0]])


def _asked() -> Asked:
    says = np.array([True, True])
    known = Probe(np.eye(D)[0], says, 1.0)
    # the k-sparse probe denies the second word, on which its latent is silent
    own = SparseProbe(np.array([MAIN]), [0.67], 1, np.array([True, False]))
    nothing = Absorbed(np.zeros(2, bool), np.zeros(2), np.full(2, -1))
    return Asked(Concept("s", known, own), np.array([0, 1]), nothing)


def test_a_word_whose_own_latent_holds_the_answer_up_is_absorbed():
    # m reads 0.8 of axis 0: without its latent the second word loses 4 * 0.6 * 0.8 = 1.92
    rows, acts = _planted()
    chosen = candidates(_asked(), acts, most=200, seed=0)
    assert chosen.words.tolist() == [1]
    assert (chosen.n_right, chosen.portion) == (2, 1.0)
    found = Slopes(gradient=0.8 * np.eye(D)[[0]], change=np.array([-1.92]))
    (one,) = judged([chosen], found, acts, rows)
    assert one.is_absorbed.tolist() == [True]
    assert one.latent.tolist() == [OWN]
    effects = effects_on_m(sparse.csr_matrix(acts[[1]]), found.gradient, rows).toarray()
    np.testing.assert_allclose(effects, [[0.0, -1.92, 0.0]])


@pytest.mark.parametrize(
    ("effects", "cosines"),
    [
        ([2.0, -0.5], [0.9, 0.9]),
        ([-2.0, -1.5], [0.9, 0.9]),
        ([-2.0, 1.5], [0.9, 0.9]),
        ([-0.9, 0.0], [0.9, 0.9]),
        ([-2.0, 0.1], [0.02, 0.9]),
    ],
    ids=["holds the answer down", "two do it", "another speaks against", "too little", "off"],
)
def test_what_is_no_absorption(effects, cosines):
    found = taken_over(sparse.csr_matrix([effects]), np.array(cosines))
    assert found.is_absorbed.tolist() == [False]


def test_a_word_on_which_nothing_fires_is_not_absorbed():
    found = taken_over(sparse.csr_matrix((1, 4)), np.ones(4))
    assert (found.is_absorbed.tolist(), found.latent.tolist()) == ([False], [-1])


def test_of_many_candidates_some_are_drawn_and_their_share_is_known():
    asked = _asked()
    n = 50
    acts = sparse.csr_matrix(np.tile([0.0, 1.0, 0.0], (n, 1)))
    says = Probe(asked.concept.known.direction, np.ones(n, bool), 1.0)
    own = SparseProbe(np.array([MAIN]), [0.1], 1, np.zeros(n, bool))
    nothing = Absorbed(np.zeros(n, bool), np.zeros(n), np.full(n, -1))
    many = Asked(Concept("s", says, own), np.arange(n), nothing)
    chosen = candidates(many, acts, most=10, seed=0)
    assert len(set(chosen.words.tolist())) == 10
    assert chosen.portion == pytest.approx(0.2)


def test_a_candidate_is_denied_by_the_k_sparse_probe_and_silent_in_every_main_latent():
    # the letter is split over latents 0 and 1; of four words only the last is missed by all
    acts = sparse.csr_matrix([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [0, 0, 1.0]])
    known = Probe(np.eye(D)[0], np.ones(4, bool), 1.0)
    own = SparseProbe(np.array([0, 1, 2]), [0.5, 0.6, 0.6], 2, np.array([1, 0, 1, 0], bool))
    nothing = Absorbed(np.zeros(4, bool), np.zeros(4), np.full(4, -1))
    asked = Asked(Concept("s", known, own), np.arange(4), nothing)
    assert candidates(asked, acts, most=200, seed=0).words.tolist() == [3]
