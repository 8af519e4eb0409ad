"""What adding a vector at every ordinary token does for a concept, and what it costs.

*Effect*: the rise of the probability that a concept's targets have together as the next token, a
mean over prompts. 1 is certainty where there was no chance. *Damage*: the rise of the next-token
cross-entropy on held-out text, in nats a token. Both are exactly zero for a vector of zeros.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from precompute.experiments.bench import Bench
from precompute.experiments.intervals import Groups
from precompute.splicing import Splice, SplicedModel

SPECIAL_TOKENS = 2  # around a piece, at most


def added(rows: torch.Tensor) -> Splice:
    """Rows float32 [n_rows, d_in], each added to the activation of its number."""
    return lambda own, numbers: own + rows[numbers.to(rows.device)].to(own.device)


def added_everywhere(vector: torch.Tensor) -> Splice:
    """One vector [d_in], added to every activation."""
    return lambda own, _numbers: own + vector.to(own.device)


def prompt_pieces(bench: Bench, prompts: Sequence[str], kept_free: int = 0) -> list[np.ndarray]:
    """Token ids of prompts, their ends where they are longer than the model's contexts.

    Args:
        bench: whose tokenizer is used.
        prompts: texts.
        kept_free: places of a context to leave for what follows.
    """
    tokenizer, size = bench.language_model.tokenizer, bench.config.model.context_size
    most = max(1, size - SPECIAL_TOKENS - kept_free)
    found = tokenizer(list(prompts), add_special_tokens=False)["input_ids"]
    return [np.array(ids[-most:], np.int64) for ids in found]


def last_activations(bench: Bench, prompts: Sequence[str]) -> torch.Tensor:
    """Activations float32 [n_prompts, d_in] at the last token of each prompt."""
    model = bench.spliced(prompt_pieces(bench, prompts))
    is_last = np.append(model.context[1:] != model.context[:-1], True)
    return model.rows()[torch.from_numpy(is_last)]


class Damage:
    """Held-out text, on which many vectors are tried."""

    def __init__(self, bench: Bench, contexts: int, tokens: int) -> None:
        pieces = [piece[:tokens] for piece in bench.heldout(contexts)]
        self.model = bench.spliced([piece for piece in pieces if len(piece) > 1])
        self.length = float(self.model.rows().norm(dim=1).mean())
        """Mean length of an activation: strengths are multiples of it."""
        row = self.model.token_costs({"same": lambda own, _: own})["same"].row.numpy()
        self.groups = Groups(self.model.context[row], bench.config.seed)
        """Predictions by context."""

    def of(self, vectors: torch.Tensor) -> np.ndarray:
        """Rises of the cross-entropy float64 [n_vectors, n_predictions], for vectors [n, d]."""
        splices = {str(i): added_everywhere(vector) for i, vector in enumerate(vectors)}
        costs = self.model.token_costs(splices).values()
        return np.stack([own.rise.double().numpy() for own in costs])


class Effect:
    """Prompts, on which many vectors are tried for some target tokens."""

    def __init__(self, bench: Bench, prompts: Sequence[str], targets: frozenset[int]) -> None:
        self.model: SplicedModel = bench.spliced(prompt_pieces(bench, prompts))
        self.targets = torch.tensor(sorted(targets), device=bench.device)
        self.groups = Groups(np.arange(self.model.n_contexts), bench.config.seed)
        self._untouched = self._mass(None)

    def of(self, vectors: torch.Tensor) -> np.ndarray:
        """Rises of the targets' probability float64 [n_vectors, n_prompts], for vectors [n, d]."""
        masses = [self._mass(added_everywhere(vector)) for vector in vectors]
        return np.stack(masses) - self._untouched

    def _mass(self, splice: Splice | None) -> np.ndarray:
        probability = self.model.next_logits(splice).softmax(-1)
        return probability[:, self.targets].sum(1).double().cpu().numpy()
