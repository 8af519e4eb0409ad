"""The section "Experiments on this latent" of two pages."""

from __future__ import annotations

import streamlit as st

from backend import experiments
from backend.concerned_html import concerned_html
from backend.latent import Latent
from backend.store import Run


def experiments_on(run: Run, latent: Latent, noun: str = "latent") -> None:
    """Draw it where the latent had a part in an experiment; one lookup by the sort key.

    Args:
        noun: what the page calls it.
    """
    rows = experiments.concerned(run, latent.sae_id, latent.latent)
    if shown := concerned_html(rows, noun, run.name):
        st.html(shown)
