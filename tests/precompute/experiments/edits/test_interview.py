"""Many questions at once are answered as each is alone."""

from __future__ import annotations

import numpy as np
import torch

from precompute.experiments.edits.interview import Interviewer, Trial

from .conftest import Planted


def test_prompts_of_different_lengths_are_answered_in_order(planted: Planted):
    """Two wordings, of five and six tokens, by turns, each with an addition of its own."""
    interviewer = Interviewer(planted.bench, planted.table)
    generator = torch.Generator().manual_seed(0)
    trials = []
    for prompt in list(planted.table.prompts.values())[:24]:
        other = int(planted.table.candidates[prompt.attribute][0])
        delta = 0.2 * torch.randn(len(prompt.ids), 32, generator=generator)
        trials.append(Trial(prompt, other, delta))
    assert len({len(trial.prompt.ids) for trial in trials}) == 2
    together = interviewer.ask(trials)
    alone = [interviewer.ask([trial]) for trial in trials]
    assert len(set(together.given.tolist())) > 2
    np.testing.assert_array_equal(together.given, [one.given[0] for one in alone])
    np.testing.assert_allclose(together.own, [one.own[0] for one in alone], atol=1e-4)
    np.testing.assert_allclose(together.other, [one.other[0] for one in alone], atol=1e-4)


def test_no_addition_leaves_the_answer(planted: Planted):
    interviewer = Interviewer(planted.bench, planted.table)
    prompts = list(planted.table.prompts.values())
    rows, is_right = interviewer.untouched(prompts)
    heard = interviewer.ask(
        Trial(p, 0, torch.zeros_like(x)) for p, x in zip(prompts, rows, strict=True)
    )
    right = np.array([prompt.answer for prompt in prompts])
    np.testing.assert_array_equal(heard.given == right, is_right)
