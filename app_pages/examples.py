"""The examples of a latent, and the choices of how their contexts are shown."""

from __future__ import annotations

import streamlit as st

from backend import urlstate
from backend.evidence_html import examples_html, view_choices_html
from backend.latent import Latent
from backend.links import Link, latent_link
from backend.records import Record
from backend.store import Run
from backend.text_html import notice
from backend.token_html import WIDTHS, ContextView


def examples(run: Run, latent: Latent, threshold: float, rows: list[Record]) -> str:
    """The section of a latent's page that holds its examples; words where there are none.

    Args:
        threshold: of the latent's SAE; see `backend.evidence_html.examples_html`.
        rows: as `queries.examples` gives them.
    """
    if latent.is_dead:
        return "<h2>Examples</h2>" + notice("None: this latent never fired.")
    if not rows:
        return "<h2>Examples</h2>" + notice(
            f"None: it fired on {latent.count:,} tokens, but in no text that may be shown."
        )
    view = ContextView(urlstate.choice("context", WIDTHS, "near"), urlstate.text("marks") == "1")
    here = latent_link(latent.sae_id, latent.latent, run=run.name)
    shown = {**st.query_params.to_dict(), **here.params}

    def to(**changed: str) -> Link:
        params = {name: value for name, value in {**shown, **changed}.items() if value}
        return Link(here.path, params)

    return (
        f"<h2>Examples</h2>{view_choices_html(view, to)}"
        f"{examples_html(rows, threshold, latent.max_activation, view)}"
    )
