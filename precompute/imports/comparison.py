"""Foreign latents beside the run's own: their tokens, densities and labels.

Tokens also tell whether the set is about the same SAE. They are compared again with those of other
latents of the run, which says what chance gives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.stats import rankdata

from precompute.imports.foreign import ForeignLatent, ForeignSet

SAMPLE = 2_000  # latents whose tokens are compared
LEAST_LATENTS = 30  # of fewer, no figure is given
Seen = tuple[set[str], set[str]]


@dataclass(frozen=True)
class Agreement:
    """How far both sides agree, the same figure by chance, and of how many latents."""

    value: float
    by_chance: float
    n: int


def own_latents(run: Path, sae_id: str) -> dict[str, Any]:
    """Density and label of every latent of an SAE, as arrays and lists by column."""
    table = pq.read_table(
        run / "latents.parquet",
        columns=["latent", "label", "count", "tokens_seen"],
        filters=[("sae_id", "=", sae_id)],
    )
    seen = np.maximum(table["tokens_seen"].to_numpy(), 1)
    density = np.full(1 + int(table["latent"].to_numpy().max(initial=-1)), np.nan)
    density[table["latent"].to_numpy()] = table["count"].to_numpy() / seen
    labels = dict(zip(table["latent"].to_pylist(), table["label"].to_pylist(), strict=True))
    return {"density": density, "labels": labels}


def token_agreement(run: Path, sae_id: str, foreign: ForeignSet) -> Agreement | None:
    """Share of latents whose tokens there and here have one in common.

    Tokens that a latent promotes are compared with each other, and so are tokens that it fires on;
    a latent counts when one of the two is known on both sides.
    """
    theirs = {i: _their_tokens(latent) for i, latent in sorted(foreign.latents.items())}
    known = [index for index, seen in theirs.items() if any(seen)]
    chosen = known[:: max(1, -(-len(known) // SAMPLE))]
    if len(chosen) < LEAST_LATENTS:
        return None
    rows = pq.read_table(
        run / "latents.parquet",
        columns=["latent", "top_terms", "promoted"],
        filters=[("sae_id", "=", sae_id), ("latent", "in", chosen)],
    ).to_pylist()
    ours = {row["latent"]: _own_tokens(row) for row in rows}
    pairs = [(theirs[i], ours[i]) for i in chosen if i in ours and _comparable(theirs[i], ours[i])]
    if len(pairs) < LEAST_LATENTS:
        return None
    mixed = pairs[len(pairs) // 2 :] + pairs[: len(pairs) // 2]
    return Agreement(
        float(np.mean([_meet(there, here) for there, here in pairs])),
        float(np.mean([_meet(a[0], b[1]) for a, b in zip(pairs, mixed, strict=True)])),
        len(pairs),
    )


def density_correlation(density: NDArray[np.float64], foreign: ForeignSet) -> Agreement | None:
    """Spearman's rank correlation of densities here and there; chance is 0."""
    pairs = [
        (density[index], latent.density)
        for index, latent in foreign.latents.items()
        if latent.density is not None and index < len(density) and np.isfinite(density[index])
    ]
    if len(pairs) < LEAST_LATENTS:
        return None
    ranks = [rankdata(side) for side in zip(*pairs, strict=True)]
    if min(np.ptp(side) for side in ranks) == 0:  # all alike, so in no order
        return None
    return Agreement(float(np.corrcoef(*ranks)[0, 1]), 0.0, len(pairs))


def equal_labels(labels: dict[int, str], foreign: ForeignSet) -> int:
    """How many labels there say the same words as the label here."""
    return sum(
        text.casefold().split() == labels.get(index, "").casefold().split()
        for index, (text, _) in foreign.labels().items()
    )


def _their_tokens(latent: ForeignLatent) -> Seen:
    peaks = [example.tokens[example.peak] for example in latent.examples]
    fires = [token for token, _ in latent.fires_on[:5]] + peaks
    return _plain(token for token, _ in latent.promoted), _plain(fires)


def _own_tokens(row: dict[str, Any]) -> Seen:
    return (
        _plain(entry["token"] for entry in row["promoted"]),
        _plain(entry["term"] for entry in row["top_terms"]),
    )


def _plain(tokens: Iterable[str]) -> set[str]:
    """Tokens as both sides may write them: without spaces, marks of word pieces, and case."""
    found = {token.strip("\u0120\u2581 \n\t").removeprefix("##").casefold() for token in tokens}
    return found - {""}


def _comparable(there: Seen, here: Seen) -> bool:
    return any(a and b for a, b in zip(there, here, strict=True))


def _meet(there: Seen, here: Seen) -> bool:
    return any(a & b for a, b in zip(there, here, strict=True))
