"""A trained SAE as the rest of precompute uses it: four tensors and a rule, unit decoder rows.

Saved and loaded as a sae-lens inference folder (a BatchTopK SAE becomes a JumpReLU SAE with one
threshold), so `sae_lens.SAE.load_from_disk` opens it too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from precompute.encoder import Encoder, lowest
from precompute.sparse import candidates, sparse_matrix

WEIGHTS_NAME = "sae_weights.safetensors"
CONFIG_NAME = "cfg.json"
ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Dictionary:
    """f(x) = a where a > threshold else 0, a = relu(x @ W_enc + b_enc); xhat = f @ W_dec + b_dec.

    Shapes: W_enc [d_in, n_latents], b_enc [n_latents], W_dec [n_latents, d_in] with unit rows,
    b_dec [d_in]; all float32. `b_enc` already contains the subtraction of b_dec from the input.
    `threshold` is one number or float32 [n_latents]; with `k` only the k highest a of a row count.
    """

    W_enc: torch.Tensor
    b_enc: torch.Tensor
    W_dec: torch.Tensor
    b_dec: torch.Tensor
    threshold: float | torch.Tensor
    k: int | None = None

    @property
    def n_latents(self) -> int:
        return len(self.W_dec)

    @property
    def encoder(self) -> Encoder:
        return Encoder(self.W_enc, self.b_enc, self.threshold, self.k)

    @property
    def lowest_threshold(self) -> float:
        """No activation is as low as this."""
        return lowest(self.threshold)

    def to(self, device: torch.device) -> Dictionary:
        tensors = (t.to(device) for t in (self.W_enc, self.b_enc, self.W_dec, self.b_dec))
        threshold = self.threshold
        if isinstance(threshold, torch.Tensor):
            threshold = threshold.to(device)
        return Dictionary(*tensors, threshold=threshold, k=self.k)

    def scores(self, rows: torch.Tensor) -> torch.Tensor:
        """Pre-activations [n_rows, n_latents], before the threshold."""
        return torch.addmm(self.b_enc, rows, self.W_enc)

    def encode(self, rows: torch.Tensor) -> torch.Tensor:
        """Dense activations [n_rows, n_latents]."""
        if self.k is not None:
            index, acts = self.encoder.active(rows)
            dense = rows.new_zeros(len(rows) * self.n_latents).index_put((index,), acts)
            return dense.view(len(rows), -1)
        scores = self.scores(rows)
        return scores * (scores > self.threshold)

    def decode(self, acts: torch.Tensor) -> torch.Tensor:
        """Reconstruction [n_rows, d_in]."""
        return acts @ self.W_dec + self.b_dec

    def with_threshold(self, threshold: float) -> Dictionary:
        return replace(self, threshold=threshold)

    def of_unscaled_rows(self, scale: float) -> Dictionary:
        """The SAE of rows that were multiplied by `scale`, as one of the rows themselves.

        ReLU is homogeneous, so only the offsets change.
        """
        return replace(
            self,
            b_enc=self.b_enc / scale,
            b_dec=self.b_dec / scale,
            threshold=self.threshold / scale,
        )

    def save(self, folder: Path, metadata: dict[str, object]) -> None:
        """Write a sae-lens folder: JumpReLU, or TopK when `k` is given.

        TopK in sae-lens has no threshold, so one above zero cannot be kept beside `k`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        config: dict[str, object] = {
            "architecture": "jumprelu",
            "d_in": len(self.b_dec),
            "d_sae": self.n_latents,
            "dtype": "float32",
            "device": "cpu",
            "apply_b_dec_to_input": False,
            "normalize_activations": "none",
            "reshape_activations": "none",
            "metadata": metadata,
        }
        tensors = {
            "W_enc": self.W_enc,
            "b_enc": self.b_enc,
            "W_dec": self.W_dec,
            "b_dec": self.b_dec,
        }
        if self.k is not None:
            config |= {"architecture": "topk", "k": self.k, "rescale_acts_by_decoder_norm": True}
        else:
            tensors["threshold"] = torch.zeros_like(self.b_enc) + self.threshold
        save_file({k: t.contiguous().cpu() for k, t in tensors.items()}, folder / WEIGHTS_NAME)
        (folder / CONFIG_NAME).write_text(json.dumps(config, indent=2, sort_keys=True))

    @staticmethod
    def load(folder: Path) -> Dictionary:
        """Read a folder written by `save`."""
        tensors = load_file(folder / WEIGHTS_NAME)
        config = json.loads((folder / CONFIG_NAME).read_text())
        weights = [tensors[name] for name in ("W_enc", "b_enc", "W_dec", "b_dec")]
        if config["architecture"] == "topk":
            return Dictionary(*weights, threshold=0.0, k=int(config["k"]))
        thresholds = tensors["threshold"]
        is_one = bool((thresholds == thresholds[0]).all())
        return Dictionary(*weights, threshold=float(thresholds[0]) if is_one else thresholds)


