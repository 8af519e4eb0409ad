"""Absorption where it was planted: a letter's latent is silent where a word's own carries it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import sparse

from precompute.dictionary import Dictionary
from precompute.experiments.absorption.absorbed import absorbed
from precompute.experiments.absorption.concepts import (
    asked_of,
    known_concepts,
    probed,
    word_acts,
)
from precompute.experiments.absorption.probes import n_split, sparse_probe
from precompute.experiments.absorption.section import AbsorptionConfig
from precompute.experiments.absorption.words import Word, WordActivations

D, N_EACH, LETTERS = 64, 60, "abst"
MAIN = {letter: place for place, letter in enumerate(LETTERS)}  # latent of each letter
SHORT = len(LETTERS)  # the latent of the word that absorbs "s"


def _axis(place: int) -> np.ndarray:
    return np.eye(D)[place]


def _planted() -> tuple[WordActivations, Dictionary, np.ndarray]:
    """Words are a letter's axis and noise; some words with s also have an axis of their own.

    The SAE has a latent for each letter that fires on its words, but not on those of `SHORT`,
    whose latent points half along the letter.
    """
    rng = np.random.default_rng(0)
    letters = np.repeat(list(LETTERS), N_EACH)
    x = np.stack([_axis(MAIN[letter]) for letter in letters]) * 2.0
    is_short = (letters == "s") & (np.arange(len(letters)) % 3 == 0)
    x[is_short] += 2.0 * _axis(20)
    x += 0.02 * rng.normal(size=x.shape)
    decoder = np.zeros((SHORT + 1, D))
    encoder, bias = np.zeros((D, SHORT + 1)), np.full(SHORT + 1, -1.0)
    for place in MAIN.values():
        decoder[place] = encoder[:, place] = _axis(place)
    encoder[20, MAIN["s"]] = -10.0  # silent where the word's own latent fires
    decoder[SHORT] = (_axis(MAIN["s"]) + _axis(20)) / np.sqrt(2)
    encoder[20, SHORT] = 2.0
    tensors = [torch.from_numpy(a).float() for a in (encoder, bias, decoder, np.zeros(D))]
    words = tuple(Word(f"{letter}ord", np.array([0]), 0) for letter in letters)
    is_test = np.arange(len(letters)) % 2 == 0
    places = np.zeros(len(words), np.int64)
    held = WordActivations(words, places, torch.from_numpy(x).float(), letters, is_test)
    return held, Dictionary(*tensors, threshold=0.0), is_short


@pytest.fixture(scope="module")
def planted() -> tuple[WordActivations, Dictionary, np.ndarray]:
    return _planted()


def test_the_planted_words_are_absorbed_and_no_others(planted):
    held, sae, is_short = planted
    acts = word_acts(sae, held.x)
    settings = AbsorptionConfig(least_test_words=10)
    concepts = known_concepts(held, acts, probed(held, settings), settings)
    assert [one.label for one in concepts] == list(LETTERS)
    for one in asked_of(held, acts, concepts, sae):
        letter = one.concept.label
        assert one.concept.known.f1 == 1.0
        assert one.concept.sparse.latents[0] == MAIN[letter]
        if letter == "s":  # its second latent fires where the first is silent: split, not absorbed
            assert one.concept.sparse.main.tolist() == [MAIN["s"], SHORT]
        cosines = sae.W_dec.double().numpy() @ one.concept.known.direction
        of_letter = sparse.csr_matrix(acts[one.words])
        whole = held.x[one.words].double().numpy() @ one.concept.known.direction
        found = absorbed(of_letter, whole, cosines, np.array([MAIN[letter]]))
        planted_here = is_short[one.words] & (letter == "s")
        assert found.is_full.tolist() == planted_here.tolist()
        assert (found.absorber[planted_here] == SHORT).all()
        assert (found.fraction[planted_here] == 1).all()  # the main latent carries nothing
        assert (found.fraction[~planted_here] == 0).all()


def test_what_the_main_latent_still_carries_lowers_the_fraction():
    # a = 1; the main latent carries 0.25, the other 0.75 of it: 0.75 / (0.75 + 0.25)
    acts = sparse.csr_matrix([[0.25, 0.75]])
    found = absorbed(acts, np.array([1.0]), np.array([1.0, 1.0]), np.array([0]))
    assert found.fraction[0] == pytest.approx(0.75)
    assert not found.is_full[0]  # the main latent is not silent


@pytest.mark.parametrize(
    ("contribution", "cosine"),
    [(0.39, 1.0), (0.8, 0.02), (-0.8, 1.0)],
    ids=["too little", "hardly along the letter", "against it"],
)
def test_what_is_no_absorption(contribution, cosine):
    acts = sparse.csr_matrix([[0.0, contribution / cosine]])
    found = absorbed(acts, np.array([1.0]), np.array([1.0, cosine]), np.array([0]))
    assert not found.is_full[0]


def test_words_without_anything_to_rebuild_are_not_absorbed():
    acts = sparse.csr_matrix([[0.0, 1.0], [0.0, 0.0]])
    found = absorbed(acts, np.array([-1.0, 1.0]), np.array([1.0, 1.0]), np.array([0]))
    assert found.is_full.tolist() == [False, False]
    assert found.absorber.tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("f1", "n"), [([], 0), ([0.5], 1), ([0.5, 0.52], 1), ([0.5, 0.54, 0.6, 0.62], 3)]
)
def test_a_letter_is_split_while_one_more_latent_helps(f1, n):
    assert n_split(f1) == n


def test_a_letter_over_two_latents_is_split_in_two():
    # half of the words fire one latent, half the other: each alone misses half
    rng = np.random.default_rng(1)
    is_letter = np.arange(400) % 4 < 2
    acts = np.zeros((400, 6))
    acts[np.arange(400) % 4 == 0, 3] = 1.0
    acts[np.arange(400) % 4 == 1, 5] = 1.0
    acts[:, 0] = rng.random(400)
    is_test = np.arange(400) % 8 < 4
    found = sparse_probe(sparse.csr_matrix(acts), is_letter, is_test)
    assert found.n_main == 2
    assert set(found.main.tolist()) == {3, 5}
    assert found.f1[1] == 1.0
    assert found.says.tolist() == is_letter.tolist()  # with both latents, word by word


def test_the_scale_of_activations_does_not_choose_the_latents():
    # latent 0 fires on every word of the letter, latent 1 loudly on two of them
    is_letter = np.arange(200) % 2 == 0
    acts = np.zeros((200, 2))
    acts[is_letter, 0] = 1.0
    acts[[0, 4], 1] = 30.0
    is_test = np.arange(200) % 10 > 6
    for scale in (0.01, 1.0, 100.0):
        found = sparse_probe(sparse.csr_matrix(scale * acts), is_letter, is_test)
        assert found.latents[0] == 0
        assert found.n_main == 1
