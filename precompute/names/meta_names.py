"""The name of a meta-latent: what its members, the latents it is a component of, have in common.

Latents are split in two halves by the word they stand for; names are chosen on one (`meaning.py`,
`spelling.py`). A spelling is the name when its balanced accuracy there matches that of the best
word, an ending when it is clearly higher. When neither reaches `min_accuracy`, or members stand for
too few words, nothing in common is claimed: the words of the strongest members are the name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from precompute.names.choosing import Half, Members, MetaName, chosen_words
from precompute.names.meaning import meaning_names
from precompute.names.patterns import spelling_patterns
from precompute.names.profiles import Lexicon, Profiles, meanings
from precompute.names.section import NamesConfig
from precompute.names.spelling import spelling_names
from precompute.terms import LABEL_TERMS, NO_LABEL, Label
from precompute.unsuitable import may_name


def name_meta_latents(
    members: Members, profiles: Profiles, lexicon: Lexicon, config: NamesConfig
) -> tuple[list[MetaName], list[MetaName]]:
    """The name of every meta-latent, and the words of its strongest members as another.

    Args:
        lexicon: of all words of the text.
    """
    latents = np.flatnonzero(profiles.chooses & profiles.has_words)
    pieces, vectors = lexicon.of(profiles.words)
    own = meanings(profiles, vectors)
    half = Half(
        profiles=profiles,
        latents=latents,
        weights=members.matrix(latents, weighted=True),
        own=None if own is None else own[latents],
        vectors=vectors,
    )
    listed = _members_names(half, members.n_meta)
    meant = meaning_names(half, lexicon, config.name_word_count)
    spelled = spelling_names(half, spelling_patterns(profiles.words, pieces))
    chosen = [
        _better(meaning, spelling, config) or strongest
        for meaning, spelling, strongest in zip(meant, spelled, listed, strict=True)
    ]
    return chosen, listed


def judged_scores(
    names: list[MetaName], profiles: Profiles, own: np.ndarray | None, shares: Any
) -> np.ndarray:
    """float32 [n, n_names]: each name's score of some latents; 0 by a name without rule.

    Args:
        own: float32 [n, d], of `meanings`, of these latents.
        shares: csr [n, n_words], rows of the profiles' matrix.
    """
    scores = np.zeros((shares.shape[0], len(names)), np.float32)
    directions = {i: n.direction for i, n in enumerate(names) if n.direction is not None}
    if directions and own is not None:
        scores[:, list(directions)] = own @ np.stack(list(directions.values())).T
    matches = {i: n.matches for i, n in enumerate(names) if n.matches is not None}
    if matches:
        scores[:, list(matches)] = shares @ chosen_words(profiles, list(matches.values())).T
    return scores


def _better(
    meaning: MetaName | None, spelling: MetaName | None, config: NamesConfig
) -> MetaName | None:
    """The meaning, the spelling where it tells as much, or None where both fail."""
    if meaning is not None and meaning.fit < config.min_accuracy:
        meaning = None
    if spelling is not None and spelling.fit < config.min_accuracy:
        spelling = None
    if meaning is None or spelling is None:
        return meaning or spelling
    margin = config.ending_margin if spelling.is_ending else -config.spelling_slack
    return spelling if spelling.fit >= meaning.fit + margin else meaning


def _members_names(half: Half, n_meta: int) -> list[MetaName]:
    """The words of the strongest members: what they are, not what they have in common."""
    names = [MetaName(NO_LABEL)] * n_meta
    meant: dict[int, tuple[Label, np.ndarray]] = {}
    for i in range(n_meta):
        members = half.members(i)
        order = np.argsort(-members.weights, kind="stable")
        fit = (word for word in members.best[order].tolist() if may_name(half.profiles.words[word]))
        best = list(dict.fromkeys(fit))[:LABEL_TERMS]
        if not best:
            continue
        text = ", ".join(half.profiles.words[word] for word in best)
        label = Label(text, "members", None, "word")
        if half.own is not None and half.vectors is not None:
            mean = half.vectors[best].mean(0)
            meant[i] = label, mean / max(float(np.linalg.norm(mean)), 1e-12)
        else:
            names[i] = half.by_words(label, np.array(best, np.int64), members.is_member)
    if meant:
        for i, name in half.by_meaning(meant).items():
            names[i] = name
    return names
