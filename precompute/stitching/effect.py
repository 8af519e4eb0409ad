"""What a stitched SAE does to the model: its reconstruction put in place of the activations.

For an encoder the effect is the cosine distance of the final embedding (mean over the tokens, as
sentence embeddings are made) from that of the untouched model. For a causal model it is the rise of
the next-token cross-entropy in nats, with the KL divergence from the untouched model beside it.
Special tokens keep their own activations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from precompute.config import ModelConfig
from precompute.harvest import PaddedBatch, padded
from precompute.sources import LanguageModel


@dataclass(frozen=True)
class Effect:
    """Mean over contexts with a 95 % interval; `kl` in nats a token, None for an encoder."""

    value: float
    ci_low: float
    ci_high: float
    kl: float | None
    n: int


class SplicedModel:
    """A model whose activations can be replaced at ordinary tokens of some contexts."""

    def __init__(
        self,
        config: ModelConfig,
        language_model: LanguageModel,
        pieces: list[np.ndarray],
        device: torch.device,
    ):
        """`pieces`: token ids of each context, in the order of the rows that `effect` gets."""
        self.config, self.language_model, self.device = config, language_model, device
        self.place = language_model.place(config)
        size = config.batch_contexts
        self.batches = [
            padded(config, language_model, pieces[i : i + size])
            for i in range(0, len(pieces), size)
        ]
        self.n_rows = sum(map(len, pieces))
        self.is_causal = language_model.logits_through == "unembedding"
        torch.nn.Module.to(language_model.model, device)
        self.clean = None if self.is_causal else [self._embed(b, None) for b in self.batches]

    @torch.inference_mode()
    def effect(self, rows: torch.Tensor) -> Effect:
        """The effect of `rows` float32 [n_rows, d_in] in place of the model's own."""
        start, values, kl = 0, [], []
        for number, batch in enumerate(self.batches):
            n = int(batch.ordinary.sum())
            part = rows[start : start + n].to(self.device)
            start += n
            if self.clean is not None:
                values.append(1 - (self._embed(batch, part) * self.clean[number]).sum(1))
            else:
                entropy, divergence = self._next_token_costs(batch, part)
                values.append(entropy)
                kl.append(divergence)
        value = torch.cat(values).double()
        half = 1.96 * float(value.std()) / len(value) ** 0.5 if len(value) > 1 else 0.0
        mean = float(value.mean())
        divergence = float(torch.cat(kl).double().mean()) if kl else None
        return Effect(mean, mean - half, mean + half, divergence, len(value))

    def _embed(self, batch: PaddedBatch, rows: torch.Tensor | None) -> torch.Tensor:
        """Unit embeddings [n_contexts, d_model]."""
        hidden = self._run(batch, rows).last_hidden_state.float()
        weight = batch.attention.to(self.device).unsqueeze(2)
        mean = (hidden * weight).sum(1) / weight.sum(1)
        return mean / mean.norm(dim=1, keepdim=True)

    def _next_token_costs(
        self, batch: PaddedBatch, rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Rise of the cross-entropy and KL divergence, each a mean for every context."""
        clean = self._run(batch, None).logits[:, :-1].float().log_softmax(-1)
        spliced = self._run(batch, rows).logits[:, :-1].float().log_softmax(-1)
        ordinary = batch.ordinary.to(self.device)
        predicted = (ordinary[:, :-1] & ordinary[:, 1:]).float()
        targets = batch.ids.to(self.device)[:, 1:, None]
        rise = (clean.gather(2, targets) - spliced.gather(2, targets)).squeeze(2)
        divergence = (clean.exp() * (clean - spliced)).sum(2)
        n = predicted.sum(1).clamp_min(1)
        return (rise * predicted).sum(1) / n, (divergence * predicted).sum(1) / n

    @torch.inference_mode()
    def _run(self, batch: PaddedBatch, rows: torch.Tensor | None) -> Any:
        """The model's output, with `rows` in place of its activations unless they are None."""
        if rows is None:
            return self._forward(batch)
        ordinary = batch.ordinary.to(self.device)

        def spliced(hidden: torch.Tensor) -> torch.Tensor:
            changed, new = hidden.clone(), rows.to(hidden.dtype)
            if self.config.centred:  # SAEs read centred rows, the model needs the mean back
                new = new + hidden[ordinary].mean(1, keepdim=True)
            changed[ordinary] = new
            return changed

        with self.place.replace(spliced):
            return self._forward(batch)

    def _forward(self, batch: PaddedBatch) -> Any:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bfloat16):
            return self.language_model.model(**batch.inputs(self.device))
