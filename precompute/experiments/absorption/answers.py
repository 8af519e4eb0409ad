"""A causal model's answer as a function of its activations at one token, with gradients.

`precompute/splicing.py` splices in inference mode; here the spliced rows keep their gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from precompute.config import ModelConfig
from precompute.harvest import PaddedBatch, padded
from precompute.place import Place
from precompute.sources import LanguageModel


@dataclass(frozen=True)
class Answers:
    """Some prompts, in each of which one token's activation can be replaced.

    Everything is in float32: differences of logits are small beside those of bfloat16.
    """

    language_model: LanguageModel
    place: Place
    batch: PaddedBatch
    columns: torch.Tensor
    """int64 [n_prompts]: the token that is replaced, among all of the batch."""

    @staticmethod
    def of(
        config: ModelConfig,
        language_model: LanguageModel,
        pieces: list[np.ndarray],
        positions: np.ndarray,
    ) -> Answers:
        """Prompts as token ids; `positions` int64 [n_prompts] count their ordinary tokens."""
        batch = padded(config, language_model, pieces)
        number = batch.ordinary.long().cumsum(1) - 1
        is_place = batch.ordinary & (number == torch.from_numpy(positions)[:, None])
        columns = is_place.long().argmax(1)
        return Answers(language_model, language_model.place(config), batch, columns)

    @property
    def device(self) -> torch.device:
        return next(self.language_model.model.parameters()).device

    @torch.no_grad()
    def activations(self) -> torch.Tensor:
        """The untouched activations float32 [n_prompts, d_in] at the token, not centred."""
        hidden = self.place.capture(self._forward)
        return hidden[torch.arange(len(hidden)), self.columns].float()

    def logits(self, rows: torch.Tensor) -> torch.Tensor:
        """Logits [n_prompts, n_vocabulary] of what follows each prompt, with `rows` in place."""

        def spliced(hidden: torch.Tensor) -> torch.Tensor:
            changed = hidden.clone()
            changed[torch.arange(len(hidden)), self.columns] = rows.to(hidden.dtype)
            return changed

        with self.place.replace(spliced):
            logits = self._forward().logits
        places = torch.arange(self.batch.ordinary.shape[1])
        last = (self.batch.ordinary * places).argmax(1)
        return logits[torch.arange(len(logits)), last].float()

    def margin(self, rows: torch.Tensor, tokens: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
        """m [n_prompts]: logit of the prompt's own letter over the mean of the other letters'.

        Args:
            rows: as in `logits`.
            tokens: int64 [n_letters].
            own: int64 [n_prompts], which of `tokens` is the prompt's own.
        """
        letters = self.logits(rows)[:, tokens]
        of_own = letters.gather(1, own[:, None])[:, 0]
        return of_own - (letters.sum(1) - of_own) / (len(tokens) - 1)

    def _forward(self) -> Any:
        return self.language_model.model(**self.batch.inputs(self.device))
