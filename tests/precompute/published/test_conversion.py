"""SAEs of sae-lens in our form: the same latents fire and the same rows are rebuilt."""

from __future__ import annotations

import pytest
import torch

from precompute.config import ConfigError
from precompute.published.conversion import as_dictionary
from tests.precompute.published.conftest import D_IN, made

FACTOR = 3.5  # that activations were multiplied by in training
SCALED = "expected_average_only_in"


@pytest.fixture
def rows() -> torch.Tensor:
    return torch.randn(50, D_IN, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("apply_b_dec_to_input", [True, False])
@pytest.mark.parametrize("architecture", ["standard", "gated", "jumprelu", "topk"])
@pytest.mark.parametrize("scaled", [False, True])
def test_an_sae_rebuilds_rows_as_before(rows, architecture, apply_b_dec_to_input, scaled):
    normalised = SCALED if scaled else "none"
    sae = made(
        architecture,
        apply_b_dec_to_input=apply_b_dec_to_input,
        normalize_activations=normalised,
    )
    # what its authors do: scale, encode, decode, undo the scale; sae-lens leaves both to its user
    factor = FACTOR if scaled else 1.0
    with torch.no_grad():
        acts = sae.encode(rows * factor)
        expected = sae.decode(acts) / factor
        norms = sae.W_dec.norm(dim=1)
    dictionary = as_dictionary(sae, "here", FACTOR if scaled else None)
    torch.testing.assert_close(dictionary.W_dec.norm(dim=1), torch.ones(24))
    ours = dictionary.encode(rows)
    assert 0 < int((ours > 0).sum()) < ours.numel()
    if architecture == "topk":
        assert int((ours > 0).sum(1).max()) == 5  # its k; theirs are scaled by the norms already
    else:
        torch.testing.assert_close(ours, acts * norms / factor, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(dictionary.decode(ours), expected, rtol=1e-4, atol=1e-5)


def test_gates_become_thresholds_of_their_own(rows):
    """A latent whose gate opens at a value well above zero must not fire below it."""
    sae = made("gated")
    with torch.no_grad():
        sae.b_gate.sub_(1.0)  # gates open later than relu would
    dictionary = as_dictionary(sae, "here")
    assert isinstance(dictionary.threshold, torch.Tensor)
    assert int((dictionary.threshold > 0).sum()) > 12
    without = dictionary.with_threshold(0.0)
    assert int((dictionary.encode(rows) > 0).sum()) < int((without.encode(rows) > 0).sum())


def test_thresholds_that_are_all_the_same_become_one():
    sae = made("jumprelu")
    with torch.no_grad():
        sae.W_dec.div_(sae.W_dec.norm(dim=1, keepdim=True))
        sae.threshold.fill_(0.25)
    assert as_dictionary(sae, "here").threshold == pytest.approx(0.25)


def test_a_negative_threshold_lets_nothing_through_that_relu_does_not(rows):
    sae = made("jumprelu")
    with torch.no_grad():
        sae.threshold.fill_(-1.0)
        acts = sae.encode(rows)
    assert int((as_dictionary(sae, "here").encode(rows) > 0).sum()) == int((acts > 0).sum())


def test_topk_with_unit_rows_needs_no_folding(rows):
    sae = made("topk", rescale_acts_by_decoder_norm=False)
    with torch.no_grad():
        sae.W_dec.div_(sae.W_dec.norm(dim=1, keepdim=True))
        expected = sae.decode(sae.encode(rows))
    dictionary = as_dictionary(sae, "here")
    torch.testing.assert_close(dictionary.decode(dictionary.encode(rows)), expected)


@pytest.mark.parametrize(
    ("architecture", "options", "reason"),
    [
        ("standard", {"normalize_activations": "layer_norm"}, "every token by itself"),
        ("standard", {"normalize_activations": "constant_norm_rescale"}, "every token by itself"),
        ("standard", {"normalize_activations": "covariance_whitening"}, "whitens"),
        ("jumprelu", {"normalize_activations": SCALED}, "saes.norm_scaling_factor"),
        ("topk", {"rescale_acts_by_decoder_norm": False}, "Unit rows"),
    ],
)
def test_what_cannot_be_expressed_exactly_is_refused_with_the_reason(architecture, options, reason):
    with pytest.raises(ConfigError, match=reason):
        as_dictionary(made(architecture, **options), "here")
