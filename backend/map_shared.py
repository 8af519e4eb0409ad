"""Questions about a selection on the map: which words and which parts its latents share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.bounds import as_text, row_limit
from backend.records import Record
from backend.store import Run

CHANCE = 0.05  # of any part that is named being there by luck, over all parts of the meta-SAE
LEAST_LIFT = 1.5  # in thousands of latents the smallest excess is no chance, and no news either


def shared_terms(run: Run, sae_id: str, latents: NDArray[Any], limit: int) -> list[Record]:
    """Words that two or more of some latents fire on (the five best of each), commonest first.

    Columns: term, n_latents.
    """
    run.load_later_tables()
    return run.query(
        """
        with words as (
            select latent, unnest(terms) as word from best_terms
            where sae_id = $sae_id and latent in (
                select unnest(string_split($latents, ',')::int[])
            )
        )
        select word.term as term, count(*) as n_latents
        from words group by term having n_latents > 1
        order by n_latents desc, sum(word.score) desc, term limit $limit
        """,
        sae_id=as_text(sae_id),
        latents=_listed(latents),
        limit=row_limit(limit),
    )


def shared_parts(
    run: Run, meta_sae_id: str, n_latents: int, latents: NDArray[Any], limit: int
) -> list[Record]:
    """Parts that more of some latents have than chance would give, largest excess first.

    By chance means drawn from all `n_latents` without regard to their parts: the hypergeometric
    tail, times the number of parts compared (Bonferroni), must be below `CHANCE`; and a part must
    be `LEAST_LIFT` times as frequent as among all.

    Columns: latent (of the meta-SAE), label, n_inside, n_members, share, overall (of the given
    latents and of all, the share that has it), lift (their ratio).
    """
    rows = run.query(
        """
        with picked as (
            select unnest(string_split($latents, ',')::int[]) as latent
        ), counted as (
            select c.meta_latent, count(*) as n_members, count(p.latent) as n_inside
            from components c left join picked p on p.latent = c.latent
            where c.meta_sae_id = $meta_sae_id group by c.meta_latent
        )
        select c.meta_latent as latent, n.label, c.n_inside, c.n_members
        from counted c
        join latent_facts n on n.sae_id = $meta_sae_id and n.latent = c.meta_latent
        """,
        meta_sae_id=as_text(meta_sae_id),
        latents=_listed(latents),
    )
    drawn, compared, found = len(latents), len(rows), []
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n_latents + 1)))])
    for row in rows:
        inside, members = row["n_inside"], row["n_members"]
        expected = members * drawn / n_latents if n_latents else 0.0
        if inside < 2 or inside < LEAST_LIFT * expected:
            continue
        if compared * _tail(logs, inside, drawn, members, n_latents) < CHANCE:
            row |= {"share": inside / drawn, "overall": members / n_latents}
            row["lift"] = row["share"] / row["overall"]
            found.append((expected - inside, row["latent"], row))
    return [row for _, _, row in sorted(found, key=lambda one: one[:2])][: row_limit(limit)]


def _listed(latents: NDArray[Any]) -> str:
    """Indices as one text: a list of 50,000 Python numbers takes DuckDB twice as long to read."""
    return ",".join(map(str, latents.tolist()))


def _tail(logs: NDArray[np.float64], inside: int, drawn: int, members: int, total: int) -> float:
    """Chance of `inside` or more members among `drawn` of `total`; `logs` are log factorials."""

    def choose(n: int, k: Any) -> Any:
        return logs[n] - logs[k] - logs[n - k]

    k = np.arange(inside, min(drawn, members) + 1)
    k = k[drawn - k <= total - members]
    chances = choose(members, k) + choose(total - members, drawn - k) - choose(total, drawn)
    return float(np.exp(chances).sum())
