"""The model's answer with one activation replaced, and its slope."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from precompute.experiments.absorption.answers import Answers
from precompute.experiments.absorption.letters import letter_tokens, spelled
from precompute.experiments.absorption.section import AbsorptionConfig


@pytest.fixture(scope="module")
def prompts(benches):
    bench = benches("gpt2")
    held = spelled(bench, AbsorptionConfig(words=300)).at["word"]
    pieces = [word.ids for word in held.words[:4]] + [held.words[4].ids[:-1]]  # one is shorter
    answers = Answers.of(bench.config.model, bench.language_model, pieces, held.positions[:5])
    return bench, pieces, held.positions[:5], answers


def test_the_untouched_activation_changes_no_logit(prompts):
    bench, pieces, positions, answers = prompts
    x = answers.activations()
    alone = torch.stack(
        [bench.spliced([p]).rows()[i] for p, i in zip(pieces, positions, strict=True)]
    )
    assert torch.allclose(x, alone, atol=1e-5)
    clean = torch.cat([bench.spliced([piece]).next_logits(None) for piece in pieces])
    assert torch.allclose(answers.logits(x), clean, atol=1e-5)


def test_the_slope_is_that_of_finite_differences(prompts):
    bench, _, _, answers = prompts
    tokens = torch.from_numpy(letter_tokens(bench.language_model.tokenizer))
    own = torch.tensor([0, 5, 9, 17, 25])
    x = answers.activations().requires_grad_()
    (slope,) = torch.autograd.grad(answers.margin(x, tokens, own).sum(), x)
    direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    step = 1e-3  # layer norms bend much over a longer one
    with torch.no_grad():
        up = answers.margin(x + step * direction, tokens, own)
        down = answers.margin(x - step * direction, tokens, own)
    expected = (up - down) / (2 * step)
    assert expected.abs().max() > 1e-3
    np.testing.assert_allclose((slope * direction).sum(1), expected, rtol=0.02, atol=2e-4)


def test_the_margin_is_the_own_letter_over_the_mean_of_the_others(prompts):
    bench, _, _, answers = prompts
    tokens = torch.from_numpy(letter_tokens(bench.language_model.tokenizer))
    own = torch.tensor([3, 3, 3, 3, 3])
    x = answers.activations()
    logits = answers.logits(x).detach()[:, tokens]
    others = torch.cat([logits[:, :3], logits[:, 4:]], 1)
    expected = logits[:, 3] - others.mean(1)
    assert torch.allclose(answers.margin(x, tokens, own).detach(), expected, atol=1e-6)
