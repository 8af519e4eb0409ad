"""Terms as Arrow columns: `top_terms` of `latents`, and the rows of `terms`.

Everything is built from whole arrays, so that a million latents cost seconds.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pyarrow as pa

from backend.tables.columns import LATENT_SCORE
from backend.tables.evidence import TERMS
from precompute.terms import Label, TermScores, label_of
from precompute.topk import rank_within

LABELS_AT_ONCE = 20_000  # latents whose terms are Python objects at one time


def chosen(scores: TermScores, rows: np.ndarray) -> TermScores:
    """Some of the pairs, in the order given."""
    return TermScores(*(getattr(scores, field.name)[rows] for field in fields(scores)))


def term_lists(best: TermScores, words: list[str], n_latents: int) -> pa.ListArray:
    """For each latent its terms, best first, in double precision.

    Args:
        best: the pairs to list, sorted by latent, best first.
    """
    terms = pa.StructArray.from_arrays(
        [
            pa.array(words, pa.string()).take(pa.array(best.word, pa.int64())),
            pa.array(best.score, pa.float64()),
            pa.array(best.precision, pa.float64()),
            pa.array(best.recall, pa.float64()),
            pa.array(best.count, pa.int64()),
        ],
        ["term", "score", "precision", "recall", "count"],
    )
    offsets = np.searchsorted(best.latent, np.arange(n_latents + 1))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), terms)


def labels_of(terms: pa.ListArray) -> list[Label]:
    """The name of every latent from its terms."""
    labels = []
    for start in range(0, len(terms), LABELS_AT_ONCE):
        labels += [label_of(own) for own in terms.slice(start, LABELS_AT_ONCE).to_pylist()]
    return labels


def index_table(
    sae_id: str,
    index: str,
    best: TermScores,
    names: list[str],
    totals: np.ndarray,
    n_latents: np.ndarray,
) -> pa.Table:
    """Rows of `terms`: for each term its best latents.

    Args:
        best: the pairs to list, sorted by term, best first.
        totals: int64 [n_terms], occurrences of each.
        n_latents: int64 [n_terms], latents found for each before the list was cut.
    """
    found, starts = np.unique(best.word, return_index=True)
    latents = pa.StructArray.from_arrays(
        [
            pa.array(column).cast(field.type)
            for column, field in zip(
                (best.latent, best.score, best.precision, best.recall, best.lift),
                LATENT_SCORE.arrow,
                strict=True,
            )
        ],
        fields=list(LATENT_SCORE.arrow),
    )
    return _rows(
        sae_id,
        index,
        pa.array(names, pa.string()).take(pa.array(found, pa.int64())),
        totals[found],
        n_latents[found],
        pa.ListArray.from_arrays(pa.array([*starts, len(best.word)], pa.int32()), latents),
    )


def ranked_index(
    sae_id: str, index: str, scores: TermScores, names: list[str], totals: np.ndarray, most: int
) -> pa.Table:
    """Rows of `terms` from all pairs; of equal scores the first latent leads."""
    order = np.lexsort((scores.latent, -scores.score, scores.word))
    best = order[rank_within(scores.word[order]) < most]
    n_latents = np.bincount(scores.word, minlength=len(names))
    return index_table(sae_id, index, chosen(scores, best), names, totals, n_latents)


def promotes_index(sae_id: str, promoted: pa.ListArray, most: int) -> pa.Table:
    """Rows of `terms` with index `promotes`: for each token the latents that promote it most.

    Args:
        promoted: the column `promoted` of `latents`, in order of latent.
        most: latents kept for a token.
    """
    tokens, logits = promoted.flatten().flatten()
    encoded = tokens.dictionary_encode()  # numbered as they are met, which orders the rows
    term = encoded.indices.to_numpy()
    latent = np.repeat(np.arange(len(promoted)), promoted.value_lengths().to_numpy())
    logit = logits.to_numpy()
    order = np.lexsort((latent, -logit, term))
    best = order[rank_within(term[order]) < most]
    blank = pa.nulls(len(best), pa.float32())
    latents = pa.StructArray.from_arrays(
        [pa.array(latent[best], pa.int32()), pa.array(logit[best]), blank, blank, blank],
        fields=list(LATENT_SCORE.arrow),
    )
    n_terms = len(encoded.dictionary)
    starts = np.searchsorted(term[best], np.arange(n_terms + 1))
    return _rows(
        sae_id,
        "promotes",
        encoded.dictionary,
        np.zeros(n_terms, np.int64),
        np.bincount(term, minlength=n_terms),
        pa.ListArray.from_arrays(pa.array(starts, pa.int32()), latents),
    )


def _rows(
    sae_id: str,
    index: str,
    terms: pa.Array,
    counts: np.ndarray,
    n_latents: np.ndarray,
    latents: pa.ListArray,
) -> pa.Table:
    return pa.Table.from_arrays(
        [
            pa.repeat(sae_id, len(terms)),
            pa.repeat(index, len(terms)),
            terms,
            pa.array(counts, pa.int32()),
            pa.array(n_latents, pa.int32()),
            latents,
        ],
        schema=TERMS.arrow,
    )
