"""What an edit of a latent, or of its meta-latents, adds to the activations."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch

from precompute.dictionary import Dictionary
from precompute.experiments.edits.laboratory import Laboratory, without_error
from precompute.experiments.edits.latent_edits import (
    Parts,
    as_code,
    as_text,
    row_edit,
    subset_pairs,
    whole_latent,
)
from precompute.experiments.edits.pairs import Pair
from precompute.experiments.edits.questions import JUDGING

from .conftest import SETTINGS, Planted

PAIR = Pair(0, 1, (0, 1))


@pytest.fixture(scope="module")
def lab(planted: Planted) -> Laboratory:
    return Laboratory(planted.bench, planted.sae, planted.table, SETTINGS)


@pytest.fixture
def scene(lab):
    return lab.scenes.at(PAIR.entity, 0, JUDGING)


def _parts() -> tuple[Dictionary, Parts]:
    """Meta-latents are the four axes; the entity has 0 and 1, the other 1 (stronger) and 3."""
    meta = Dictionary(torch.eye(4), torch.zeros(4), torch.eye(4), torch.zeros(4), 0.0)
    row = torch.tensor([0.8, 0.6, 0.0, 0.0])
    own, other = torch.tensor([0.8, 0.6, 0, 0]), torch.tensor([0, 0.8, 0, 0.6])
    return meta, Parts(PAIR, row, own, other)


class _Active:
    """Stands where a scene does for edits of a row: active with 2 at the second of three tokens."""

    own = torch.tensor([0.0, 2.0, 0.0])


def test_the_entitys_latent_goes_off_and_the_others_on(lab, scene):
    """By hand: what the SAE writes for the entity is taken, and row 1 times its mean is put in."""
    latents, sae = lab.scenes.latents, lab.sae
    own, other = latents.latent[0], latents.latent[1]
    place = scene.prompt.last
    acts = sae.encode(scene.x)[place]
    expected = -acts[own] * sae.W_dec[own]
    expected = expected + (float(latents.mean[1]) - acts[other]) * sae.W_dec[other]
    delta = whole_latent(sae, latents, PAIR).delta(scene)
    torch.testing.assert_close(delta[place], expected)
    assert int(delta.norm(dim=1).count_nonzero()) == 1  # SETTINGS reach the entity's token only


def test_a_latent_turned_into_itself_changes_nothing(lab, scene):
    parts = Parts(PAIR, lab.sae.W_dec[0], torch.zeros(8), torch.zeros(8))
    assert not row_edit(parts, lab.sae.W_dec[0], ((), ())).delta(scene).any()


def test_without_its_error_an_edit_of_nothing_is_the_reconstruction(lab, scene):
    parts = Parts(PAIR, lab.sae.W_dec[0], torch.zeros(8), torch.zeros(8))
    edit = without_error(row_edit(parts, parts.row, ((), ())))
    new = scene.x + edit.delta(scene)
    rebuilt = lab.sae.decode(lab.sae.encode(scene.x))
    torch.testing.assert_close(new[scene.is_reached], rebuilt[scene.is_reached])
    torch.testing.assert_close(new[~scene.is_reached], scene.x[~scene.is_reached])


def test_what_only_one_has_may_be_removed_or_added():
    _, parts = _parts()
    assert (parts.only_own, parts.only_other) == ((0,), (3,))


def test_as_in_the_text_the_row_is_decoded_from_edited_meta_activations():
    """0 goes, 3 comes with the other's 0.6, and 1 keeps the entity's own 0.6."""
    meta, parts = _parts()
    edit = as_text(meta, parts, ((0,), (3,)))
    turned = torch.tensor([0, 0.6, 0, 0.6]) - parts.row
    expected = torch.stack([torch.zeros(4), 2 * turned, torch.zeros(4)])
    torch.testing.assert_close(edit.delta(cast(Any, _Active())), expected)
    assert (edit.removed, edit.added) == ((0,), (3,))


def test_as_in_the_code_hardly_anything_of_the_row_is_left():
    """(0.8 - 100, 0.6, 0, 100), made a unit row."""
    meta, parts = _parts()
    row = torch.tensor([0.8 - 100, 0.6, 0, 100])
    turned = row / row.norm() - parts.row
    delta = as_code(meta, parts, ((0,), (3,))).delta(cast(Any, _Active()))
    torch.testing.assert_close(delta[1], 2 * turned)


def test_random_others_are_as_many_and_as_strong():
    _, parts = _parts()
    dealt = parts.with_random_others(np.random.default_rng(0))
    assert dealt.only_own == parts.only_own
    assert dealt.only_other == (2,)  # all that neither has
    assert float(dealt.other[2]) == pytest.approx(0.6)


def test_few_meta_latents_give_all_pairs_of_sets():
    """2^2 sets to remove times 2^1 to add."""
    found = subset_pairs((4, 7), (9,), most=8, rng=np.random.default_rng(0))
    assert len(set(found)) == len(found) == 4 * 2
    assert found[0] == ((), ())
    assert found[-1] == ((4, 7), (9,))


def test_many_meta_latents_give_a_bounded_number_of_pairs():
    """2^12 pairs are too many: the empty sets and the whole ones are always among those drawn."""
    removed, added = tuple(range(6)), tuple(range(10, 16))
    found = subset_pairs(removed, added, most=20, rng=np.random.default_rng(0))
    assert len(set(found)) == 20
    assert found[0] == ((), ())
    assert found[-1] == (removed, added)
    assert all(set(one) <= set(removed) and set(two) <= set(added) for one, two in found)
