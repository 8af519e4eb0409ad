"""What decoder directions alone say: nearest latents, promoted tokens, a map."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from torch.nn.functional import normalize
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from backend.tables.columns import TOKEN_LOGIT
from precompute.room import Room
from precompute.sources import LanguageModel
from precompute.sparse import entry_dots
from precompute.topk import rank_within

QUERY_ROWS = 2048
KEY_ROWS = 32_768  # 134 MB of cosines in bfloat16: enough of them for a cut that few are above
TILE_KEYS = 2048  # 8 MB of cosines: once there is a cut, they need not leave the cache
# bfloat16 has 8 significant bits: 2^-8 for both factors of a cosine, 2^-9 for the sum, and 2^-9 for
# what it is compared with
COARSE_ERROR = 2**-7
MAP_COMPONENTS = 50  # principal components that t-SNE starts from
MAP_PERPLEXITY = 30.0
MAP_ITERATIONS = 500
MOST_MAPPED = 50_000  # directions laid out by t-SNE itself, whose time and memory would be hours
MAP_NEAR = 5  # of them that say where another one belongs


def nearest(
    queries: torch.Tensor, keys: torch.Tensor, k: int, same: bool, first: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The k keys of highest cosine for each query, exactly; both are float32 unit rows.

    A product in bfloat16 leaves those that can be among the k, which float32 then ranks.

    Args:
        same: queries are keys too, so that one is not its own neighbour.
        first: number among the keys of the first query, where they are.

    Returns:
        Indices int64 and cosines float32, both [n_queries, min(k, n_keys - same)], best first; of
        equal cosines the smaller index comes first.
    """
    k = min(k, len(keys) - same)
    indices = np.empty((len(queries), k), np.int64)
    cosines = np.empty((len(queries), k), np.float32)
    if k == 0:
        return indices, cosines
    coarse = keys.bfloat16()
    room = Room(coarse, min(len(queries), QUERY_ROWS) * min(len(keys), KEY_ROWS))
    for start in range(0, len(queries), QUERY_ROWS):
        block = slice(start, start + QUERY_ROWS)
        own = first + start if same else None
        indices[block], cosines[block] = _nearest_block(queries[block], keys, coarse, room, k, own)
    return indices, cosines


