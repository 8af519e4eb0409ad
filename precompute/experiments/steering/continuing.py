"""Texts that the model writes while vectors are added: one vector for each text, at every token."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from precompute.experiments.bench import Bench
from precompute.experiments.steering.effects import added


def continued(
    bench: Bench,
    pieces: Sequence[np.ndarray],
    vectors: torch.Tensor,
    draws: np.ndarray,
    n_tokens: int,
    temperature: float,
) -> np.ndarray:
    """Sample what follows each piece; special tokens are never written.

    Texts of the same draw use the same random numbers, so where two vectors make no difference
    to the model, the texts do not differ either.

    Args:
        bench: of a causal model.
        pieces: token ids of each beginning.
        vectors: float32 [n_texts, d_in], added to the activation of every token of that text.
        draws: int64 [n_texts], counted from 0.
        n_tokens: to write.
        temperature: that logits are divided by.

    Returns:
        int64 [n_texts, n_tokens]: ids of what was written.
    """
    order = np.argsort([len(piece) for piece in pieces], kind="stable")  # little padding
    growing = [np.asarray(pieces[i], np.int64) for i in order]
    vectors = vectors[torch.from_numpy(order)]
    rng = np.random.default_rng(bench.config.seed)
    numbers = rng.random((n_tokens, int(draws.max(initial=0)) + 1))[:, draws[order]]
    special = torch.tensor(bench.language_model.tokenizer.all_special_ids, device=bench.device)
    written = np.empty((len(order), n_tokens), np.int64)
    for step in range(n_tokens):
        model = bench.spliced(growing)
        logits = model.next_logits(added(vectors[torch.from_numpy(model.context)]))
        ordinary = logits.double().index_fill(1, special, -torch.inf)
        chances = (ordinary / temperature).softmax(-1).cumsum(-1)
        wanted = torch.from_numpy(numbers[step])[:, None].to(chances.device) * chances[:, -1:]
        written[order, step] = torch.searchsorted(chances, wanted, right=True)[:, 0].cpu().numpy()
        growing = [
            np.append(ids, token) for ids, token in zip(growing, written[order, step], strict=True)
        ]
    return written
