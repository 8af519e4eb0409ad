"""What decoder directions alone say: nearest latents, promoted tokens, a map."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from precompute.sources import LanguageModel

QUERY_ROWS = 2048
MAP_COMPONENTS = 50  # principal components that t-SNE starts from
MAP_PERPLEXITY = 30.0
MAP_ITERATIONS = 500


def nearest(
    queries: torch.Tensor, keys: torch.Tensor, k: int, same: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The k keys of highest cosine for each query; both are unit rows.

    Args:
        same: queries and keys are the same rows, so a row is not its own neighbour.

    Returns:
        Indices int64 and cosines float32, both [n_queries, min(k, n_keys - same)], best first.
    """
    k = min(k, len(keys) - same)
    indices, cosines = [], []
    for start in range(0, len(queries), QUERY_ROWS):
        block = queries[start : start + QUERY_ROWS] @ keys.t()
        if same:
            own = torch.arange(len(block))
            block[own, own + start] = -2.0
        best = block.topk(k, dim=1)
        indices.append(best.indices)
        cosines.append(best.values)
    return torch.cat(indices).numpy(), torch.cat(cosines).numpy()


def promoted_tokens(
    directions: torch.Tensor, language_model: LanguageModel, n_tokens: int
) -> tuple[list[list[dict[str, Any]]], list[list[dict[str, Any]]]]:
    """For each direction the tokens it promotes and suppresses most, with their logits.

    A logit is <direction, token direction - mean token direction>: the mean moves every token
    alike. No layer norm and no later block is applied, so this is a first-order reading.
    """
    ids, names = _ordinary_tokens(language_model.tokenizer)
    tokens = language_model.token_directions[ids]
    tokens = tokens - tokens.mean(0)
    promoted, suppressed = [], []
    for start in range(0, len(directions), QUERY_ROWS):
        logits = directions[start : start + QUERY_ROWS] @ tokens.t()
        promoted += _named(logits.topk(n_tokens, dim=1), names, 1.0)
        suppressed += _named((-logits).topk(n_tokens, dim=1), names, -1.0)
    return promoted, suppressed


def map_positions(directions: torch.Tensor, seed: int) -> np.ndarray:
    """float32 [n, 2]: t-SNE of the directions, started from their principal components."""
    rows = directions.numpy()
    if len(rows) < 3 * MAP_PERPLEXITY:
        return PCA(2, random_state=seed).fit_transform(rows).astype(np.float32)
    reduced = PCA(min(MAP_COMPONENTS, rows.shape[1]), random_state=seed).fit_transform(rows)
    tsne = TSNE(
        perplexity=MAP_PERPLEXITY,
        init="pca",
        max_iter=MAP_ITERATIONS,
        random_state=seed,
        metric="cosine",
    )
    return tsne.fit_transform(reduced).astype(np.float32)


def _ordinary_tokens(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[str]]:
    special = set(tokenizer.all_special_ids)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    kept = [i for token, i in vocabulary if i not in special and not token.startswith("[unused")]
    return kept, [str(tokenizer.decode([i], clean_up_tokenization_spaces=False)) for i in kept]


def _named(best: Any, names: list[str], sign: float) -> list[list[dict[str, Any]]]:
    return [
        [{"token": names[i], "logit": sign * value} for i, value in zip(row, values, strict=True)]
        for row, values in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]
