"""Names for meta-latents, from the latents they are part of.

A member says what it stands for through its terms; its weight says how much it counts. Two rules:
`prefix` when members share the beginning of their words rather than their meaning ("words in e-"),
else `members`, the terms that carry most weight.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pyarrow as pa

from precompute.terms import LABEL_TERMS, Label

LABEL_MEMBERS = 30  # strongest members that a label is read from
PREFIX_LENGTHS = (3, 2, 1)
PREFIX_SHARE = 0.7  # share of the weight whose words begin alike
PREFIX_LIFT = 4.0  # and how much more often than among all latents


def meta_labels(
    members: list[tuple[np.ndarray, np.ndarray]], parent: pa.Table, n_terms: int
) -> tuple[list[Label], list[list[dict[str, Any]]]]:
    """Label and top terms of each meta-latent.

    Args:
        members: for each meta-latent its latents and weights, strongest first.
        parent: `latents` of the parent SAE, in order of latent.

    Returns:
        Labels, and rows of `top_terms` in which score and precision are the share of the members'
        weight that a term carries, recall the share of all latents named by it that are members.
    """
    best = [terms[0]["term"] if terms else "" for terms in parent["top_terms"].to_pylist()]
    named_by = Counter(term for term in best if term)
    prefixes = {n: Counter(term[:n] for term in named_by) for n in PREFIX_LENGTHS}
    labels, all_terms = [], []
    for latents, weights in members:
        terms = _member_terms(latents, weights, best, named_by)[:n_terms]
        all_terms.append(terms)
        strongest = [
            (best[i], float(w))
            for i, w in zip(latents[:LABEL_MEMBERS], weights, strict=False)
            if best[i]
        ]
        labels.append(_label(strongest, terms, prefixes, len(named_by)))
    return labels, all_terms


def _member_terms(
    latents: np.ndarray, weights: np.ndarray, best: list[str], named_by: Counter[str]
) -> list[dict[str, Any]]:
    weight: defaultdict[str, float] = defaultdict(float)
    n_members: Counter[str] = Counter()
    for latent, activation in zip(latents.tolist(), weights.tolist(), strict=True):
        if best[latent]:
            weight[best[latent]] += activation
            n_members[best[latent]] += 1
    total = float(weights.sum())
    return [
        {
            "term": term,
            "score": value / total,
            "precision": value / total,
            "recall": n_members[term] / named_by[term],
            "count": n_members[term],
        }
        for term, value in sorted(weight.items(), key=lambda item: (-item[1], item[0]))
    ]


def _label(
    strongest: list[tuple[str, float]],
    terms: list[dict[str, Any]],
    prefixes: dict[int, Counter[str]],
    n_terms_known: int,
) -> Label:
    if not terms:
        return Label("", "none", None)
    words = {term: weight for term, weight in strongest}
    if len(words) >= LABEL_TERMS:
        for length in PREFIX_LENGTHS:
            shares: defaultdict[str, float] = defaultdict(float)
            for term, weight in words.items():
                shares[term[:length]] += weight / sum(words.values())
            prefix, share = max(shares.items(), key=lambda item: item[1])
            lift = share * n_terms_known / max(prefixes[length][prefix], 1)
            if share >= PREFIX_SHARE and lift >= PREFIX_LIFT and prefix.isalnum():
                return Label(f"words in {prefix}-", "prefix", share)
    names = list(dict.fromkeys(term for term, _ in strongest))[:LABEL_TERMS]
    covered = sum(term["score"] for term in terms[:LABEL_TERMS])
    return Label(", ".join(names), "members", min(1.0, covered))
