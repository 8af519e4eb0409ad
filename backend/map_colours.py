"""What the points of the map can be coloured by, for which SAE, and in which words.

Every colouring says its unit, its ends, and what the grey points are; one that an SAE cannot have
is not offered, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend import latent_map
from backend.latent_map import Points
from backend.records import Record
from backend.stitching import KINDS
from backend.store import Run
from backend.text_html import number, percent

COLOURS = {
    "density": "density",
    "components": "components",
    "part": "one part",
    "novelty": "novelty",
    "stability": "stability",
    "explained": "variance explained",
    "hit": "search hits",
}
NO_META = "no meta-SAE splits it"


@dataclass(frozen=True)
class Setting:
    """What the address says of the colouring.

    meta_sae_id: the meta-SAE that splits the shown SAE, or the shown one when it is a meta-SAE;
    "" when there is none. part, part_name: the chosen meta-latent. small: the smaller SAE that
    novelty is against. text: what was searched for.
    """

    meta_sae_id: str = ""
    part: int = -1
    part_name: str = ""
    small: str = ""
    text: str = ""


@dataclass(frozen=True, eq=False)
class Colouring:
    """Values of all points, NaN where there is none, and the words of the legend.

    name: of what is coloured, short. title: the same at length, with its unit. term: its glossary
    term, if it has one. grey: why a point is grey. groups: names of the categories, of which a
    value is then the place; empty for a scale from `low` to `high`, whose ends stand for all
    beyond them too.
    rank: what lists go by, lowest first, when that is not the value. show: a value in words.
    """

    values: NDArray[np.float32]
    name: str
    title: str
    grey: str
    term: str | None = None
    groups: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    is_log: bool = False
    rank: NDArray[np.float32] | None = None
    show: Callable[[float], str] = number

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which points have a colour."""
        return np.isfinite(self.values)

    def scaled(self) -> NDArray[np.float32]:
        """Values as places on the colour scale, 0 to 1; values beyond its ends stay at them."""
        values, low, high = self.values, self.low, self.high
        if self.is_log:
            values, low, high = np.log10(values), np.log10(low), np.log10(high)
        width = high - low
        scaled = (values - low) / width if width > 0 else np.where(self.known, 1.0, np.nan)
        return np.clip(scaled, 0, 1).astype(np.float32)


def offered(sae: Record, meta_sae_id: str, small_saes: list[str]) -> dict[str, str]:
    """Colours by name, each with the reason why this SAE cannot have it, or "".

    Args:
        sae: its row of `saes`.
        meta_sae_id: as in `Setting`.
        small_saes: the SAEs that it was stitched to.
    """
    is_meta = sae["kind"] == "meta"
    split = "a meta-latent is not split further" if is_meta else "" if meta_sae_id else NO_META
    reasons = dict.fromkeys(COLOURS, "")
    reasons |= dict.fromkeys(("components", "part", "explained"), split)
    reasons["stability"] = "" if is_meta else split
    reasons["novelty"] = "" if small_saes else "it was stitched to no smaller SAE"
    return reasons


def colouring(run: Run, points: Points, sae: Record, colour: str, setting: Setting) -> Colouring:
    """One of the colours that are `offered`; any other name means density."""
    is_meta = sae["kind"] == "meta"
    if colour == "components":
        values = points.n_components
        return Colouring(
            values,
            "components",
            "number of components",
            "not decomposed",
            term="components",
            low=0.0,
            high=_largest(values),
            show=lambda value: f"{value:.0f}",
        )
    if colour == "part":
        values = points.aligned(*latent_map.part_weights(run, setting.meta_sae_id, setting.part))
        title = f"weight of “{setting.part_name}”"
        grey = "without this part"
        return Colouring(
            values, "weight", title, grey, term="weight", low=0.0, high=_largest(values)
        )
    if colour == "novelty":
        kinds = latent_map.novelty_kinds(run, setting.small, sae["sae_id"])
        values = points.aligned(*kinds)
        grey = "not compared"
        return Colouring(
            values,
            "kind",
            f"what it is to {setting.small}",
            grey,
            term="novel",
            groups=KINDS,
            show=lambda value: KINDS[int(value)],
        )
    if colour == "stability":
        found = latent_map.mean_stability(run, setting.meta_sae_id, of_members=is_meta)
        whose = "in its members" if is_meta else "of its components"
        grey = "in no decomposition" if is_meta else "without a component"
        return Colouring(
            points.aligned(*found),
            "stability",
            f"mean stability {whose}",
            f"{grey}, or no other seed was trained",
            term="stability",
        )
    if colour == "explained":
        return Colouring(
            points.explained,
            "variance explained",
            "variance of the direction that its decomposition explains",
            "not decomposed",
            term="variance explained",
        )
    if colour == "hit":
        return _hits(run, points, sae["sae_id"], setting.text)
    return _density(points, "decoder rows" if is_meta else "tokens")


def _density(points: Points, unit: str) -> Colouring:
    alive = points.density > 0
    values = np.where(alive, points.density, np.nan).astype(np.float32)
    # a hundredth is beyond each end: a few latents that fire all the time would leave the others
    # with half of the colours
    low, high = np.quantile(points.density[alive], (0.01, 0.99)) if alive.any() else (1.0, 1.0)
    return Colouring(
        values,
        "density",
        f"share of {unit} on which it fires, logarithmic scale",
        f"dead: fired on none of the {unit}",
        term="density",
        low=float(low),
        high=float(high),
        is_log=True,
        show=percent,
    )


def _hits(run: Run, points: Points, sae_id: str, text: str) -> Colouring:
    """Hits have the value 0, their one category, and their place among the hits as rank."""
    hits = latent_map.hit_latents(run, text, sae_id) if text else []
    is_cut = len(hits) == latent_map.MOST_HITS
    most = f", the best {len(hits):,}" if is_cut else ""
    return Colouring(
        points.aligned(hits, [0.0] * len(hits)),
        "hit",
        "search hits" if text else "search hits, and nothing is searched for yet",
        "not found",
        groups=(f"found by “{text}”{most}",),
        rank=points.aligned(hits, [float(place) for place in range(len(hits))]),
        show=lambda _: "found",
    )


def _largest(values: NDArray[np.float32]) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else 0.0
