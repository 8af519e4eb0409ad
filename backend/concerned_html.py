"""On the page of a latent or meta-latent: the experiments that it had a part in."""

from __future__ import annotations

from collections.abc import Sequence

from backend.experiment_families import family_of
from backend.experiment_marks import digits_for
from backend.links import experiment_link
from backend.records import Record
from backend.text_html import link, number, safe

SHOWN = 12  # rows; what a frequent meta-latent had a part in is folded up below them


def concerned_html(rows: Sequence[Record], noun: str, run: str) -> str:
    """A list with a link to the page of each experiment; nothing without rows.

    Args:
        rows: of `experiments.concerned`.
        noun: `latent` or `meta-latent`.
        run: its name.
    """
    if not rows:
        return ""
    items = [_item(row, run) for row in rows]
    rest = ""
    if len(items) > SHOWN + 1:
        folded = f"<ul class='stops'>{''.join(items[SHOWN:])}</ul>"
        rest = (
            f"<details class='fold'><summary>{len(items) - SHOWN:,} more</summary>{folded}"
            "</details>"
        )
        items = items[:SHOWN]
    return (
        f"<h2>Experiments on this {noun}</h2><p class='note'>One {noun} rests on few items: the "
        "experiment's page has the figures over all of them, with controls.</p>"
        f"<ul class='stops'>{''.join(items)}</ul>{rest}"
    )


def _item(row: Record, run: str) -> str:
    """One line: the experiment, the part in it, the figure and n."""
    family = family_of(row["experiment"])
    name = safe(row["experiment"])
    if family is not None:
        name = link(experiment_link(family.path, row["subject"], run).href, row["experiment"])
    return (
        f"<li>{name}, {safe(row['setting'])}: <b>{number(row['value'], digits_for(row))}</b> "
        f"{safe(row['metric'])} <small>n = {row['n']:,}, {safe(row['subject'])}</small></li>"
    )
