"""Of the components of a latent that stands for an entity, how many can be explained?

A component, in order of weight, is explained by an attribute of the entity ("country: Asia") when
the other entities of the kind that have the component share the value more often than the kind
does; by the spelling of its word when the strongest other latents that have the component begin
or end like it. Precision at k is the share of the first k components that are explained; dealing
the facts and words to other entities shows how much of it is luck.

Nobody reads anything: a component that is clear to a reader but in no table counts as unexplained,
so that the figure is a lower bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from precompute.decomposition import Decomposition
from precompute.measurements import INTERVAL, row
from precompute.trust.entity_latents import EntityLatents

EXPERIMENT = "explained"
MAX_COMPONENTS = 4  # the mean of a decomposition: k of the meta-SAE
MIN_OTHERS = 3  # other entities, or other words, before a share of them says something
MIN_SHARE = 0.5
MIN_LIFT = 2.0  # and how much more often than among all of the kind
TOP_MEMBERS = 20  # strongest other members whose words are compared

# What a pattern reads from a word, longer than what is read; "" where it does not apply.
PATTERNS: dict[str, Callable[[str], str]] = {
    "first letter": lambda word: word[:1] if len(word) > 1 else "",
    "first two letters": lambda word: word[:2] if len(word) > 2 else "",
    "last two letters": lambda word: word[-2:] if len(word) > 2 else "",
    "last three letters": lambda word: word[-3:] if len(word) > 3 else "",
    "number": lambda word: "number" if word.isnumeric() else "",
}


@dataclass(frozen=True)
class Explained:
    """The components of entity latents, by entity and then strongest first; arrays [n].

    Attributes:
        entity: index in `EntityLatents`.
        place: 0 for an entity's strongest component.
        by_attribute, by_spelling: bool.
    """

    entity: np.ndarray
    place: np.ndarray
    by_attribute: np.ndarray
    by_spelling: np.ndarray


@dataclass(frozen=True)
class Precision:
    """Mean share of the first k components explained, over `n` entities with at least k.

    `half_widths` of their 95 % intervals are from the spread over entities, which takes them for
    independent although some share their components.
    """

    k: int
    either: float
    by_attribute: float
    by_spelling: float
    half_widths: tuple[float, float, float]
    n: int


def explained_components(
    shown: Decomposition, n_meta: int, words: list[str], entities: EntityLatents
) -> Explained:
    """Find what explains each component of the entities' latents.

    Args:
        shown: decompositions of all latents of the SAE.
        words: best term of every latent, "" for none (`best_words`).
        entities: as found, or `shuffled` for the control. Members keep their own words in both.
    """
    index_of = np.full(len(words), -1, np.int64)
    index_of[entities.latent] = np.arange(len(entities.latent))
    own = np.flatnonzero(index_of[shown.latent] >= 0)
    order = np.lexsort(
        (shown.meta_latent[own], -shown.activation[own], index_of[shown.latent[own]])
    )
    own = own[order]
    entity, meta_latent = index_of[shown.latent[own]], shown.meta_latent[own]
    starts = np.searchsorted(entity, entity)
    has_part = np.zeros((len(entities.latent), n_meta), bool)
    has_part[entity, meta_latent] = True
    return Explained(
        entity=entity,
        place=np.arange(len(entity)) - starts,
        by_attribute=_by_attribute(has_part, entities)[entity, meta_latent],
        by_spelling=_by_spelling(shown, n_meta, words, entities, entity, meta_latent),
    )


def precision_at(found: Explained, k: int) -> Precision:
    """Precision of the first k components, over the entities with at least k."""
    has_k = found.entity[found.place == k - 1]
    first = np.isin(found.entity, has_k) & (found.place < k)
    ways = (found.by_attribute | found.by_spelling, found.by_attribute, found.by_spelling)
    shares = [way[first].reshape(-1, k).mean(1) for way in ways]
    n = len(has_k)
    if not n:
        return Precision(k, 0.0, 0.0, 0.0, (0.0, 0.0, 0.0), 0)
    either, by_attribute, by_spelling = (float(share.mean()) for share in shares)
    widths = tuple(INTERVAL * float(share.std() / np.sqrt(n)) for share in shares)
    return Precision(k, either, by_attribute, by_spelling, (widths[0], widths[1], widths[2]), n)


def explained_rows(
    meta_sae_id: str, found: Explained, shuffled: Explained, max_k: int = MAX_COMPONENTS
) -> list[dict[str, Any]]:
    """Measurements: precision at 1 to `max_k`, in all, by attribute and by spelling."""
    rows = []
    for suffix, explained in (("", found), (", shuffled", shuffled)):
        for k in range(1, max_k + 1):
            at = precision_at(explained, k)
            setting = f"first {k} components{suffix}"
            figures = (
                ("precision", at.either),
                ("by_attribute", at.by_attribute),
                ("by_spelling", at.by_spelling),
            )
            rows += [
                row(EXPERIMENT, meta_sae_id, setting, metric, value, at.n, half_width)
                for (metric, value), half_width in zip(figures, at.half_widths, strict=True)
            ]
    return rows


def _by_attribute(has_part: np.ndarray, entities: EntityLatents) -> np.ndarray:
    """bool [n_entities, n_meta]: whether some value of the entity explains the part, if it has it.

    Of the other entities with a value of the attribute that have the part, at least `MIN_OTHERS`,
    a share of at least `MIN_SHARE` and `MIN_LIFT` times the value's share of all has the value.
    A value of more than half of the kind ("base" of verbs) can thus explain nothing.
    """
    explained = np.zeros(has_part.shape, bool)
    for of in entities.values.values():
        members = np.flatnonzero(of != "")
        if not len(members):
            continue
        values, code, count = np.unique(of[members], return_inverse=True, return_counts=True)
        active = has_part[members]
        is_value = code == np.arange(len(values))[:, None]
        alike = (is_value.astype(np.float32) @ active.astype(np.float32))[code] - 1
        others = active.sum(0) - 1
        share = alike / np.maximum(others, 1)
        least = np.maximum(MIN_SHARE, MIN_LIFT * count / len(members))[code]
        explained[members] |= active & (others >= MIN_OTHERS) & (share >= least[:, None])
    return explained


def _by_spelling(
    shown: Decomposition,
    n_meta: int,
    words: list[str],
    entities: EntityLatents,
    entity: np.ndarray,
    meta_latent: np.ndarray,
) -> np.ndarray:
    """bool [n]: whether a pattern of the entity's word explains its component.

    Of the words of the strongest other members, at least `MIN_OTHERS` different ones, a share of at
    least `MIN_SHARE` and `MIN_LIFT` times the pattern's share of all words fits the pattern.
    """
    all_words = sorted(set(words) - {""})
    counts = {name: Counter(map(read, all_words)) for name, read in PATTERNS.items()}
    members = _member_words(shown, n_meta, words)
    found = np.zeros(len(entity), bool)
    for i, (who, part) in enumerate(zip(entity.tolist(), meta_latent.tolist(), strict=True)):
        word = str(entities.entity[who])
        # its own word is no other member's; in the control it has been given another one
        out = {word, words[entities.latent[who]]}
        others = [other for other in members[part] if other not in out][:TOP_MEMBERS]
        if len(others) < MIN_OTHERS:
            continue
        for name, read in PATTERNS.items():
            wanted = read(word)
            share = sum(read(other) == wanted for other in others) / len(others)
            usual = counts[name][wanted] / len(all_words)
            if wanted and share >= max(MIN_SHARE, MIN_LIFT * usual):
                found[i] = True
    return found


def _member_words(shown: Decomposition, n_meta: int, words: list[str]) -> list[list[str]]:
    """By meta-latent its members' words without repeats, strongest first; enough of them."""
    found: list[dict[str, None]] = [{} for _ in range(n_meta)]
    for i in np.lexsort((shown.latent, -shown.activation)):
        word, own = words[shown.latent[i]], found[shown.meta_latent[i]]
        if word and len(own) < TOP_MEMBERS + 2:  # two may be left out
            own[word] = None
    return [list(own) for own in found]
