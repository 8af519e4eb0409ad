"""Latents side by side: who they are, which parts and words they have in common. Pure.

A part belongs to the meta-SAE that found it, so two latents share a part only when the same
decoder (by its hash) split them: this holds between runs too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.latent import Latent
from backend.links import COMPARED, Link, compare_link, latent_link
from backend.records import Record
from backend.text_html import latent_name

MOST_NEAREST = 8  # that several latents have in common
MOST_OWN = 5  # words and tokens that only one has; more tell little
RUN_MARK = ":"  # stands between a run and an SAE in an address

PartKey = tuple[str, int]  # hash of the meta-SAE's decoder, meta-latent


@dataclass(frozen=True)
class Compared:
    """One of the latents that are compared.

    run: name of its run; home: name of the run that the page shows, whose latents have a shorter
    address. sae and meta_sae: rows of `saes`; meta_sae is None when its SAE was not decomposed.
    components: rows of `queries.components`.
    """

    run: str
    home: str
    latent: Latent
    sae: Record
    meta_sae: Record | None
    components: list[Record]

    @property
    def kind(self) -> str:
        return self.sae["kind"]

    @property
    def name(self) -> str:
        """Its label or number; not escaped."""
        return latent_name(self.latent.label, self.latent.latent, self.kind)

    @property
    def key(self) -> tuple[str, str, int]:
        return self.run, self.latent.sae_id, self.latent.latent

    @property
    def place(self) -> tuple[str, int]:
        """What `links.compare_link` takes: the SAE, with its run in front when it is another."""
        return in_run(self.latent.sae_id, self.run, self.home), self.latent.latent

    @property
    def page(self) -> Link:
        return latent_link(self.latent.sae_id, self.latent.latent, self.kind, self.run)

    @property
    def parts(self) -> dict[PartKey, Record]:
        """Its components by what they are; a meta-latent is the only part of itself."""
        if self.kind == "meta":
            label, index = self.latent.label, self.latent.latent
            own = {"meta_latent": index, "label": label, "activation": 1.0, "share": None}
            return {(self.sae["decoder_sha256"], index): own}
        if self.meta_sae is None:
            return {}
        decoder = self.meta_sae["decoder_sha256"]
        return {(decoder, row["meta_latent"]): row for row in self.components}


@dataclass(frozen=True)
class SharedRow:
    """One thing that at least one of the latents has, and its figure in each of them."""

    name: str
    values: tuple[float | None, ...]
    link: Link | None = None
    shares: tuple[float | None, ...] = ()

    @property
    def n_owners(self) -> int:
        return sum(value is not None for value in self.values)


def in_run(sae_id: str, run: str, home: str) -> str:
    """An SAE as an address on this page names it."""
    return sae_id if run == home else f"{run}{RUN_MARK}{sae_id}"


def without(items: Sequence[Compared], place: int) -> Link:
    """The page with one latent taken away."""
    kept = [item.place for i, item in enumerate(items) if i != place]
    return compare_link(kept, items[place].home)


def with_one(items: Sequence[Compared], added: tuple[str, int], home: str) -> Link | None:
    """The page with one latent more; None when it is there already or the page is full."""
    places = [item.place for item in items]
    if added in places or len(places) >= len(COMPARED):
        return None
    return compare_link([*places, added], home)


def part_rows(items: Sequence[Compared]) -> list[SharedRow]:
    """All components of all latents: those that most of them have first, then the heaviest."""
    parts = [item.parts for item in items]
    links = {
        key: latent_link(_meta_id(item), key[1], "meta", item.run)
        for item in reversed(items)
        for key in item.parts
    }
    rows = []
    for key in {key: None for own in parts for key in own}:
        found = [own.get(key) for own in parts]
        first = next(row for row in found if row is not None)
        rows.append(
            SharedRow(
                latent_name(first["label"], key[1], "meta"),
                tuple(None if row is None else row["activation"] for row in found),
                links[key],
                tuple(None if row is None else row["share"] for row in found),
            )
        )
    return _ordered(rows)


def listed_rows(lists: Sequence[Mapping[str, float]], most_own: int = MOST_OWN) -> list[SharedRow]:
    """Words (or tokens) with their figure in each list: shared ones first, then each one's best.

    Args:
        lists: for each latent, figure by word, best first.
        most_own: words of one latent alone that are kept.
    """
    words = {word: None for own in lists for word in own}
    rows = [SharedRow(word, tuple(own.get(word) for own in lists)) for word in words]
    kept: dict[int, int] = {}
    shown = []
    for row in _ordered(rows):
        if row.n_owners == 1:
            owner = next(i for i, value in enumerate(row.values) if value is not None)
            kept[owner] = kept.get(owner, 0) + 1
            if kept[owner] > most_own:
                continue
        shown.append(row)
    return shown


def shared_nearest(
    items: Sequence[Compared], neighbours: Sequence[Sequence[Record]]
) -> dict[tuple[str, str, int], tuple[float | None, ...]]:
    """Latents among the stored nearest of two or more of those compared, as (run, SAE, latent),
    with their cosines; those that most of them share first, at most `MOST_NEAREST`.

    Args:
        neighbours: of `compare.nearest`, of each latent.
    """
    own = {item.key for item in items}
    found: dict[tuple[str, str, int], list[float | None]] = {}
    for place, (item, rows) in enumerate(zip(items, neighbours, strict=True)):
        for row in rows:
            key = (item.run, row["other_sae_id"], row["other_latent"])
            if key not in own:
                found.setdefault(key, [None] * len(items))[place] = row["cosine"]

    def rank(entry: tuple[tuple[str, str, int], list[float | None]]) -> tuple[Any, ...]:
        known = [value for value in entry[1] if value is not None]
        return -len(known), -sum(known), entry[0]

    shared = [(key, values) for key, values in found.items() if len(items) - values.count(None) > 1]
    return {key: tuple(values) for key, values in sorted(shared, key=rank)[:MOST_NEAREST]}


def part_overlap(first: Compared, second: Compared) -> tuple[float | None, str]:
    """Cosine of the component weights of two latents, 0 to 1, and why there is none.

    Each latent is a vector with one number a meta-latent: its weight, 0 where it is no component.
    """
    for item in (first, second):
        if item.kind == "meta":
            return None, "a meta-latent is a part and has none"
        if item.meta_sae is None:
            return None, f"{item.latent.sae_id} is not decomposed"
    a, b = first.parts, second.parts
    if not (a and b):
        return None, "one has no component"
    if next(iter(a))[0] != next(iter(b))[0]:
        return None, "split by different meta-SAEs"
    dot = sum(row["activation"] * b[key]["activation"] for key, row in a.items() if key in b)
    lengths = [math.sqrt(sum(row["activation"] ** 2 for row in own.values())) for own in (a, b)]
    return min(dot / (lengths[0] * lengths[1]), 1.0), ""


def _ordered(rows: Sequence[SharedRow]) -> list[SharedRow]:
    """Shared by most first; of one latent alone in the order of the latents; then heaviest."""

    def place(row: SharedRow) -> tuple[float, int, float, str]:
        known = [value for value in row.values if value is not None]
        first = next(i for i, value in enumerate(row.values) if value is not None)
        return -len(known), first if len(known) == 1 else 0, -sum(known), row.name

    return sorted(rows, key=place)


def _meta_id(item: Compared) -> str:
    return item.latent.sae_id if item.meta_sae is None else item.meta_sae["sae_id"]
