"""What is refused of a published SAE before anything is computed, and what of its weights.

A config says its architecture and what it expects of activations; the header of the weights says
their shapes, and whether the file is whole. Only numbers that are none need the weights themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from precompute.config import ConfigError
from precompute.dictionary import Dictionary

MOST_ACTIVE = 8  # times the dimension; published SAEs have an L0 far below one dimension
READABLE = ("standard", "jumprelu", "gated", "topk")
SCALED = "expected_average_only_in"
_BY_TOKEN = (
    "it rescales every token by itself, so its decoder rows mean something else at every token and "
    "cannot be compared or added across tokens"
)
_NORMS = {
    "layer_norm": _BY_TOKEN,
    "constant_norm_rescale": _BY_TOKEN,
    "covariance_whitening": "it whitens activations first, and the whitening is not in its weights",
}
_ACTIVATIONS = ("relu", "topk")  # what old configs name, and sae-lens reads without a word
_IN_TRAINING = ("batchtopk", "matryoshka_batchtopk")


def check_architecture(place: str, architecture: str) -> None:
    """Raises ConfigError when it is none that can be expressed as a `Dictionary`."""
    if architecture in READABLE:
        return
    words = f"{place}: architecture {architecture} is none of {', '.join(READABLE)}"
    if architecture in _IN_TRAINING:
        words += (
            ". It was saved to be trained on; sae.save_inference_model(folder) of sae-lens writes "
            "BatchTopK and Matryoshka SAEs as jumprelu"
        )
    raise ConfigError(words)


def check_normalisation(place: str, expected: str, factor: float | None) -> None:
    """Raises ConfigError when activations must be changed first in a way that weights cannot hold.

    Args:
        place: where the SAE lies, for the message.
        expected: `normalize_activations` of its config.
        factor: `saes.norm_scaling_factor`, or what a release brings.
    """
    if expected == SCALED:
        if factor is None:
            raise ConfigError(
                f"{place} expects activations multiplied by a factor (normalize_activations = "
                f"{SCALED}) that its folder does not say. Give saes.norm_scaling_factor: "
                "sqrt(d_in) / mean norm of the activations it was trained on"
            )
    elif expected != "none":
        why = _NORMS.get(expected, "that cannot be undone in its weights")
        raise ConfigError(f"{place}: normalize_activations = {expected}: {why}")


def check_activation(place: str, said: dict[str, Any]) -> None:
    """Raises ConfigError when an old config names an activation function that is not read."""
    for name in ("activation_fn_str", "activation_fn"):
        named = said.get(name)
        if named is not None and named not in _ACTIVATIONS:
            raise ConfigError(f"{place}: {name} = {named!r} is none of {', '.join(_ACTIVATIONS)}")


def check_header(path: Path, d_in: int, d_sae: int) -> None:
    """Read the header of a weights file only.

    Raises:
        ConfigError: it is cut short, no safetensors, or of other shapes than its config says.
    """
    try:
        with safe_open(path, "pt") as file:
            names = set(file.keys())
            shapes = {
                name: tuple(file.get_slice(name).get_shape()) for name in names & {"W_enc", "W_dec"}
            }
    except (SafetensorError, OSError) as error:
        raise ConfigError(
            f"{path} cannot be read as safetensors ({error}): it is cut short or something else. "
            "Copy it again"
        ) from error
    for name, expected in (("W_enc", (d_in, d_sae)), ("W_dec", (d_sae, d_in))):
        if name not in shapes:
            raise ConfigError(f"{path} has no {name}; it has {', '.join(sorted(names)) or 'none'}")
        if shapes[name] != expected:
            found, says = (" x ".join(map(str, shape)) for shape in (shapes[name], expected))
            raise ConfigError(f"{path}: {name} is {found}, its config says {says}")


def check_rows(place: str, d_in: int, of_place: int) -> None:
    """Raises ConfigError when an SAE reads rows of another length than a place in a model has."""
    if d_in != of_place:
        raise ConfigError(
            f"{place} reads rows of {d_in} numbers, the place in [model] gives {of_place}"
        )


@torch.no_grad()
def check_sparse(place: str, sae: Dictionary, rows: np.ndarray) -> None:
    """Raises ConfigError when so many latents fire on rows [n, d_in] that memory would not do."""
    d_in = rows.shape[1]
    fired, _ = sae.encoder.active(torch.from_numpy(np.array(rows, np.float32)))
    l0 = len(fired) / max(len(rows), 1)
    if l0 > MOST_ACTIVE * d_in:
        raise ConfigError(
            f"{place}: {l0:,.0f} latents fire on a row of {d_in} numbers, which is no sparse code. "
            "Compare with the L0 that its authors give: often model.centred, model.prepend_bos or "
            "the place is not theirs"
        )


@torch.no_grad()
def check_numbers(place: str, tensors: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Raises ConfigError when a weight is NaN or infinite: its latents would fire on nothing."""
    for name, tensor in tensors:
        # one sum, not a mask as large as the weights; float64 cannot overflow from finite float32
        if tensor.is_floating_point() and not torch.isfinite(tensor.sum(dtype=torch.float64)):
            n_bad = tensor.numel() - int(torch.isfinite(tensor).sum())
            raise ConfigError(
                f"{place}: {n_bad:,} of {tensor.numel():,} numbers of {name} are not finite. The "
                "file is damaged, or its training diverged: take another"
            )
