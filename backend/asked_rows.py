"""The rows that a question allows, on one cursor: in order, counted, one at random."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from backend.asked import all_of, facet_counts
from backend.facets import FACETS, NAMED
from backend.records import Record
from backend.store import Session

MOST_SORTED = 10_000  # rows; the place of one of more would cost sorting all of them


@dataclass(frozen=True)
class AskedRows:
    """Rows of `source` with the filters `kept` on top, in `order`."""

    session: Session
    source: str
    """`asked`, the view of the table `hits`, or a select in brackets."""
    params: dict[str, Any]
    """Of source and filters."""
    kept: dict[str, str]
    order: str

    @property
    def where(self) -> str:
        return all_of(self.kept)

    def page(self, limit: int, offset: int) -> list[Record]:
        """Some rows in order."""
        return self.session.query(
            f"from {self.source} where {self.where} order by {self.order} "
            "limit $limit offset $offset",
            **self.params,
            limit=limit,
            offset=offset,
        )

    def stops(self, limit: int, offset: int) -> list[Record]:
        """kind, sae_id and latent of some rows in order."""
        return self.session.query(
            f"select kind, sae_id, latent from {self.source} where {self.where} "
            f"order by {self.order} limit $limit offset $offset",
            **self.params,
            limit=limit,
            offset=offset,
        )

    def drawn(self, n: int) -> Record | None:
        """One of the `n` rows at random: kind, sae_id, latent, at (None in a long list)."""
        if n == 0:
            return None
        at = random.randrange(n)
        if n <= MOST_SORTED:
            return {**self.stops(1, at)[0], "at": at}
        row = self.session.query(
            f"select kind, sae_id, latent from {self.source} where {self.where} limit 1 offset $at",
            **self.params,
            at=at,
        )[0]
        return {**row, "at": None}

    def count(self) -> int:
        sql = f"select count(*) as n from {self._counted_in} where {self.where}"
        return self.session.query(sql, **self.params)[0]["n"]

    def counts(self) -> dict[str, dict[str, int]]:
        """Rows that each value of a facet would leave, all other filters kept."""
        values = {facet.name: facet.values for facet in FACETS}
        counts: dict[str, dict[str, int]] = {}
        for row in self.session.query(facet_counts(self._counted_in, self.kept), **self.params):
            facet, band = row["facet"], row["band"]
            if facet == "sae":
                counts.setdefault(facet, {})[row["sae_id"]] = row["n"]
            elif band is not None:
                counts.setdefault(facet, {})[values[facet][band].key] = row["n"]
        return counts

    @property
    def _counted_in(self) -> str:
        """Names are worked out from bands, which costs where no filter needs them."""
        return "hits" if self.source == "asked" and not self.kept.keys() & NAMED else self.source
