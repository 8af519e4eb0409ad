"""The run's stored activations, as the experiments on training read them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from precompute.config import ConfigError

MOMENT_ROWS = 1 << 16  # training rows that mean and scale are estimated from
THRESHOLD_ROWS = 50_000  # training rows that a threshold is read from


@dataclass(frozen=True)
class TrainingRows:
    """Rows float16 [n, d_in] on disk, and what brings them to a variance of 1 a dimension."""

    train: np.ndarray
    heldout: np.ndarray
    mean: torch.Tensor
    """float32 [d_in]."""
    scale: float
    """Rows times this have a mean squared distance of d_in from their mean."""

    @classmethod
    def of(cls, activations: Path) -> TrainingRows:
        """Those of a folder of activations.

        Raises:
            ConfigError: the run keeps none to train on.
        """
        if not (activations / "train.npy").exists():
            raise ConfigError(
                f"{activations} has no train.npy, and experiments that train SAEs need it: leave "
                "[experiments.resistance] and [experiments.dead_latents] out of this config, or "
                "train [saes] in place of loading published ones"
            )
        train = np.load(activations / "train.npy", mmap_mode="r")
        head = torch.from_numpy(np.array(train[:MOMENT_ROWS])).float()
        mean = head.mean(0)
        scale = float((head - mean).pow(2).mean().rsqrt())
        heldout = np.load(activations / "heldout.npy", mmap_mode="r")
        return cls(train, heldout, mean, scale)

    @property
    def for_threshold(self) -> np.ndarray:
        """The rows over which a latent budget is met exactly."""
        return self.train[:THRESHOLD_ROWS]
