"""The URL is the single source of truth for what a page shows.

Widgets are seeded from it on every run and write it in their callbacks. `bind="query-params"` is
not used: with it Back, shared links and two pages with the same name for a value go wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from backend.question import Question, parse_question

LONGEST_NUMBER = 10  # digits; longer ones cannot be an id and may be slow to parse


def text(name: str) -> str:
    """The value of a parameter as it was typed; "" when it is absent."""
    return st.query_params.get(name, "")


def whole_number(name: str) -> int | None:
    """A parameter as a whole number from 0; None when it is absent or anything else."""
    value = st.query_params.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER):
        return None
    return int(value)


def question(sae_ids: tuple[str, ...]) -> Question:
    """The question that the address asks; `sae_ids` are the SAEs it may name."""
    return parse_question(st.query_params.to_dict(), sae_ids)


def choice(name: str, options: Sequence[str], default: str) -> str:
    """A parameter when it is one of `options`, else the default."""
    value = st.query_params.get(name, default)
    return value if value in options else default


def put(name: str, value: str | int | None, default: str | int | None = None) -> None:
    """Write a parameter; a default is left out, so that short addresses stay short."""
    if value is None or value == default:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = str(value)


def choice_box(
    label: str,
    name: str,
    options: Sequence[str],
    default: str,
    help: str | None = None,
    clears: Sequence[str] = (),
) -> str:
    """A select box on a parameter.

    Args:
        label: shown above it.
        name: the parameter.
        options: allowed values; they are shown as they are.
        default: taken when the parameter is absent or not allowed.
        help: tooltip.
        clears: parameters that lose their meaning when this one changes.
    """
    value, key = choice(name, options, default), f"_url_{name}"
    st.session_state[key] = value  # the URL wins on every run

    def write() -> None:
        for other in clears:
            put(other, None)
        put(name, st.session_state[key], default)

    st.selectbox(label, options, key=key, on_change=write, help=help)
    return value


def switch(label: str, name: str, help: str | None = None) -> bool:
    """A toggle on a parameter that is `1` when it is on."""
    value, key = text(name) == "1", f"_url_{name}"
    st.session_state[key] = value

    def write() -> None:
        put(name, "1" if st.session_state[key] else None)

    st.toggle(label, key=key, on_change=write, help=help)
    return value
