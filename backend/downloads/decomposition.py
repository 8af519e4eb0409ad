"""One decomposition of a run, ready to be quoted, drawn or written as JSON."""

from __future__ import annotations

from typing import Any

from backend import queries
from backend.citation import Quoted, equation
from backend.downloads import queries as own
from backend.downloads.columns import LABEL, of
from backend.downloads.formats import plain_rows
from backend.links import latent_link
from backend.schema import COMPONENTS, LATENTS
from backend.store import Run

_FACTS = of(
    LATENTS,
    "decomposition_variance_explained",
    "decomposition_cosine",
    "bias_share",
    "residual_share",
)
_PARTS = (
    *of(COMPONENTS, "meta_latent"),
    LABEL,
    *of(COMPONENTS, "activation", "share", "cosine", "stability"),
)


def quoted_decomposition(run: Run, sae_id: str, latent: int, address: str) -> Quoted:
    """A decomposition with all that a citation says; the latent is in the run.

    Args:
        address: of the app, with a slash at its end.
    """
    sae = next(row for row in queries.saes(run) if row["sae_id"] == sae_id)
    meta_sae_id = queries.meta_sae_of(run, sae_id) or ""
    manifest = run.manifest
    link = latent_link(sae_id, latent, run=run.name, short_hash=manifest.short_hash)
    return Quoted(
        run=run.name,
        title=manifest.title,
        content_hash=manifest.content_hash,
        model_id=sae["model_id"],
        hook_name=sae["hook_name"],
        meta_sae_id=meta_sae_id,
        facts=own.latent_row(run, sae_id, latent) or {},
        components=queries.components(run, meta_sae_id, latent),
        address=f"{address}{link.href}",
    )


def as_json(found: Quoted) -> dict[str, Any]:
    """What a decomposition is made of, as JSON may hold it."""
    return {
        "label": found.facts["label"],
        "equation": equation(found),
        "address": found.address,
        "model_id": found.model_id,
        "hook_name": found.hook_name,
        "meta_sae_id": found.meta_sae_id,
        **next(plain_rows([found.facts], _FACTS)),
        "components": list(plain_rows(found.components, _PARTS)),
    }
