"""The frame of a page inside another page, `?embed=true`: no bars, only where it is from.

Streamlit keeps `embed` out of `st.query_params`; `st.context.is_embedded` tells it. The style sheet
makes the page small (below the class that Streamlit sets on an embedded app), and the script keeps
links inside, with `embed` in their address.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from backend.links import Link
from backend.store import Run
from backend.text_html import link, notice


def embed_frame(run: Run, path: str, messages: Sequence[str]) -> None:
    """What is wrong, and the line that names the run and opens the whole page in a new tab.

    Args:
        path: of the page that is drawn.
        messages: shown on top; untrusted.
    """
    for message in messages:
        st.html(notice(message, "problem"))
    whole = Link(path, {**st.query_params.to_dict(), "run": run.name})
    said = f"Subatomic · {run.name} · {run.manifest.short_hash}"
    # the page is drawn later; the style sheet keeps this line at the lower edge
    with st.container(key="embed-foot"):
        st.html(f"<footer>{link(whole.href, said, 'outside')}</footer>")
