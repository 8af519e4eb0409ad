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
    row = run.row(
        """
        with placed as (
            select latent, x, y, label, count, tokens_seen, n_components,
                decomposition_variance_explained
            from latent_facts where sae_id = $sae_id and x is not null and y is not null
        ), drawn as (
            from placed order by hash(latent) limit $limit
        )
        select list(latent order by latent) as latents, list(x order by latent) as x,
            list(y order by latent) as y, list(label order by latent) as labels,
            list(count / greatest(tokens_seen, 1) order by latent) as density,
            list(coalesce(n_components, 'nan'::float) order by latent) as n_components,
            list(coalesce(decomposition_variance_explained, 'nan'::float) order by latent)
                as explained,
            max(hash(latent)) as largest_hash, (select count(*) from placed) as n_placed,
            (select count(*) from latent_facts where sae_id = $sae_id) as n_latents
        from drawn
        """,
        sae_id=sae_id,
        limit=MOST_POINTS,
    )
    found = row or {}  # a list without rows is None
    is_cut = found.get("n_placed", 0) > len(found.get("latents") or [])
    floats = {
        name: np.array(found.get(name) or [], np.float32)
        for name in ("x", "y", "density", "n_components", "explained")
    }
    return Points(
        latents=np.array(found.get("latents") or [], np.int32),
        labels=found.get("labels") or [],
        n_placed=found.get("n_placed", 0),
        n_latents=found.get("n_latents", 0),
        # latents without a position may come too: they have no place among the points
        largest_hash=found["largest_hash"] if is_cut else LARGEST_HASH,
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
    row = run.row(f"select list(latent) as latents, list(value) as found from ({rows})", **params)
    found = row or {}
    lists = (found.get("latents") or [], found.get("found") or [])
    return [np.array(lists[0], np.int32), np.array(lists[1])]


def _once(run: Run, key: tuple[str, ...], make: Callable[[], Kept]) -> Kept:
    """An answer that is asked for with every page; two visitors at once may both work it out."""
    answers = _kept.setdefault(run, {})
    if key not in answers:
        answers[key] = make()
    return answers[key]
