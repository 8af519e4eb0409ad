"""SAEs of every architecture with random weights, as sae-lens makes and saves them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from sae_lens import (
    GatedSAE,
    GatedSAEConfig,
    JumpReLUSAE,
    JumpReLUSAEConfig,
    StandardSAE,
    StandardSAEConfig,
    TopKSAE,
    TopKSAEConfig,
)

D_IN = 32  # of the random models
CLASSES: dict[str, tuple[Any, Any]] = {
    "standard": (StandardSAE, StandardSAEConfig),
    "gated": (GatedSAE, GatedSAEConfig),
    "jumprelu": (JumpReLUSAE, JumpReLUSAEConfig),
    "topk": (TopKSAE, TopKSAEConfig),
}
MakeSae = Callable[..., Any]


def made(architecture: str, n_latents: int = 24, **options: Any) -> Any:
    """An SAE whose decoder rows are not of unit length and whose parameters all matter."""
    sae_class, config_class = CLASSES[architecture]
    if architecture == "topk":
        options = {"k": 5, "rescale_acts_by_decoder_norm": True} | options
    sae = sae_class(config_class(**{"d_in": D_IN, "d_sae": n_latents} | options))
    generator = torch.Generator().manual_seed(n_latents)
    with torch.no_grad():
        for name, tensor in sae.named_parameters():
            tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator))
            if name == "threshold":
                tensor.abs_()
    return sae


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two SAEs that sae-lens saved."""
    folder = tmp_path_factory.mktemp("suite")
    for name, width in (("wide", 48), ("small", 24)):
        made("standard", width).save_model(folder / name)
    return folder
