"""Addresses of the app's pages on one run: latents, pairs and words drawn at random."""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.store import Run


def chosen_run(parser: argparse.ArgumentParser, data: Path, name: str | None) -> Run:
    """Open a run of a folder, the largest where none is named; the parser ends without one."""
    from backend.listing import list_runs
    from backend.store import open_run

    runs = [one for one in list_runs(data.resolve()) if name in (None, one.name)]
    if not runs:
        parser.error(f"no run {name or ''} in {data}")
    return open_run(runs[0].path)


def page_addresses(run: Run, reruns: int) -> dict[str, list[dict[str, str]]]:
    """Query parameters to run each page with: latents and words drawn at random."""
    from backend import experiments, queries, stitching
    from backend.experiment_families import FAMILIES

    draw = random.Random(0)
    saes = queries.saes(run)
    widest = next((s["parent_sae_id"] for s in saes if s["kind"] == "meta"), saes[-1]["sae_id"])
    latents = [queries.random_latent(run, widest, draw.randrange(1 << 30)) for _ in range(reruns)]
    shown = [queries.latent(run, widest, latent) for latent in latents if latent is not None]
    words = [latent.label for latent in shown if latent is not None and latent.label] or ["a"]
    pages = {
        "overview": [{} for _ in range(reruns)],
        "search": [{"q": draw.choice(words)[: draw.choice((3, 20))]} for _ in range(reruns)],
        "latent": [{"sae": widest, "latent": str(latent)} for latent in latents],
    }
    pairs = stitching.pairs(run)
    if pairs:
        chosen = [draw.choice(pairs) for _ in range(reruns)]
        pages["stitching"] = [
            {"small": pair["small_sae_id"], "large": pair["large_sae_id"]} for pair in chosen
        ]
        small = pairs[0]["small_sae_id"]
        roots = [queries.random_latent(run, small, draw.randrange(1 << 30)) for _ in latents]
        pages["splitting"] = [{"sae": small, "latent": str(root)} for root in roots]
    pages["trust"] = [{"run": run.name}] * reruns
    held = set(experiments.made(run))
    for path, family in FAMILIES.items():
        if held.intersection(family.experiments):
            pages[path] = [{"run": run.name}] * reruns
    metas = [sae["sae_id"] for sae in saes if sae["kind"] == "meta"]
    others = [*latents[1:], latents[0]]
    pages["compare"] = [
        {"a": f"{widest}/{a}", "b": f"{widest}/{b}"} for a, b in zip(latents, others, strict=True)
    ]
    pages["map"] = [{"sae": widest, "colour": draw.choice(("density", "novelty"))} for _ in latents]
    pages["data"] = [{"run": run.name}] * reruns
    if metas:
        drawn = [queries.random_latent(run, metas[0], draw.randrange(1 << 30)) for _ in latents]
        pages["meta"] = [{"sae": metas[0], "latent": str(latent)} for latent in drawn]
        pages["ask"] = [{"with": f"{metas[0]}/{latent}"} for latent in drawn]
        pages["ask, a sum"] = [
            {"from": f"{widest}/{latent}", "minus": f"{metas[0]}/{a}", "plus": f"{metas[0]}/{b}"}
            for latent, a, b in zip(latents, drawn, reversed(drawn), strict=True)
        ]
    return {
        page: [{"run": run.name, **one} for one in addresses] for page, addresses in pages.items()
    }
