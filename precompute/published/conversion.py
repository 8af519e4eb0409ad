"""From sae-lens' SAEs to ours: unit decoder rows, one encoder bias, one rule of what fires.

What changes on the way, each step without changing a reconstruction:

1. activations scaled in training (`expected_average_only_in`): the factor goes into the weights;
2. decoder norms go into the encoder, so that an activation is the length of what is added;
3. `apply_b_dec_to_input`: b_enc - b_dec @ W_enc takes the place of the subtraction;
4. gated: s = x @ W_enc fires where s + b_gate > 0 with value relu(s exp(r_mag) + b_mag), which is
   a JumpReLU with threshold max(0, b_mag - b_gate exp(r_mag)) on the scaled encoder;
5. TopK keeps its k; BatchTopK and Matryoshka are saved as JumpReLU already.

What cannot be brought there exactly is refused with the reason.
"""

from __future__ import annotations

from typing import Any

import torch
from sae_lens import SAE
from safetensors import SafetensorError

from precompute.config import ConfigError, PublishedConfig
from precompute.dictionary import Dictionary
from precompute.published.refusals import (
    SCALED,
    check_architecture,
    check_normalisation,
    check_numbers,
)
from precompute.published.section import PublishedSae

UNIT_NORM_TOLERANCE = 1e-3


def load_published(config: PublishedConfig, published: PublishedSae) -> Dictionary:
    """One SAE in our form, from its folder or from the hub.

    Raises:
        ConfigError: it is not there, has another width, or cannot be expressed as a `Dictionary`.
    """
    try:
        if published.folder is not None:
            sae: Any = SAE.load_from_disk(published.folder)
        else:
            sae = SAE.from_pretrained(published.release or "", published.id)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ConfigError(
            f"{published.place} could not be loaded ({error}). It needs the Hugging Face hub or, "
            "with saes.path, a folder with cfg.json and sae_weights.safetensors"
        ) from error
    if (sae.cfg.d_in, sae.cfg.d_sae) != (published.d_in, published.width):
        raise ConfigError(
            f"{published.place}: its weights are {sae.cfg.d_in} x {sae.cfg.d_sae}, its config says "
            f"{published.d_in} x {published.width}"
        )
    return as_dictionary(sae, published.place, config.norm_scaling_factor)


@torch.no_grad()
def as_dictionary(sae: Any, place: str, norm_scaling_factor: float | None = None) -> Dictionary:
    """A sae-lens SAE in our form; its reconstruction is unchanged.

    Args:
        sae: it is changed; do not use it afterwards.
        place: where it lies, for messages.
        norm_scaling_factor: of its training, when it expects scaled activations.

    Raises:
        ConfigError: it cannot be expressed as a `Dictionary`; the message says why.
    """
    architecture = sae.cfg.architecture()
    check_architecture(place, architecture)
    check_numbers(place, sae.state_dict().items())
    sae = sae.to(dtype=torch.float32)  # before anything is multiplied
    _undo_normalisation(sae, place, norm_scaling_factor)
    if architecture == "topk" and not sae.cfg.rescale_acts_by_decoder_norm:
        _check_unit_rows(sae, place)
    else:
        sae.fold_W_dec_norm()
    weights = sae.W_enc
    shift = sae.b_dec @ weights if sae.cfg.apply_b_dec_to_input else 0.0
    threshold: float | torch.Tensor = 0.0
    if architecture == "gated":
        factor = sae.r_mag.exp()
        gate, bias = sae.b_gate - shift, sae.b_mag - shift * factor
        weights = weights * factor
        threshold = (bias - gate * factor).clamp_min(0.0)
    else:
        bias = sae.b_enc - shift
    if architecture == "jumprelu":
        # relu comes first: a negative threshold lets nothing through that 0 does not
        threshold = sae.threshold.clamp_min(0.0)
    if isinstance(threshold, torch.Tensor) and bool((threshold == threshold[0]).all()):
        threshold = float(threshold[0])
    return Dictionary(
        W_enc=weights.clone(),
        b_enc=bias.clone(),
        W_dec=sae.W_dec.detach().clone(),
        b_dec=sae.b_dec.detach().clone(),
        threshold=threshold.clone() if isinstance(threshold, torch.Tensor) else threshold,
        k=int(sae.cfg.k) if architecture == "topk" else None,
    )


def _undo_normalisation(sae: Any, place: str, factor: float | None) -> None:
    check_normalisation(place, sae.cfg.normalize_activations, factor)
    if sae.cfg.normalize_activations == SCALED:
        sae.fold_activation_norm_scaling_factor(factor)


def _check_unit_rows(sae: Any, place: str) -> None:
    """TopK chooses by activation; with rows of other lengths, unit rows would choose others."""
    norms = sae.W_dec.norm(dim=1)
    if float((norms - 1).abs().max()) > UNIT_NORM_TOLERANCE:
        raise ConfigError(
            f"{place}: a TopK SAE whose decoder rows have lengths {float(norms.min()):.3f} to "
            f"{float(norms.max()):.3f} and are not part of the choice of the k. Unit rows, which "
            "decompositions need, would change which latents fire"
        )
