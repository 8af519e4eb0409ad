"""Which words a latent stands for, and which latents stand for a word.

For latent l and word w: recall = share of w's occurrences that l fires on; precision = share of
l's word firings that are on w; weighted precision = the same with every firing weighted by its
activation, so that weak stray firings count little. score = F1 of weighted precision and recall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from precompute.config import LatentConfig
from precompute.counting import WordCounts
from precompute.topk import rank_within

MIN_SCORE = 0.02  # a pair below this is noise, neither shown nor searchable
SINGLE_TERM_SCORE = 0.5  # from here on one word names the latent
LABEL_TERMS = 3


@dataclass(frozen=True)
class TermScores:
    """Kept (latent, word) pairs, by latent, best first; arrays are [n_pairs]."""

    latent: np.ndarray
    word: np.ndarray
    score: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    lift: np.ndarray
    count: np.ndarray


@dataclass(frozen=True)
class Label:
    """A latent's short name, the rule that made it, and how well it fits (0 to 1)."""

    text: str
    source: str
    score: float | None


def score_terms(words: WordCounts, min_term_count: int) -> TermScores:
    """Score every pair that occurs; keep those worth showing, sorted by latent and score."""
    latent, word = words.pair_latent, words.pair_word
    precision = words.pair_count / words.latent_count[latent]
    weighted = words.pair_sum / words.latent_sum[latent]
    recall = words.pair_count / words.word_total[word]
    score = 2 * weighted * recall / (weighted + recall)
    base_rate = words.word_total[word] / words.word_total.sum()
    keep = (score >= MIN_SCORE) & (words.word_total[word] >= min_term_count)
    order = np.lexsort((word[keep], -score[keep], latent[keep]))
    columns = (latent, word, score, precision, recall, precision / base_rate, words.pair_count)
    return TermScores(*(column[keep][order] for column in columns))


def top_terms(
    scores: TermScores, words: list[str], n_latents: int, n_terms: int
) -> list[list[dict[str, Any]]]:
    """For each latent its best terms, as rows of the `top_terms` column."""
    result: list[list[dict[str, Any]]] = [[] for _ in range(n_latents)]
    best = np.flatnonzero(rank_within(scores.latent) < n_terms)
    for i in best:
        result[scores.latent[i]].append(
            {
                "term": words[scores.word[i]],
                "score": float(scores.score[i]),
                "precision": float(scores.precision[i]),
                "recall": float(scores.recall[i]),
                "count": int(scores.count[i]),
            }
        )
    return result


def label_of(terms: list[dict[str, Any]]) -> Label:
    """One word when it fits well, else the three best, else nothing."""
    if not terms:
        return Label("", "none", None)
    best = terms[0]
    if best["score"] >= SINGLE_TERM_SCORE:
        return Label(best["term"], "term", best["score"])
    names = ", ".join(term["term"] for term in terms[:LABEL_TERMS])
    return Label(names, "terms", best["score"])


def fires_index(
    sae_id: str, scores: TermScores, words: list[str], totals: np.ndarray, config: LatentConfig
) -> list[dict[str, Any]]:
    """Rows of `terms` with index `fires`: for each word its best latents."""
    order = np.lexsort((scores.latent, -scores.score, scores.word))
    ranked_word = scores.word[order]
    rank = rank_within(ranked_word)
    n_latents = np.bincount(ranked_word, minlength=len(words))
    rows: dict[int, dict[str, Any]] = {}
    for i in order[rank < config.latents_per_term]:
        word = int(scores.word[i])
        row = rows.setdefault(
            word,
            {
                "sae_id": sae_id,
                "index": "fires",
                "term": words[word],
                "count": int(totals[word]),
                "n_latents": int(n_latents[word]),
                "latents": [],
            },
        )
        row["latents"].append(
            {
                "latent": int(scores.latent[i]),
                "score": float(scores.score[i]),
                "precision": float(scores.precision[i]),
                "recall": float(scores.recall[i]),
                "lift": float(scores.lift[i]),
            }
        )
    return list(rows.values())


def promotes_index(
    sae_id: str, promoted: list[list[dict[str, Any]]], config: LatentConfig
) -> list[dict[str, Any]]:
    """Rows of `terms` with index `promotes`: for each token the latents that promote it most."""
    found: dict[str, list[tuple[float, int]]] = {}
    for latent, tokens in enumerate(promoted):
        for token in tokens:
            found.setdefault(token["token"], []).append((-token["logit"], latent))
    blank = {"precision": None, "recall": None, "lift": None}
    return [
        {
            "sae_id": sae_id,
            "index": "promotes",
            "term": term,
            "count": 0,
            "n_latents": len(pairs),
            "latents": [
                {"latent": latent, "score": -negative, **blank}
                for negative, latent in sorted(pairs)[: config.latents_per_term]
            ],
        }
        for term, pairs in found.items()
    ]