def _nearest_block(
    queries: torch.Tensor,
    keys: torch.Tensor,
    coarse: torch.Tensor,
    room: Room,
    k: int,
    own: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """`nearest` for some queries.

    Args:
        coarse: the keys in bfloat16.
        own: number of the key that is the first query; None when no key is a query.
    """
    n, rounded = len(queries), queries.bfloat16()
    indices, cosines = np.zeros((n, k), np.int64), np.full((n, k), -np.inf, np.float32)
    for first in range(0, len(keys), KEY_ROWS):
        stop, width = min(first + KEY_ROWS, len(keys)), TILE_KEYS if first else KEY_ROWS
        cut = torch.from_numpy(cosines[:, -1]) - COARSE_ERROR
        near: list[tuple[np.ndarray, np.ndarray]] = []
        for start in range(first, stop, width):
            tile = slice(start, min(start + width, stop))
            product = room.product(rounded, coarse[tile].t())
            if own is not None:
                same = np.arange(max(start, own), min(tile.stop, own + n))
                product[same - own, same - start] = -torch.inf
            if first == 0:
                best = product.topk(min(k, product.shape[1]), dim=1).values[:, -1]
                cut = best.float() - 2 * COARSE_ERROR
            found = room.found(product, cut.bfloat16()[:, None])
            row, column = np.divmod(found, product.shape[1])
            near.append((row, column + start))
        row, index = map(np.concatenate, zip(*near, strict=True))
        exact = entry_dots(queries, keys, *map(torch.from_numpy, (row, index))).numpy()
        known = np.repeat(np.arange(n), k)[: n * k if first else 0]
        row = np.concatenate([known, row])
        index = np.concatenate([indices.ravel()[: len(known)], index])
        exact = np.concatenate([cosines.ravel()[: len(known)], exact])
        order = np.lexsort((index, -exact, row))
        rank = rank_within(row[order])
        order, rank = order[rank < k], rank[rank < k]
        indices[row[order], rank], cosines[row[order], rank] = index[order], exact[order]
    return indices, cosines


def promoted_tokens(
    directions: torch.Tensor, language_model: LanguageModel, n_tokens: int
) -> tuple[pa.ListArray, pa.ListArray]:
    """For each direction the tokens it promotes and suppresses most, with their logits.

    A logit is <direction, token direction - mean token direction>: the mean moves every token
    alike. No layer norm and no later block is applied, so this is a first-order reading. Directions
    of attention's heads or of the MLP's inside are written into the residual stream first.

    Returns:
        Two columns of `latents` with a list for each direction, empty where nothing says how the
        place that the model was loaded for writes into the residual stream.
    """
    written = language_model.place().into_residual(directions)
    if written is None:
        none = pa.array([[]] * len(directions), pa.list_(TOKEN_LOGIT.arrow))
        return none, none
    ids, names = _ordinary_tokens(language_model.tokenizer)
    tokens = language_model.token_directions[ids]
    tokens = tokens - tokens.mean(0)
    best: tuple[list[pa.Array], list[pa.Array]] = [], []
    room = Room(written, min(QUERY_ROWS, len(written)) * len(tokens))
    for start in range(0, len(written), QUERY_ROWS):
        logits = room.product(written[start : start + QUERY_ROWS], tokens.t())
        for sign, column in zip((1.0, -1.0), best, strict=True):
            column.append(_named(logits.topk(n_tokens, dim=1), names, sign))
            logits.neg_()
    promoted, suppressed = map(pa.concat_arrays, best)
    return promoted, suppressed


def map_positions(directions: torch.Tensor, seed: int) -> np.ndarray:
    """float32 [n, 2]: t-SNE of the directions, started from their principal components.

    Of more than `MOST_MAPPED` directions a random sample is laid out; each other one is put where
    the sampled ones most like it are, at the median of both coordinates, as openTSNE adds points
    to a map (Policar et al. 2024).
    """
    rows = directions.numpy()
    if len(rows) < 3 * MAP_PERPLEXITY:
        return PCA(2, random_state=seed).fit_transform(rows).astype(np.float32)
    pca = PCA(min(MAP_COMPONENTS, rows.shape[1]), random_state=seed)
    if len(rows) <= MOST_MAPPED:
        return _laid_out(pca.fit_transform(rows), seed)
    chosen = np.sort(np.random.default_rng(seed).choice(len(rows), MOST_MAPPED, replace=False))
    landmarks = pca.fit_transform(rows[chosen])
    places = _laid_out(landmarks, seed)
    keys = normalize(torch.from_numpy(landmarks))
    positions = np.empty((len(rows), 2), np.float32)
    for start in range(0, len(rows), KEY_ROWS):
        reduced = normalize(torch.from_numpy(pca.transform(rows[start : start + KEY_ROWS])))
        near, _ = nearest(reduced, keys, MAP_NEAR, same=False)
        positions[start : start + KEY_ROWS] = np.median(places[near], axis=1)
    positions[chosen] = places
    return positions


def _laid_out(reduced: np.ndarray, seed: int) -> np.ndarray:
    tsne = TSNE(
        perplexity=MAP_PERPLEXITY,
        init="pca",
        max_iter=MAP_ITERATIONS,
        random_state=seed,
        metric="cosine",
    )
    return tsne.fit_transform(reduced).astype(np.float32)


def _ordinary_tokens(tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], pa.StringArray]:
    """Ids of tokens that stand for text, and that text."""
    special = set(tokenizer.all_special_ids)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    kept = [i for token, i in vocabulary if i not in special and not token.startswith("[unused")]
    names = [str(tokenizer.decode([i], clean_up_tokenization_spaces=False)) for i in kept]
    return kept, pa.array(names, pa.string())


def _named(best: torch.return_types.topk, names: pa.StringArray, sign: float) -> pa.ListArray:
    """A list of tokens and logits for each row: a million latents have 20 million of them."""
    n, k = best.indices.shape
    tokens = names.take(pa.array(best.indices.flatten().numpy()))
    logits = pa.array((sign * best.values).flatten().numpy())
    both = pa.StructArray.from_arrays([tokens, logits], fields=list(TOKEN_LOGIT.arrow))
    return pa.ListArray.from_arrays(pa.array(np.arange(0, n * k + 1, k), pa.int32()), both)
