"""What every page of experiments has: its question on top, every value at the end."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from app_pages.frame import actions_html, opened, title
from backend import experiments, urlstate
from backend.downloads_html import are_served, file_link_html
from backend.experiment_families import CHOICES, FAMILIES
from backend.experiment_html import figures_table, missing, points_table
from backend.links import Link, experiments_link
from backend.records import Record, column
from backend.store import Run
from backend.text_html import link, notice, plain

MOST_LISTED = 400  # points of lines in one table; all of them are in the file
_CONFIG = {"displayModeBar": False}


def begin(path: str, family: str) -> Run:
    """The run of the address; draws the frame, the breadcrumb and the question.

    Args:
        path: of the page, one of `backend.links`.
        family: key of `FAMILIES`.
    """
    run = opened(path)
    shown = FAMILIES[family]
    title(shown.name)
    chosen = {name: urlstate.text(name) for name in ("sae", *CHOICES) if urlstate.text(name)}
    here = Link(path, {"run": run.name, **chosen, "h": run.manifest.short_hash})
    up = link(experiments_link(run.name).href, "Experiments")
    st.html(
        actions_html(run, [up, escape(shown.name)], here) + f"<h1>{escape(shown.question)}</h1>"
    )
    return run


def lacks(run: Run, family: str) -> bool:
    """Whether the run holds nothing of a family; then says so and how to make it."""
    shown = FAMILIES[family]
    if set(shown.experiments) & set(experiments.made(run)):
        return False
    st.html(missing("", shown.sections[0], shown.what))
    return True


def chosen_subject(rows: Sequence[Record], default: str = "", name: str = "sae") -> str:
    """The subject that the address names, or `default`, or the last; says when it names none.

    Args:
        rows: figures, at least one.
        default: taken when the address names none, if it is a subject.
        name: of the parameter.
    """
    subjects = list(dict.fromkeys(column(rows, "subject")))
    wanted = urlstate.text(name)
    if wanted in subjects:
        return wanted
    shown = default if default in subjects else subjects[-1]
    if wanted:
        words = f"There are no figures of “{plain(wanted)[:60]}” here; showing {shown} instead."
        st.html(notice(words, "problem"))
    return shown


def figure(chart: object, key: str, alt: str) -> None:
    """One Plotly figure; `alt` says where the same numbers are for who cannot see it."""
    st.plotly_chart(chart, config=_CONFIG, key=key, alt=f"{alt}; listed at the end of the page")


def finish(rows: Sequence[Record], run: Run | None = None, points: Sequence[Record] = ()) -> None:
    """Every value of the page as tables, folded up.

    Args:
        rows: of `measurements`.
        run: whose whole tables are offered below; None for no such line.
        points: of `curves`, those that the page draws; at most `MOST_LISTED` are listed.
    """
    listed = ""
    if points:
        shown = (
            f"The first {MOST_LISTED:,} of {len(points):,}"
            if len(points) > MOST_LISTED
            else (f"All {len(points):,}")
        )
        listed = (
            f"<details class='fold'><summary>{shown} points of the lines as a table</summary>"
            f"{points_table(points[:MOST_LISTED])}</details>"
        )
    downloads = ""
    if run is not None and are_served():
        taken = {"run": run.name, "h": run.manifest.short_hash}
        files = " ".join(
            file_link_html(f"table/{name}.parquet", taken, f"{name}.parquet")
            for name in ("measurements", "curves")
        )
        downloads = f'<p class="note">All rows of the run: {files}</p>'
    st.html(
        f"<h2>All values</h2><details class='fold'><summary>All {len(rows):,} values as a table"
        f"</summary>{figures_table(rows)}</details>{listed}{downloads}"
    )
