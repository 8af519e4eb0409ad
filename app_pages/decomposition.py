"""A latent's decomposition, as its page shows it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app_pages.asking import add_link
from backend import queries
from backend.downloads_html import decomposition_links_html
from backend.equation_html import Decomposition, equation_html, parts_html, strip_html
from backend.latent import Latent
from backend.links import latent_link
from backend.lists_html import facts_html
from backend.records import Record
from backend.store import Run
from backend.text_html import latent_name, link, notice, number
from backend.trust_cards_html import other_methods_html


def decomposition(
    run: Run, latent: Latent, meta_sae_id: str, by_other_methods: Callable[[], list[Record]]
) -> None:
    """The equation, its parts, and the same latent by other methods."""
    rows = queries.components(run, meta_sae_id, latent.latent)
    if not rows:
        st.html(
            "<h2>Decomposition</h2>"
            + notice(
                f"No meta-latent of {meta_sae_id} is active on this latent's direction, so it has "
                "no component: the meta-SAE sees it as bias and residual only."
            )
        )
        return
    shown = Decomposition(latent, meta_sae_id, rows, run.name, lambda part: add_link(run, part))
    facts = facts_html(
        [
            (
                number(latent.decomposition_variance_explained),
                "variance explained",
                "variance explained",
            ),
            (number(latent.decomposition_cosine), "cosine with the sum", "cosine"),
            (number(_mean_stability(rows)), "mean stability", "stability"),
        ]
    )
    others = other_methods_html(
        rows,
        latent.decomposition_variance_explained,
        by_other_methods(),
        meta_sae_id,
        run.name,
    )
    st.html(
        f"<h2>Decomposition</h2>{equation_html(shown)}{strip_html(shown)}"
        f"{facts}{parts_html(shown)}"
        + decomposition_links_html(run.name, latent.sae_id, latent.latent, run.manifest.short_hash)
        + f"<h2>The same latent by other methods</h2>{others}"
    )


def _mean_stability(rows: list[Record]) -> float | None:
    known = [row["stability"] for row in rows if row["stability"] is not None]
    return sum(known) / len(known) if known else None


def not_decomposed(run: Run, latent: Latent, saes: list[Record], neighbours: list[Record]) -> str:
    """What is shown for a latent whose SAE has no meta-SAE: the way to ones that are."""
    decomposed = {sae["parent_sae_id"] for sae in saes}
    near = [row for row in neighbours if row["other_sae_id"] in decomposed][:3]
    links = ", ".join(
        link(
            latent_link(row["other_sae_id"], row["other_latent"], run=run.name).href,
            latent_name(row["label"], row["other_latent"]),
        )
        + f" <small>cosine {number(row['cosine'])}</small>"
        for row in near
    )
    told = notice(
        f"{latent.sae_id} has no meta-SAE in this run, so its latents are not decomposed."
    )
    if links:
        told += f"<p>Nearest latents that are: {links}.</p>"
    return f"<h2>Decomposition</h2>{told}"