@dataclass(frozen=True)
class Fidelity:
    """How well a dictionary rebuilds rows: VE = 1 - SSE / sum |x - mean|^2 (SAEBench, centred)."""

    variance_explained: float
    l0: float
    n_rows: int
    fired: np.ndarray
    """int64 [n_latents]: rows each latent fires on."""


def row_blocks(rows: torch.Tensor | np.ndarray, device: torch.device) -> Iterator[torch.Tensor]:
    """The rows as float32 blocks on `device`."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        block = rows[start : start + ROWS_AT_ONCE]
        tensor = block if isinstance(block, torch.Tensor) else torch.from_numpy(np.array(block))
        yield tensor.to(device, torch.float32)


@torch.no_grad()
def fidelity(dictionary: Dictionary, rows: torch.Tensor | np.ndarray) -> Fidelity:
    """Variance explained, L0 and firing counts over `rows` [n_rows, d_in]."""
    device = dictionary.W_dec.device
    squared_error, total_square = 0.0, 0.0
    fired = torch.zeros(dictionary.n_latents, dtype=torch.int64, device=device)
    row_sum = torch.zeros(len(dictionary.b_dec), dtype=torch.float64, device=device)
    for block in row_blocks(rows, device):
        index, acts = dictionary.encoder.active(block)
        row = torch.div(index, dictionary.n_latents, rounding_mode="floor")
        latent = index - row * dictionary.n_latents
        fired += torch.bincount(latent, minlength=dictionary.n_latents)
        shape = (len(block), dictionary.n_latents)
        reconstruction = dictionary.decode(sparse_matrix(row, latent, acts, shape))
        squared_error += float((reconstruction - block).double().pow(2).sum())
        total_square += float(block.double().pow(2).sum())
        row_sum += block.double().sum(0)
    total = total_square - float(row_sum.pow(2).sum()) / len(rows)
    return Fidelity(
        variance_explained=1.0 - squared_error / total,
        l0=float(fired.sum()) / len(rows),
        n_rows=len(rows),
        fired=fired.cpu().numpy(),
    )


@torch.no_grad()
def exact_threshold(dictionary: Dictionary, rows: torch.Tensor | np.ndarray, k: float) -> float:
    """The threshold at which exactly k latents a row are active on average over `rows`.

    It is half-way between the (k * n)-th largest activation over all rows and the next one
    (good-epic/meta_saes reads it the same way), found without keeping all activations: only the
    largest `n_keep` so far.
    """
    n_keep = round(k * len(rows))
    best = torch.empty(0, device=dictionary.W_dec.device)
    cut = 0.0
    for block in row_blocks(rows, dictionary.W_dec.device):
        best = torch.cat([best, candidates(block, dictionary.W_enc, dictionary.b_enc, cut)[1]])
        if len(best) > 2 * n_keep:
            best = best.topk(n_keep + 1).values
            cut = float(best[-1])
    if len(best) <= n_keep:
        return 0.0
    last = best.topk(n_keep + 1).values[-2:]
    return float(last.double().mean())
