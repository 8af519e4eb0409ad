"""Rows of `edits`, one an item and method, and of `concerned`, one a latent that had a part."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from precompute.experiments.edits.laboratory import Laboratory
from precompute.experiments.edits.methods import META, NO_ERROR, NOTHING, RANDOM_META, WHOLE, Trials

NAME = "edits"
MOST_ROWS = 20_000
"""Of `edits`; beyond, each table keeps its first pairs."""
OF_LATENTS = (WHOLE, *META, *(f"{method}{RANDOM_META}" for method in META))


def edit_rows(tried: list[tuple[Laboratory, Trials]]) -> list[dict[str, Any]]:
    """Every item under every method, with the answers' log-probabilities before and after."""
    n_rows = sum(len(trials.items) * len(trials.outcomes) for _, trials in tried)
    share = min(1.0, MOST_ROWS / n_rows)
    return [row for lab, trials in tried for row in _rows_of(lab, trials, share)]


def _rows_of(lab: Laboratory, trials: Trials, share: float) -> list[dict[str, Any]]:
    shown = {pair: None for pair in lab.pairs[: int(share * len(lab.pairs))]}
    before, latent = trials.outcomes[NOTHING].replies, lab.scenes.latents.latent
    found = []
    for method, outcome in trials.outcomes.items():
        has_latents = method.removesuffix(NO_ERROR) in OF_LATENTS
        for number, item in enumerate(trials.items):
            if item.pair not in shown:
                continue
            pair, at, edit = item.pair, (number, item.target), outcome.edits[number]
            found.append(
                {
                    "kind": lab.table.name,
                    "entity": lab.table.entities[pair.entity],
                    "other": lab.table.entities[pair.other],
                    "attribute": lab.table.attributes[item.target],
                    "method": method,
                    "is_changed": bool(outcome.replies.is_other[at]),
                    "n_kept": int(outcome.scores.n_kept[number]),
                    "n_others": int(outcome.scores.n_others[number]),
                    "own_before": float(before.own[at]),
                    "own_after": float(outcome.replies.own[at]),
                    "other_before": float(before.other[at]),
                    "other_after": float(outcome.replies.other[at]),
                    "latent": int(latent[pair.entity]) if has_latents else None,
                    "other_latent": int(latent[pair.other]) if has_latents else None,
                    "removed": list(edit.removed),
                    "added": list(edit.added),
                }
            )
    return found


def concerned_rows(
    sae_id: str, meta_sae_id: str, tried: list[tuple[Laboratory, Trials]]
) -> list[dict[str, Any]]:
    """Mean score of the edits that each latent and meta-latent had a part in."""
    values: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for lab, trials in tried:
        latent = lab.scenes.latents.latent
        for method in (WHOLE, *META):
            if method not in trials.outcomes:
                continue
            outcome = trials.outcomes[method]
            for number, item in enumerate(trials.items):
                edit, score = outcome.edits[number], float(outcome.scores.disentangle[number])
                own = {int(latent[item.pair.entity])}
                if method == WHOLE:
                    own.add(int(latent[item.pair.other]))
                for one in own:
                    values[sae_id, one, method].append(score)
                for one in {*edit.removed, *edit.added}:
                    values[meta_sae_id, one, method].append(score)
    return [
        {
            "sae_id": owner,
            "latent": latent,
            "experiment": NAME,
            "subject": sae_id,
            "setting": method,
            "metric": "disentangle",
            "value": sum(own) / len(own),
            "n": len(own),
        }
        for (owner, latent, method), own in values.items()
    ]
