"""Pieces of the pages of experiments as HTML: figures, tables, choices, and what a run lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backend.experiment_marks import digits_for, has_interval
from backend.links import Link
from backend.lists_html import pill_html, table_html
from backend.records import Record
from backend.text_html import MISSING, is_known, number, safe
from backend.trust_html import known_tip

ADDED_ALONE = frozenset({"layers", "resistance", "dead_latents", "toy_models"})
"""Sections that `python -m precompute add` makes for a finished run."""
EXAMPLE_CONFIG = "precompute/configs/atlas.toml"  # of a run with every experiment


def value(record: Record | None, digits: int = 2) -> str:
    """A figure with its interval in words, as HTML: "2.31 [2.10, 2.52]"; a dash without one.

    Args:
        digits: decimals; a small figure gets as many as it needs.
    """
    if record is None or not is_known(record["value"]):
        return MISSING
    digits = digits_for(record, digits)
    told = number(record["value"], digits)
    if not has_interval(record):
        return f'<span class="whole">{told}</span>'
    ends = f"{number(record['ci_low'], digits)}, {number(record['ci_high'], digits)}"
    return f'<span class="whole" title="95 % interval">{told} [{ends}]</span>'


def terms_words(names: Iterable[str]) -> str:
    """Names of settings as a list in which each with an entry in the glossary has its tooltip."""
    return ", ".join(known_tip(name) for name in names)


def figures_table(rows: Sequence[Record], digits: int = 3) -> str:
    """Every figure with its interval and n: rows of `measurements`, in their order."""
    cells = (
        (
            safe(row["experiment"]),
            safe(row["subject"]),
            safe(row["setting"]),
            safe(row["metric"].replace("_", " ")),
            number(row["value"], digits_for(row, digits)),
            interval(row, digits),
            f"{row['n']:,}",
        )
        for row in rows
    )
    words = ("experiment", "subject", "setting", "figure")
    heads = [(head, None) for head in (*words, "value", "95 % interval", "n")]
    return table_html(heads, cells, words)


def points_table(rows: Sequence[Record], digits: int = 3) -> str:
    """Points of lines with their intervals and n: rows of `curves`, in their order."""
    cells = (
        (
            safe(row["subject"]),
            safe(row["setting"]),
            safe(row["metric"]),
            f"{row['x']:,.5g}",
            number(row["value"], digits_for(row, digits)),
            interval(row, digits),
            f"{row['n']:,}",
        )
        for row in rows
    )
    words = ("subject", "setting", "line")
    heads = [(head, None) for head in (*words, "at", "value", "95 % interval", "n")]
    return table_html(heads, cells, words)


def interval(row: Record, digits: int = 3) -> str:
    """ "0.21 to 0.35", or a dash."""
    if not has_interval(row):
        return MISSING
    digits = digits_for(row, digits)
    return f"{number(row['ci_low'], digits)} to {number(row['ci_high'], digits)}"


def missing(question: str, section: str, what: str) -> str:
    """A question that this run cannot answer, and how a run is made that can.

    Args:
        question: the heading; "" for none, where the page has said it.
        section: of a config's `[experiments]`, e.g. `errors`.
        what: what is missing, in words.
    """
    head = f"<h2>{safe(question)}</h2>" if question else ""
    is_added = section in ADDED_ALONE
    then = "give them to this run with" if is_added else "make it again with"
    return (
        f'{head}<div class="notice info" role="status">This run holds no such figures: '
        f"{safe(what)}. Add the section <code>[experiments.{safe(section)}]</code> to its config, "
        f"as in <code>{EXAMPLE_CONFIG}</code>, and {then} <code>python -m precompute "
        f"{'add' if is_added else 'run'} YOUR-CONFIG.toml</code>: only what is missing is computed."
        "</div>"
    )


def subject_pills(
    path: str,
    run: str,
    subjects: Sequence[str],
    chosen: str,
    name: str = "sae",
    what: str = "SAE",
    kept: Mapping[str, str] | None = None,
    words: Mapping[str, str] | None = None,
) -> str:
    """A row of choices; nothing when there is only one.

    Args:
        path: of this page.
        run: its run.
        subjects: all choices, untrusted.
        chosen: the one in force.
        name: of the parameter.
        what: is chosen, in words.
        kept: parameters that stay as they are.
        words: what a choice is called, where that is not its value.
    """
    if len(subjects) < 2:
        return ""
    pills = "".join(
        pill_html(
            (words or {}).get(one, one),
            one == chosen,
            Link(path, {"run": run, **(kept or {}), name: one}),
        )
        for one in subjects
    )
    return f'<div class="pills"><span>{safe(what)}</span>{pills}</div>'
