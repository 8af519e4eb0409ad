"""What has to be chosen for an edit is chosen before it is judged, on other questions.

The strength of an edit is chosen for each attribute on pairs of other entities. The sets of
meta-latents differ from pair to pair, so they (and their strength) are chosen on the pair itself,
as published, but in another wording than the one that they are judged in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from precompute.dictionary import Dictionary
from precompute.experiments.edits.laboratory import Edit, Item, Laboratory, items_of, stronger
from precompute.experiments.edits.latent_edits import Parts, Subsets, subset_pairs
from precompute.experiments.edits.scoring import Scores, scores

MetaEdit = Callable[[Dictionary, Parts, Subsets], Edit]


@dataclass(frozen=True)
class Strengths:
    """Factors of an edit, and which of them each attribute takes."""

    tried: tuple[float, ...]
    chosen: tuple[float, ...]
    """Of each attribute."""
    rehearsed: list[Scores]
    """At each of `tried`, over the items of the pairs to choose by."""


def chosen_strengths(
    lab: Laboratory, make: Callable[[Item], Edit], strengths: Sequence[float]
) -> Strengths:
    """For each attribute, the strength with the best mean score; of equals the smallest.

    An attribute without a pair to choose by takes what is best for all attributes together.
    """
    tried, items = tuple(sorted(strengths)), items_of(lab.choosing_pairs)
    if not items:
        return Strengths(tried, (tried[0],) * len(lab.table.attributes), [])
    target = np.array([item.target for item in items])
    rehearsed = []
    for strength in tried:
        edits = [stronger(make(item), strength) for item in items]
        rehearsed.append(scores(lab.rehearse(edits), target))
    found = np.stack([one.disentangle for one in rehearsed], 1)
    chosen = []
    for attribute in range(len(lab.table.attributes)):
        own = target == attribute
        chosen.append(tried[int(found[own if own.any() else slice(None)].mean(0).argmax())])
    return Strengths(tried, tuple(chosen), rehearsed)


def chosen_subsets(
    lab: Laboratory, meta: Dictionary, parts: Sequence[Parts], make: MetaEdit
) -> list[Edit]:
    """For every item of the laboratory the best of the edits that its pair has sets for.

    Args:
        parts: of every pair, in order.
    """
    rng = np.random.default_rng(lab.seed)
    tried = []
    for own in parts:
        two = subset_pairs(own.only_own, own.only_other, lab.settings.subsets, rng)
        made = [make(meta, own, subsets) for subsets in two]
        tried.append([stronger(e, s) for s in sorted(lab.settings.latent_strengths) for e in made])
    replies = lab.rehearse([edit for edits in tried for edit in edits])
    chosen, start = [], 0
    for pair, edits in zip(lab.pairs, tried, strict=True):
        own = replies.take(np.arange(start, start + len(edits)))
        start += len(edits)
        for attribute in pair.attributes:
            found = scores(own, np.full(len(edits), attribute))
            wanted = found.odds - found.odds_elsewhere  # settles between equal scores
            chosen.append(edits[np.lexsort((-wanted, -found.disentangle))[0]])
    return chosen
