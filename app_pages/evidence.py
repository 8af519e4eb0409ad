"""The two pieces of evidence that a latent's and a meta-latent's page draw alike."""

from __future__ import annotations

import streamlit as st

from backend import charts, urlstate
from backend.evidence_html import histogram_words
from backend.latent import Latent
from backend.lists_html import tokens_html
from backend.records import Record
from backend.text_html import safe


def histogram(latent: Latent, heading: str, value: str, counted: str, log_help: str) -> None:
    """Histogram with its log switch, under `heading`; nothing where there is nothing to count.

    Args:
        value: what the x axis shows, e.g. "activation".
        counted: what a bar counts, e.g. "tokens".
    """
    if sum(latent.histogram_counts) == 0:
        return
    st.html(f"<h2>{safe(heading)}</h2>")
    log = urlstate.switch("Log scale", "log", help=log_help)
    st.plotly_chart(
        charts.histogram(latent.histogram_edges, latent.histogram_counts, value, counted, log),
        config={"displayModeBar": False},
        key=f"histogram-{latent.sae_id}-{latent.latent}-{log}",
        alt=histogram_words(latent, value, counted),
    )


def vocabulary(latent: Latent, sae: Record) -> None:
    """Promoted and suppressed tokens, and through which matrix they are read."""
    st.html(
        "<h2>Words of the vocabulary</h2>"
        f'<p class="note">read through the {safe(sae["logits_through"])}</p>'
        f'<div class="listings">{tokens_html(latent.promoted, "promoted")}'
        f"{tokens_html(latent.suppressed, 'suppressed')}</div>"
    )
