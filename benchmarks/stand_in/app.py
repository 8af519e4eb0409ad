"""A stand-in for the usual dashboard of a meta-SAE: pickles loaded whole into the web process.

    STAND_IN_DATA=<folder of write_pickles> streamlit run benchmarks/stand_in/app.py

Two pages by a radio in the sidebar, latents and meta-latents; each is found by its number only.
Written here, from a description of how such dashboards work: torch in the web process, one
`torch.load` for all data (kept by `st.cache_resource`), tokens decoded when a page is shown, a
radial graph of the five strongest meta-latents with five latents each. Nothing is slower than it
has to be, and what such dashboards fetch from other sites is left out.
"""

from __future__ import annotations

import json
import math
import os
import random
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st
import torch
from tokenizers import Tokenizer

SHOWN_EXAMPLES, GRAPH_PARTS, GRAPH_MEMBERS, FIRST_MEMBERS, MORE_MEMBERS = 20, 5, 5, 10, 20


@st.cache_resource
def load() -> tuple[dict[str, Any], torch.Tensor, Tokenizer, dict[str, dict[str, str]]]:
    """Everything, once for the process."""
    folder = Path(os.environ["STAND_IN_DATA"])
    # a pickle of our own making; the safe unpickler is written in Python and several times slower
    statistics = torch.load(folder / "feature_stats.pth", weights_only=False)
    tokens = torch.load(folder / "dataset.pth")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    labels = json.loads((folder / "feature_descriptions.json").read_text(encoding="utf-8"))
    return statistics, tokens, tokenizer, labels


def examples_of(statistics: dict[str, Any], latent: int) -> list[tuple[int, int, float]]:
    """(context, position, activation), strongest first."""
    kept = statistics["highly_activating_indices"]
    if isinstance(kept, torch.Tensor):
        found = kept[latent, :SHOWN_EXAMPLES].tolist()
        return [(int(row), int(place), value) for row, place, value in found if row >= 0]
    return kept.get(latent, [])[:SHOWN_EXAMPLES]


def latent_page() -> None:
    statistics, tokens, tokenizer, labels = load()
    latent = number_asked("latent", statistics["n_features"])
    st.header(f"Latent {latent}: {labels['features'].get(str(latent), '')}")
    lines = []
    for context, position, activation in examples_of(statistics, latent):
        ids = tokens[context].tolist()
        before, own, after = (
            tokenizer.decode(part)
            for part in (ids[:position], [ids[position]], ids[position + 1 :])
        )
        lines.append(f"- {activation:.3f}: {before} **{own}** {after}")
    st.markdown("\n".join(lines))
    st.subheader("Meta-latents")
    parts = statistics["feature_to_clusters"].get(latent, [])
    names = labels["meta_features"]
    st.markdown(
        "\n".join(f"- {meta} {names.get(str(meta), '')}: {weight:.4f}" for meta, weight in parts)
    )
    if parts:
        members = statistics["cluster_to_features"]
        st.plotly_chart(radial_graph(latent, parts, members, labels))


def meta_page() -> None:
    statistics, _, _, labels = load()
    meta = number_asked("meta", len(statistics["meta_feature_top_boosted_logits"]))
    st.header(f"Meta-latent {meta}: {labels['meta_features'].get(str(meta), '')}")
    members = statistics["cluster_to_features"].get(meta, [])
    histogram = go.Figure(go.Histogram(x=[weight for _, weight in members], nbinsx=17))
    st.plotly_chart(histogram)
    st.write(f"Density: {len(members) / statistics['n_features']:.4%}")
    promoted = statistics["meta_feature_top_boosted_logits"].get(meta, [])
    st.write("Promoted tokens: " + ", ".join(token for token, _ in promoted[:10]))
    shown = st.session_state.setdefault(f"shown-{meta}", FIRST_MEMBERS)
    for latent, weight in members[:shown]:
        st.button(f"{latent} {labels['features'].get(str(latent), '')} ({weight:.4f})")
    if shown < len(members) and st.button("Load more"):
        st.session_state[f"shown-{meta}"] = shown + MORE_MEMBERS
        st.rerun()


def number_asked(name: str, n: int) -> int:
    """The number of the address, of the field, or a random one."""
    if st.sidebar.button("A random one"):
        st.query_params[name] = str(random.randrange(n))
    asked = int(st.query_params.get(name, "0"))
    return int(st.number_input(f"Number of the {name}", 0, n - 1, asked))


def radial_graph(
    latent: int,
    parts: list[tuple[int, float]],
    members: dict[int, list[tuple[int, float]]],
    labels: dict[str, dict[str, str]],
) -> go.Figure:
    """The latent in the middle, its meta-latents around it, their latents outside."""
    figure = go.Figure()
    names = {(0.0, 0.0): labels["features"].get(str(latent), "")}
    chosen = parts[:GRAPH_PARTS]
    for i, (meta, weight) in enumerate(chosen):
        angle = 2 * math.pi * i / len(chosen)
        inner = (math.cos(angle), math.sin(angle))
        names[inner] = labels["meta_features"].get(str(meta), "")
        line(figure, (0.0, 0.0), inner, 20 * weight)
        others = [pair for pair in members.get(meta, []) if pair[0] != latent][:GRAPH_MEMBERS]
        for j, (other, other_weight) in enumerate(others):
            turn = angle + (j - len(others) / 2) * 2 * math.pi / len(chosen) / GRAPH_MEMBERS
            outer = (2 * math.cos(turn), 2 * math.sin(turn))
            names[outer] = labels["features"].get(str(other), "")
            line(figure, inner, outer, 5 * other_weight)
    for (x, y), name in names.items():
        figure.add_annotation(x=x, y=y, text=name, showarrow=False)
    figure.update_layout(width=800, height=800, showlegend=False)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def line(
    figure: go.Figure, start: tuple[float, float], end: tuple[float, float], width: float
) -> None:
    """One edge."""
    xs, ys = zip(start, end, strict=True)
    figure.add_trace(go.Scatter(x=xs, y=ys, mode="lines", line={"width": width}))


st.set_page_config(page_title="Stand-in", layout="wide")
PAGES = {"Latents": latent_page, "Meta-latents": meta_page}
first = 1 if "meta" in st.query_params else 0
PAGES[st.sidebar.radio("Page", list(PAGES), index=first)]()
