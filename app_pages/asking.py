"""The question that a reader is putting together, so that any page can add a part to it.

The address of the Ask page holds the whole question; the session only remembers the last one, so
that a link on another page says "the same, and this too".
"""

from __future__ import annotations

import streamlit as st

from backend.links import Link, ask_link
from backend.question import Part, Question
from backend.store import Run

_KEY = "question"


def remember(run: Run, question: Question) -> None:
    """Keep the question of this page for the links of the next ones."""
    st.session_state[_KEY] = (run.name, question)


def add_link(run: Run, part: Part) -> Link:
    """The last question of this session with one more part required; a new one without any."""
    kept = st.session_state.get(_KEY)
    question = kept[1] if kept and kept[0] == run.name else Question()
    # parts of two meta-SAEs have no latent in common
    if any(other.sae_id != part.sae_id for other in question.parts):
        question = Question()
    return ask_link(question.with_part(part, "required").params, run.name)
