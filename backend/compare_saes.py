"""Questions about whole SAEs side by side: their figures, and how far one is found in another.

Both rest on all latents of a run; they take tens of milliseconds once and are remembered.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.bounds import as_text
from backend.records import Record
from backend.splitting import SIMILAR_COSINE
from backend.store import Run

BINS_A_UNIT = 20  # cosine bins of 0.05


@dataclass(frozen=True)
class Found:
    """How near the latents of one SAE come to those of another.

    edges, counts: histogram of each latent's best cosine, its mean and the share at
    `SIMILAR_COSINE` or more. novel_share: of the latents that fired in the stitching sample those
    that are novel to the other SAE; None where that was not measured.
    """

    from_id: str
    to_id: str
    edges: list[float]
    counts: list[int]
    mean: float
    similar_share: float
    novel_share: float | None = None

    @property
    def n(self) -> int:
        return sum(self.counts)


def sae_figures(run: Run, sae_id: str) -> Record:
    """What `saes` does not say: median_density, and kinds as {label kind: latents}."""
    middle = run.fixed_row(
        """
        select median(count / greatest(tokens_seen, 1)) as median_density
        from latent_facts where sae_id = $sae_id
        """,
        sae_id=as_text(sae_id),
    )
    kinds = run.fixed_query(
        """
        select label_kind, count(*) as n from latents where sae_id = $sae_id
        group by label_kind order by n desc, label_kind
        """,
        sae_id=as_text(sae_id),
    )
    density = middle["median_density"] if middle else None
    return {"median_density": density, "kinds": {row["label_kind"]: row["n"] for row in kinds}}


def found_in(run: Run, from_id: str, to_id: str) -> Found | None:
    """The latents of one SAE searched in another of the same run; None when nothing was stored.

    The histogram is of the stored nearest, whose cosines are rounded, so that all pairs have the
    same bins; mean and share are the exact ones where the run has them.
    """
    nearest = _from_neighbours(run, from_id, to_id)
    if nearest is None:
        return None
    exact = run.fixed_row(
        """
        select mean, similar_share from cosine_histograms
        where from_id = $from_id and to_id = $to_id
        """,
        from_id=as_text(from_id),
        to_id=as_text(to_id),
    )
    kinds = _kinds(run, small=to_id, large=from_id)
    tested = kinds.get("novel", 0) + kinds.get("reconstruction", 0)
    share = kinds.get("novel", 0) / tested if tested else None
    return Found(from_id, to_id, **{**nearest, **(exact or {})}, novel_share=share)


def _from_neighbours(run: Run, from_id: str, to_id: str) -> Record | None:
    """edges, counts, mean and similar_share over the nearest latent of each."""
    rows = run.fixed_query(
        """
        select least(floor(cosine * $bins), $bins - 1)::int as bin, count(*) as n,
            sum(cosine) as total, count(*) filter (cosine >= $similar) as similar
        from neighbours
        where sae_id = $from_id and other_sae_id = $to_id and rank = 0
        group by bin order by bin
        """,
        from_id=as_text(from_id),
        to_id=as_text(to_id),
        bins=BINS_A_UNIT,
        similar=SIMILAR_COSINE,
    )
    if not rows:
        return None
    counts = {row["bin"]: row["n"] for row in rows}
    n = sum(counts.values())
    bins = range(min(counts), max(counts) + 1)
    return {
        "edges": [place / BINS_A_UNIT for place in (*bins, bins[-1] + 1)],
        "counts": [counts.get(place, 0) for place in bins],
        "mean": sum(row["total"] for row in rows) / n,
        "similar_share": sum(row["similar"] for row in rows) / n,
    }


def _kinds(run: Run, small: str, large: str) -> dict[str, int]:
    rows = run.fixed_query(
        """
        select kind, count(*) as n from stitching
        where small_sae_id = $small and large_sae_id = $large group by kind
        """,
        small=as_text(small),
        large=as_text(large),
    )
    return {row["kind"]: row["n"] for row in rows}
