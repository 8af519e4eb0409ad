"""The side bar: every page of the run that is shown, the choice of a run, and what it is."""

from __future__ import annotations

from html import escape

import streamlit as st

from backend import urlstate
from backend.experiment_families import CHOICES, EXPERIMENT_PATHS
from backend.links import (
    EXPERIMENTS_PATH,
    LATENT_PATH,
    META_PATH,
    SPLITTING_PATH,
    STITCHING_PATH,
    Link,
    ask_link,
    compare_link,
    data_link,
    experiments_link,
    map_link,
    overview_link,
    search_link,
    text_link,
    trust_link,
)
from backend.store import Run
from backend.text_html import safe

# parameters that mean something in one run only
_CLEARED = (
    "sae", "latent", "page", "h", "small", "large", "in", "at", "against", "with", "without",
    "weigh", "from", "minus", "plus", "a", "b", "c", "d", "saes", "colour", "part", "lasso",
    "token", "find", *CHOICES,
)  # fmt: skip


def side_bar(run: Run, names: list[str], path: str) -> None:
    """Draw it into the container that is open.

    Args:
        run: the run that is shown.
        names: of all runs that can be.
        path: of the page that is drawn; the pages of experiments share one entry.
    """
    current = ' aria-current="page"'
    path = EXPERIMENTS_PATH if path in EXPERIMENT_PATHS else path
    pages = (
        ("Overview", overview_link(run.name)),
        ("Search", search_link("", run=run.name)),
        ("Ask", ask_link({}, run.name)),
        ("Latent", Link(LATENT_PATH, {"run": run.name})),
        ("Meta-latent", Link(META_PATH, {"run": run.name})),
        ("Compare", compare_link((), run.name)),
        ("Map", map_link("", run=run.name)),
        ("Your text", text_link(run=run.name)),
        ("Stitching", Link(STITCHING_PATH, {"run": run.name})),
        ("Splitting", Link(SPLITTING_PATH, {"run": run.name})),
        ("Trust", trust_link(run.name)),
        ("Experiments", experiments_link(run.name)),
        ("Data", data_link(run.name)),
    )
    items = "".join(
        f'<a href="{escape(to.href)}"{current if to.path == path else ""}>{name}</a>'
        for name, to in pages
    )
    st.html(
        f'<nav class="pages" aria-label="Pages">{items}</nav>'
        '<button type="button" class="keys-hint" aria-keyshortcuts="?">Keys <kbd>?</kbd></button>'
    )
    urlstate.choice_box(
        "Run",
        "run",
        names,
        run.name,
        help="One finished set of results; the folder's name in the data folder.",
        clears=_CLEARED,
    )
    manifest = run.manifest
    shown = [corpus for corpus in manifest.corpora if corpus.shown]
    texts = "; ".join(f"{corpus.name} ({corpus.licence})" for corpus in shown)
    st.html(
        f"<p>{safe(manifest.title)}</p><small>model {safe(manifest.model_id)}<br>"
        f"content hash {safe(manifest.short_hash)}<br>texts shown: {safe(texts) or 'none'}</small>"
    )
