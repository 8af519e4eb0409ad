"""Questions about the map of an SAE: where its latents are, and what colours them.

A map has up to `MOST_POINTS` points, so answers are arrays in the order of the points, and what
never changes is kept with its run. Rows as dicts would take ten times the room.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from backend.answers import every_answer
from backend.bounds import as_index, as_text, row_limit
from backend.question import Question
from backend.records import Record, column
from backend.stitching import KINDS
from backend.store import Run

MOST_HITS = 10_000
MOST_POINTS = 65_536  # what a page sends within its time; a browser still moves them all
LARGEST_HASH = 2**64 - 1  # DuckDB's are 64 bits
Values = list[Any] | NDArray[Any]
Kept = TypeVar("Kept")
# no other owner: what is kept goes with its run
_kept: WeakKeyDictionary[Run, dict[tuple[str, ...], Any]] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Points:
    """The latents of one SAE that are drawn, by index; all arrays have shape (n,).

    latents: indices, int32, rising. x, y: positions, float32. density: share of tokens (meta:
    decoder rows) on which it fires, float32, 0 when it is dead. n_components and explained
    (variance explained by the decomposition): float32, NaN where there is no decomposition.
    n_placed, n_latents: latents of the SAE with a position, and all; beyond `MOST_POINTS` a fixed
    random part of those with a position is drawn, those whose hash is at most `largest_hash`.
    """

    latents: NDArray[np.int32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    labels: list[str]
    density: NDArray[np.float32]
    n_components: NDArray[np.float32]
    explained: NDArray[np.float32]
    n_placed: int
    n_latents: int
    largest_hash: int = LARGEST_HASH

    @property
    def extent(self) -> float:
        """The larger side of the map."""
        return float(max(np.ptp(self.x), np.ptp(self.y))) if len(self.latents) else 0.0

    def aligned(self, latents: Values, values: Values) -> NDArray[np.float32]:
        """A value for some latents as an array over all points, NaN for the others."""
        given = np.asarray(latents, np.int64)
        places = np.searchsorted(self.latents, given)
        places[places == len(self.latents)] = 0
        here = self.latents[places] == given if len(self.latents) else np.zeros(len(given), bool)
        found = np.full(len(self.latents), np.nan, np.float32)
        found[places[here]] = np.asarray(values, np.float32)[here]
        return found


def points(run: Run, sae_id: str) -> Points:
    """The points of an SAE or meta-SAE; none when the run has no such or no position in it."""
    return _once(run, ("points", as_text(sae_id)), lambda: _read_points(run, as_text(sae_id)))


def point(run: Run, sae_id: str, latent: int) -> Record | None:
    """One latent: latent, label, x, y (None without a position); None when there is no such."""
    return run.row(
        """
        select latent, label, x, y from latent_facts
        where sae_id = $sae_id and latent = $latent
        """,
        sae_id=as_text(sae_id),
        latent=as_index(latent),
    )


def mean_stability(run: Run, meta_sae_id: str, of_members: bool = False) -> list[NDArray[Any]]:
    """Mean stability of the components of each latent; of its members for each meta-latent.

    Returns:
        Indices and means; latents without a component, or without a second seed, are left out, and
        so are those that the map does not draw.
    """
    name = "meta_latent" if of_members else "latent"
    return _once(
        run,
        ("stability", as_text(meta_sae_id), name),
        lambda: _two_lists(
            run,
            f"""
            select {name} as latent, avg(stability) as value from components
            where meta_sae_id = $sae_id and stability is not null and hash({name}) <= $drawn
            group by {name}
            """,
            sae_id=as_text(meta_sae_id),
            drawn=_largest_hash(run, meta_sae_id, of_members),
        ),
    )


def novelty_kinds(run: Run, small: str, large: str) -> list[NDArray[Any]]:
    """What each latent of the larger SAE is to the smaller one: indices, and places in `KINDS`.

    Those that the map does not draw are left out.
    """
    return _once(
        run,
        ("novelty", as_text(small), as_text(large)),
        lambda: _two_lists(
            run,
            """
            select latent, list_position($kinds, kind) - 1 as value from stitching
            where small_sae_id = $small and large_sae_id = $large and hash(latent) <= $drawn
            """,
            small=as_text(small),
            large=as_text(large),
            kinds=list(KINDS),
            drawn=points(run, large).largest_hash,
        ),
    )


def part_weights(run: Run, meta_sae_id: str, meta_latent: int) -> list[NDArray[Any]]:
    """The latents that a meta-latent is a component of: indices, and its weights."""
    return _two_lists(
        run,
        """
        select latent, activation as value from members
        where meta_sae_id = $meta_sae_id and meta_latent = $meta_latent
        """,
        meta_sae_id=as_text(meta_sae_id),
        meta_latent=as_index(meta_latent),
    )


def largest_parts(run: Run, meta_sae_id: str, limit: int) -> list[Record]:
    """The meta-latents that are part of most latents: latent, label, n_members."""
    return run.fixed_query(
        """
        select latent, label, count as n_members from latent_facts
        where sae_id = $meta_sae_id order by count desc, latent limit $limit
        """,
        meta_sae_id=as_text(meta_sae_id),
        limit=row_limit(limit),
    )


def hit_latents(run: Run, text: str, sae_id: str) -> list[int]:
    """The latents of one SAE that a search text finds, best first, at most `MOST_HITS`."""
    asked = Question(text=text, sae_id=as_text(sae_id))
    return column(every_answer(run, asked, MOST_HITS), "latent")


def _read_points(run: Run, sae_id: str) -> Points:
    found = run.arrays(
        """
        select latent, x, y, label, count / greatest(tokens_seen, 1) as density,
            coalesce(n_components, 'nan'::float) as n_components,
            coalesce(decomposition_variance_explained, 'nan'::float) as explained,
            hash(latent) as hash
        from latent_facts where sae_id = $sae_id and x is not null and y is not null
        order by hash limit $limit
        """,
        sae_id=sae_id,
        limit=MOST_POINTS,
    )
    of_all = run.row(
        """
        select count(*) as n_latents, count(*) filter (x is not null and y is not null) as n_placed
        from latent_facts where sae_id = $sae_id
        """,
        sae_id=sae_id,
    )
    order = np.argsort(found["latent"])
    n_placed = of_all["n_placed"] if of_all else 0
    # of a map that is not cut, latents without a position may come too: they have no place in it
    largest = int(found["hash"].max()) if n_placed > len(order) else LARGEST_HASH
    floats = {
        name: found[name][order].astype(np.float32)
        for name in ("x", "y", "density", "n_components", "explained")
    }
    return Points(
        latents=found["latent"][order],
        labels=found["label"][order].tolist(),
        n_placed=n_placed,
        n_latents=of_all["n_latents"] if of_all else 0,
        largest_hash=largest,
        **floats,
    )


def _largest_hash(run: Run, meta_sae_id: str, of_members: bool) -> int:
    """Of the points that stand for a meta-SAE's own latents, or for those that it splits."""
    if of_members:
        return points(run, meta_sae_id).largest_hash
    split = run.fixed_row(
        "select parent_sae_id from saes where sae_id = $sae_id", sae_id=as_text(meta_sae_id)
    )
    return points(run, split["parent_sae_id"] if split else "").largest_hash


def _two_lists(run: Run, rows: str, **params: Any) -> list[NDArray[Any]]:
    """Columns `latent` (int32) and `value` of a statement as two arrays."""
    found = run.arrays(rows, **params)
    return [found["latent"], found["value"]]


def _once(run: Run, key: tuple[str, ...], make: Callable[[], Kept]) -> Kept:
    """An answer that is asked for with every page; two visitors at once may both work it out."""
    answers = _kept.setdefault(run, {})
    if key not in answers:
        answers[key] = make()
    return answers[key]
