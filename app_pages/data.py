"""The run as files: where it comes from, its tables and columns, queries for a notebook."""

from __future__ import annotations

import streamlit as st

from app_pages.frame import actions_html, opened, title
from backend import notebook, queries
from backend.data_html import addresses_html, provenance_html, snippets_html, tables_html
from backend.downloads.answers import LISTS
from backend.downloads_html import NOT_SERVED, are_served
from backend.links import DATA_PATH, data_link
from backend.schema import TABLES
from backend.text_html import safe


def data_page() -> None:
    run = opened(DATA_PATH)
    title("Data")
    manifest = run.manifest
    params = {"run": run.name, "h": manifest.short_hash}
    address = _address()
    here = data_link(run.name, manifest.short_hash)
    served = "" if are_served() else NOT_SERVED
    st.html(
        actions_html(run, ["Data"], here, queries.saes(run)[0]["sae_id"])
        + "<h1>Take it away</h1>"
        + '<p class="lead">Everything that these pages show is in a few Parquet files. Download '
        "them, query them in a notebook, or fetch a single list by its address.</p>"
        + served
        + f"<h2>{safe(manifest.title)}</h2>"
        + provenance_html(manifest, params)
        + "<h2>Tables</h2>"
        + tables_html(TABLES.values(), manifest.files, params, run.name)
        + "<h2>In a notebook</h2>"
        + snippets_html(notebook.snippets(run, address), params)
        + "<h2>By address</h2>"
        + addresses_html(LISTS.values(), address, params)
    )


def _address() -> str:
    """Of the app as the reader's browser has it, with a slash at its end; "" when unknown."""
    found = (st.context.url or "").rstrip("/").removesuffix(f"/{DATA_PATH}")
    return f"{found}/" if found.startswith("http") else ""


data_page()
