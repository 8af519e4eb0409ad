"""How alike two compared latents are: cosine, parts, texts in common, firing together.

Cosines come from the stored neighbours where the pair is listed there, so that every page says the
same, else from the 8-bit directions (to about 0.01); when neither has it there is no figure, only
the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from backend import directions, queries
from backend.compare import Examples, cofiring, list_length
from backend.compared import Compared, part_overlap
from backend.records import Record
from backend.store import Run


@dataclass(frozen=True)
class Together:
    """How often two latents fire on the same tokens of the sample."""

    together: int
    fired: int
    other_fired: int
    tokens: int

    @property
    def jaccard(self) -> float:
        """Tokens on which both fire / tokens on which one of them does."""
        return self.together / max(self.fired + self.other_fired - self.together, 1)

    @property
    def by_chance(self) -> float:
        """Tokens on which both would fire if they had nothing to do with each other."""
        return self.fired * self.other_fired / max(self.tokens, 1)

    @property
    def lift(self) -> float | None:
        return self.together / self.by_chance if self.by_chance > 0 else None


@dataclass(frozen=True)
class Pair:
    """Two of the compared latents, by their places; a figure that is missing has words instead."""

    first: int
    second: int
    cosine: float | None
    cosine_words: str
    overlap: float | None
    overlap_words: str
    n_common: int | None
    common_words: str
    together: Together | None
    together_words: str


def firing_together(
    lists: dict[int, list[Record]], first: int, second: int, longest: int
) -> tuple[Together | None, str]:
    """Two latents of one SAE, from the list of either; when neither has the pair, what that means.

    Args:
        lists: of `cofiring`.
        longest: rows of a full list: one that is full ends at its smallest Jaccard index, and no
            latent beyond it can have a higher one.
    """
    for one, other in ((first, second), (second, first)):
        for row in lists.get(one, []):
            if row["other_latent"] == other:
                fired = (row["fired"], row["other_fired"])
                mine, theirs = fired if one == first else fired[::-1]
                return Together(row["together"], mine, theirs, row["tokens_seen"]), ""
    if not longest:
        return None, "not counted in this run"
    ends = [own[-1] for own in (lists.get(first, []), lists.get(second, [])) if own]
    full = [row for row in ends if row["rank"] + 1 >= longest]
    if len(full) < 2:
        return None, "not listed, though a list has room: on no token, or on too few to be listed"
    bound = min(
        Together(row["together"], row["fired"], row["other_fired"], row["tokens_seen"]).jaccard
        for row in full
    )
    return None, f"Jaccard at most {bound:.3f}: not among the {longest} nearest of either"


def pairs(
    runs: Sequence[Run],
    items: Sequence[Compared],
    examples: Sequence[Examples],
    neighbours: Sequence[list[Record]],
) -> list[Pair]:
    """Every two of the latents.

    Args:
        runs: that of each latent.
        examples: of `stored_examples`, of each latent.
        neighbours: of `queries.neighbours`, of each latent.
    """
    rows = [_Row(run, item) for run, item in zip(runs, items, strict=True)]
    lists, longest = _lists(runs, items)
    found = []
    for i, j in combinations(range(len(items)), 2):
        a, b = items[i], items[j]
        value, words = _cosine(rows[i], rows[j], neighbours[i], neighbours[j])
        common, common_words = _common(a, b, examples[i], examples[j])
        together, told = None, "only latents of one SAE are counted together"
        if a.key[:2] == b.key[:2]:
            place = a.key[:2]
            told = "the same latent"
            if a.key != b.key:
                together, told = firing_together(
                    lists[place], a.latent.latent, b.latent.latent, longest[place]
                )
        overlap = part_overlap(a, b)
        found.append(Pair(i, j, value, words, *overlap, common, common_words, together, told))
    return found


def not_comparable(first: Run, a: Record, second: Run, b: Record) -> str:
    """Why directions of two SAEs (rows of `saes`) cannot be compared; "" when they can."""
    if first.manifest.model_sha256 != second.manifest.model_sha256:
        return "not comparable: the runs are of different models"
    if _hook(first, a) != _hook(second, b):
        return "not comparable: read at different places of the model"
    if a["d_in"] != b["d_in"]:
        return f"not comparable: {a['d_in']} and {b['d_in']} dimensions"
    return ""


def _hook(run: Run, sae: Record) -> str:
    """Where the directions of an SAE live in the model; a meta-SAE's live where its parent's do."""
    parents = {other["sae_id"]: other["hook_name"] for other in queries.saes(run)}
    return parents.get(sae["parent_sae_id"], sae["hook_name"])


class _Row:
    """The decoder row of a latent, read when it is first asked for."""

    def __init__(self, run: Run, item: Compared) -> None:
        self.run, self.item = run, item
        self._read: list[directions.Vector | None] = []

    def vector(self) -> directions.Vector | None:
        if not self._read:
            latent = self.item.latent
            self._read.append(directions.row(self.run, latent.sae_id, latent.latent))
        return self._read[0]


def _lists(
    runs: Sequence[Run], items: Sequence[Compared]
) -> tuple[dict[tuple[str, str], dict[int, list[Record]]], dict[tuple[str, str], int]]:
    """Lists of `cofiring` and their full length, of each SAE that has two of the latents."""
    by_sae: dict[tuple[str, str], list[tuple[Run, int]]] = {}
    for run, item in zip(runs, items, strict=True):
        by_sae.setdefault(item.key[:2], []).append((run, item.latent.latent))
    lists, longest = {}, {}
    for place, own in by_sae.items():
        if len(own) > 1:
            lists[place] = cofiring(own[0][0], place[1], [latent for _, latent in own])
            longest[place] = list_length(own[0][0], place[1])[0]
    return lists, longest


def _cosine(
    first: _Row, second: _Row, near: list[Record], near_second: list[Record]
) -> tuple[float | None, str]:
    a, b = first.item, second.item
    if a.key == b.key:
        return 1.0, ""
    if a.run == b.run:
        for rows, other in ((near, b), (near_second, a)):
            for row in rows:
                if (row["other_sae_id"], row["other_latent"]) == other.key[1:]:
                    return row["cosine"], ""
    reason = not_comparable(first.run, a.sae, second.run, b.sae)
    if reason:
        return None, reason
    one, other = first.vector(), second.vector()
    if one is None or other is None:
        missing = a.latent.sae_id if one is None else b.latent.sae_id
        told = "not among the nearest of either" if a.run == b.run else "not comparable"
        return None, f"{told}, and the directions of {missing} are not stored"
    value = directions.cosine(one, other)
    return value, "" if value is not None else "one of them has no direction"


def _common(a: Compared, b: Compared, first: Examples, second: Examples) -> tuple[int | None, str]:
    if a.run != b.run:
        return None, "texts are numbered in each run by itself"
    if not (first and second):
        return None, "one has no stored example"
    return len(first.keys() & second.keys()), f"of {len(first)} and {len(second)} stored"
