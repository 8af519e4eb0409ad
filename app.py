"""Subatomic: what an SAE latent is made of. Page config, style and navigation, nothing else."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from backend.links import (
    ABSORPTION_PATH,
    ASK_PATH,
    COMPARE_PATH,
    DATA_PATH,
    EDITS_PATH,
    ERRORS_PATH,
    EXPERIMENTS_PATH,
    LATENT_PATH,
    MAP_PATH,
    META_PATH,
    PURSUIT_PATH,
    RESISTANCE_PATH,
    SEARCH_PATH,
    SPLITTING_PATH,
    STEERING_PATH,
    STITCHING_PATH,
    TEXT_PATH,
    TRUST_PATH,
)

ASSETS = Path(__file__).parent / "assets"

st.set_page_config(
    page_title="Subatomic",
    page_icon=str(ASSETS / "icon.png"),
    layout="wide",
    initial_sidebar_state="auto",
)
sheets = sorted((ASSETS / "styles").glob("*.css"))
st.html(f"<style>{''.join(sheet.read_text(encoding='utf-8') for sheet in sheets)}</style>")
# not in a folder named pages: until the first run of this script Streamlit would take the files
# there for its own kind of pages, and a shared link would open one without this frame
page = st.navigation(
    [
        st.Page("app_pages/overview.py", title="Overview", default=True),
        st.Page("app_pages/search.py", title="Search", url_path=SEARCH_PATH),
        st.Page("app_pages/ask.py", title="Ask", url_path=ASK_PATH),
        st.Page("app_pages/latent.py", title="Latent", url_path=LATENT_PATH),
        st.Page("app_pages/meta.py", title="Meta-latent", url_path=META_PATH),
        st.Page("app_pages/compare.py", title="Compare", url_path=COMPARE_PATH),
        st.Page("app_pages/map.py", title="Map", url_path=MAP_PATH),
        st.Page("app_pages/text.py", title="Your text", url_path=TEXT_PATH),
        st.Page("app_pages/stitching.py", title="Stitching", url_path=STITCHING_PATH),
        st.Page("app_pages/splitting.py", title="Splitting", url_path=SPLITTING_PATH),
        st.Page("app_pages/trust.py", title="Trust", url_path=TRUST_PATH),
        st.Page("app_pages/experiments.py", title="Experiments", url_path=EXPERIMENTS_PATH),
        st.Page("app_pages/errors.py", title="Errors", url_path=ERRORS_PATH),
        st.Page("app_pages/pursuit.py", title="Pursuit", url_path=PURSUIT_PATH),
        st.Page("app_pages/edits.py", title="Edits", url_path=EDITS_PATH),
        st.Page("app_pages/steering.py", title="Steering", url_path=STEERING_PATH),
        st.Page("app_pages/absorption.py", title="Absorption", url_path=ABSORPTION_PATH),
        st.Page("app_pages/resistance.py", title="Resistance", url_path=RESISTANCE_PATH),
        st.Page("app_pages/data.py", title="Data", url_path=DATA_PATH),
    ],
    position="hidden",  # our own links keep the run in the address, these would drop it
)
with st.container(key="behaviour"):
    # static files; nothing of a run is in them
    for name in ("behaviour.js", "downloads.js"):
        script = (ASSETS / name).read_text(encoding="utf-8")
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)
page.run()
