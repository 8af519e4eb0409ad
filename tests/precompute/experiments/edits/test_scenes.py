"""The latent that stands for an entity, and where its prompts may be changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from precompute.dictionary import Dictionary
from precompute.experiments.edits.questions import Prompt
from precompute.experiments.edits.scenes import entity_latents, reached_tokens


@pytest.fixture
def axes() -> Dictionary:
    """A latent for each of four axes."""
    return Dictionary(torch.eye(4), torch.zeros(4), torch.eye(4), torch.zeros(4), 0.0)


def test_an_entitys_latent_is_its_own_and_often_active(axes):
    """Three prompts for each of two entities.

    Both share axis 0. Entity 0 has axis 1 in two prompts, 3 and 5 strong, and axis 3 alone but
    once; entity 1 has axis 2 in all. So axis 1 has 8 / 9 of entity 0 and axis 2 has 6 / 7 of 1.
    """
    rows = [
        [[9.0, 3, 0, 0]], [[9.0, 5, 0, 0]], [[9.0, 0, 0, 99]],
        [[9.0, 0, 2, 0]], [[9.0, 0, 2, 0]], [[9.0, 0, 2, 0]],
    ]  # fmt: skip
    found = entity_latents(axes, [torch.tensor(row) for row in rows], [0, 0, 0, 1, 1, 1], 2)
    assert found.latent.tolist() == [1, 2]
    assert found.mean.tolist() == [4, 2]


def test_an_entity_without_a_frequent_latent_gets_its_most_frequent(axes):
    """Each axis but one is active in one prompt of three, so all may be chosen."""
    rows = [torch.tensor([[0.0, 1, 0, 0]]), torch.tensor([[0.0, 0, 7, 0]]), torch.zeros(1, 4)]
    assert entity_latents(axes, rows, [0, 0, 0], 1).latent.tolist() == [2]


def test_edits_reach_the_entity_or_all_behind_it():
    is_entity = np.array([False, True, True, False, False])
    prompt = Prompt(0, 0, 0, np.arange(5), is_entity, 9)
    assert reached_tokens(prompt, only_entity=True).tolist() == is_entity.tolist()
    behind = reached_tokens(prompt, only_entity=False)
    assert behind.tolist() == [False, False, True, True, True]
